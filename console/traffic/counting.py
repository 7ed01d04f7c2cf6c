"""Counts again the hours that were noted, and those alone.

A step takes notes and counts their hours in one transaction, by statements that each see all that was committed before
them: whatever a note that was taken is about is counted, and whatever comes later has a note that is still there.
Who dies on the way has taken no notes. One counts at a time; counting twice changes nothing.
"""

import time
from collections import defaultdict
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from console.masking import KEPT
from console.traffic import measures, summing, watching
from console.traffic.models import Rollup

NOTES = 1_000  # a step: some seconds, even when they are of hours nobody looked at for long
GAP = 3  # so many steps between two are counted along: one range is cheaper than two
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LOCK = 0x7AFF1C  # any number nobody else locks
_KEPT = f"CASE family(address) WHEN 4 THEN {KEPT[4]} ELSE {KEPT[6]} END"
NETWORK = f"network(set_masklen(address, least(masklen(address), {_KEPT})))::inet"

_TAKE = """
    DELETE FROM console_trafficnote WHERE id IN (SELECT id FROM console_trafficnote ORDER BY source, hour LIMIT %s)
    RETURNING source, hour
"""
# what there was before and is no more goes; what is the same is not written again
_ROLL_UP = """
    WITH counted AS MATERIALIZED ({counting}), gone AS (
        DELETE FROM console_rollup AS old WHERE span = %(span)s AND measure = %(measure)s
            AND old.at >= %(start)s AND old.at < %(stop)s
            AND NOT EXISTS (SELECT FROM counted WHERE counted.at = old.at AND counted.part = old.part)
    )
    INSERT INTO console_rollup AS old (measure, part, span, at, number)
    SELECT %(measure)s, part, %(span)s, at, number FROM counted
    ON CONFLICT (span, at, measure, part) DO UPDATE SET number = EXCLUDED.number WHERE old.number <> EXCLUDED.number
"""
_HOURS = """
    SELECT date_trunc('hour', {at}, 'UTC') AS at, {split} AS part, count(*) AS number FROM {table}
    WHERE {at} >= %(start)s AND {at} < %(stop)s AND {condition} GROUP BY 1, 2
"""
_DAYS = """
    SELECT date_trunc('day', at, 'UTC') AS at, part, sum(number) AS number FROM console_rollup
    WHERE span = 'hour' AND at >= %(start)s AND at < %(stop)s AND measure = %(measure)s GROUP BY 1, 2
"""
# returns networks whose first day it was and is no more: something else has to say which is now
_ADDRESSES = """
    WITH counted AS MATERIALIZED (
        SELECT day, address, {network} AS network, number FROM (
            SELECT ({at} AT TIME ZONE 'UTC')::date AS day, {address} AS address, count(*) AS number FROM {table}
            WHERE {at} >= %(start)s AND {at} < %(stop)s AND {address} IS NOT NULL AND {condition} GROUP BY 1, 2
        ) AS found
    ), gone AS (
        DELETE FROM console_addressrollup AS old WHERE measure = %(measure)s
            AND old.day >= %(first)s AND old.day < %(next)s
            AND NOT EXISTS (SELECT FROM counted WHERE counted.day = old.day AND counted.address = old.address)
    ), kept AS (
        INSERT INTO console_addressrollup AS old (measure, day, address, network, number)
        SELECT %(measure)s, day, address, network, number FROM counted WHERE day >= %(since)s
        ON CONFLICT (day, measure, address) DO UPDATE SET number = EXCLUDED.number WHERE old.number <> EXCLUDED.number
    ), seen AS (
        INSERT INTO console_firstseen AS old (measure, network, first_day)
        SELECT %(measure)s, network, min(day) FROM counted GROUP BY network ORDER BY network
        ON CONFLICT (network, measure) DO UPDATE SET first_day = EXCLUDED.first_day
            WHERE old.first_day > EXCLUDED.first_day
    )
    SELECT network::text FROM console_firstseen AS old
    WHERE measure = %(measure)s AND first_day >= %(first)s AND first_day < %(next)s AND NOT EXISTS (
        SELECT FROM counted WHERE counted.network = old.network AND counted.day = old.first_day
    )
"""
# a network sorts before the addresses in it, and its last address after them: a range of an ordinary index
_FIRST = """
    WITH found AS (
        SELECT network, (
            SELECT (min({at}) AT TIME ZONE 'UTC')::date FROM {table} WHERE {condition} AND {address}
            BETWEEN network AND set_masklen(broadcast(network), CASE family(network) WHEN 4 THEN 32 ELSE 128 END)
        ) AS first_day FROM unnest(%(networks)s::inet[]) AS network
    ), gone AS (
        DELETE FROM console_firstseen AS old USING found
        WHERE measure = %(measure)s AND old.network = found.network AND found.first_day IS NULL
    )
    UPDATE console_firstseen AS old SET first_day = found.first_day FROM found
    WHERE measure = %(measure)s AND old.network = found.network AND found.first_day IS NOT NULL
"""


def run(seconds=None, progress=lambda number: None):
    """Counts until no note is left, or for so many seconds. Returns how many notes were taken; somebody else who
    counts just now is left alone. `progress` is told of notes as they are dealt with.
    """
    over, taken = seconds and time.monotonic() + seconds, 0
    while number := _step():
        taken += number
        progress(number)
        if over and time.monotonic() > over:
            break
    return taken


def rebuild():
    """Has everything counted again: what is there, and what was counted before. Returns how many hours are noted."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute(summing.ANEW)
        for table, at in {(each.table, each.at) for each in measures.every()}:
            cursor.execute(watching.note_all(table, at))
        for each in measures.every():
            cursor.execute(
                "INSERT INTO console_trafficnote (source, hour) SELECT DISTINCT %s, at FROM console_rollup "
                "WHERE measure = %s AND span = 'hour'",
                [each.table, each.name],
            )
        cursor.execute("SELECT count(*) FROM console_trafficnote")
        return cursor.fetchone()[0]


@transaction.atomic
def _step():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(_TAKE, [NOTES])
        notes = cursor.fetchall()
        touched = defaultdict(set)
        for source, hour in notes:
            touched[source].add(hour)
        for measure in measures.every():
            if hours := touched.get(measure.table):
                _count(cursor, measure, sorted(hours))
    return len(notes)


def _count(cursor, measure, hours):
    parts = {name: getattr(measure, name) for name in ("table", "at", "split", "condition", "address")}
    for start, stop in _runs(hours, HOUR):
        given = {"measure": measure.name, "start": start, "stop": stop, "span": Rollup.HOUR}
        cursor.execute(_ROLL_UP.format(counting=_HOURS.format(**parts)), given)
    for start, stop in _runs(sorted({hour.replace(hour=0) for hour in hours}), DAY):
        given = {"measure": measure.name, "start": start, "stop": stop, "span": Rollup.DAY}
        cursor.execute(_ROLL_UP.format(counting=_DAYS), given)
        if measure.address:
            _count_addresses(cursor, parts, given)


def _count_addresses(cursor, parts, given):
    days = {"first": given["start"].date(), "next": given["stop"].date(), "since": addresses_since()}
    cursor.execute(_ADDRESSES.format(network=NETWORK, **parts), given | days)
    if lost := [network for (network,) in cursor.fetchall()]:
        cursor.execute(_FIRST.format(**parts), given | {"networks": lost})


def _runs(moments, step):
    """`[(start, stop)]` that hold these moments and few others: a range each, as the planner knows ranges."""
    runs = []
    for moment in moments:
        if runs and moment - runs[-1][1] <= GAP * step:
            runs[-1][1] = moment + step
        else:
            runs.append([moment, moment + step])
    return runs


def addresses_since():
    """The first day of which addresses are kept."""
    days = settings.TRAFFIC_ADDRESS_DAYS
    today = timezone.now().date()
    return today - timedelta(days=days) if days else today.min
