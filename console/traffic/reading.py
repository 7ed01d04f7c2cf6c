"""Reads what was counted (console.traffic.counting), by few statements whatever the time asked for."""

from collections import defaultdict
from dataclasses import dataclass

from django.db import connection

from console.traffic import measures
from console.traffic.counting import addresses_since
from console.traffic.forms import HOUR
from console.traffic.models import Rollup, TrafficNote
from console.traffic.summing import IS_WHOLE

MOST = 10  # lines of a table
LIKELY = 1_000  # who brought most on all days that are kept: most often the most of some of these days are among them
BEFORE = -1  # a column for all that came before the first
_NUMBERS = """
    SELECT measure, part, greatest(floor(extract(epoch FROM at - %(start)s) / %(step_s)s), %(is_before)s)::int AS place,
        sum(number)::bigint
    FROM console_rollup WHERE span = %(kind)s AND at >= %(before)s AND at < %(end)s GROUP BY measure, part, place
"""
_DAYS = "day BETWEEN %(kept)s AND %(last)s"
# nobody brought more on some days than on all: when the last line is above all who were not looked at, it is the last
_TABLES = f"""
    WITH likely AS MATERIALIZED (
        SELECT address, total.number AS at_most, coalesce((
            SELECT sum(number) FROM console_addressrollup AS rolled WHERE rolled.address = total.address AND {_DAYS}
        ), 0) AS number
        FROM (SELECT * FROM console_addresstotal ORDER BY number DESC, address LIMIT %(likely)s) AS total
    ), sure AS MATERIALIZED (
        SELECT count(*) < %(likely)s
            OR min(at_most) < coalesce((SELECT number FROM likely ORDER BY number DESC OFFSET %(most)s - 1 LIMIT 1), 0)
            AS is_so
        FROM likely
    ), addresses AS (
        SELECT address, number FROM likely WHERE number > 0 AND (SELECT is_so FROM sure)
        UNION ALL
        SELECT address, sum(number) FROM console_addressrollup
        WHERE {_DAYS} AND {IS_WHOLE} AND NOT (SELECT is_so FROM sure) GROUP BY address
    ), networks AS MATERIALIZED (
        SELECT network, sum(number) AS number FROM console_networkrollup WHERE {_DAYS} GROUP BY network
    ), fresh AS (
        SELECT network, min(first_day) AS first_day FROM console_firstseen AS seen
        WHERE first_day BETWEEN %(first)s AND %(last)s AND NOT EXISTS (
            SELECT FROM console_firstseen AS other WHERE other.network = seen.network AND other.first_day < %(first)s
        ) GROUP BY network
    ), lines AS (
        (SELECT 'addresses' AS name, 1 AS place, address AS source, number, NULL::date AS first_day, 0 AS fresh
            FROM addresses ORDER BY number DESC, address LIMIT %(most)s)
        UNION ALL (SELECT 'networks', 2, network, number, NULL, 0 FROM networks
            ORDER BY number DESC, network LIMIT %(most)s)
        UNION ALL (SELECT 'new', 3, network, coalesce(number, 0), first_day, count(*) OVER () FROM fresh
            LEFT JOIN networks USING (network) ORDER BY number DESC NULLS LAST, first_day DESC, network LIMIT %(most)s)
    )
    SELECT name, CASE name WHEN 'addresses' THEN host(source) ELSE source::text END AS written, number::bigint, (
        SELECT json_object_agg(measure, number) FROM (
            SELECT measure, sum(number) AS number FROM (
                SELECT measure, number FROM console_addressrollup
                WHERE name = 'addresses' AND address = source AND {_DAYS}
                UNION ALL
                SELECT measure, number FROM console_networkrollup
                WHERE name <> 'addresses' AND network = source AND {_DAYS}
            ) AS rolled GROUP BY measure
        ) AS split
    ), first_day, fresh
    FROM lines ORDER BY place, lines.number DESC, first_day DESC, lines.source
"""


@dataclass(frozen=True)
class Line:
    """An address or network, how many came from there in all, and of each measure that counts addresses."""

    address: str
    total: int
    numbers: list
    first_day: object = None


@dataclass(frozen=True)
class Addresses:
    """The most seen addresses and networks of these days, and networks never seen before (`fresh` in all)."""

    first: object
    last: object
    measures: list
    addresses: list
    networks: list
    new: list
    fresh: int


def as_of():
    """When the oldest of what waits to be counted came; None when nothing waits."""
    return TrafficNote.objects.order_by("pk").values_list("at", flat=True).first()


def numbers(span):
    """`{measure: {part: {column: number}}}` by the place of a column of the span, and BEFORE for what came in the time
    of the same length before it.
    """
    found = defaultdict(lambda: defaultdict(dict))
    given = {"kind": Rollup.HOUR if span.is_hourly else Rollup.DAY, "step_s": int(span.step.total_seconds())}
    given |= {"before": span.before, "start": span.start, "end": span.end, "is_before": BEFORE}
    with connection.cursor() as cursor:
        cursor.execute(_NUMBERS, given)
        for measure, part, column, number in cursor.fetchall():
            found[measure][part][column] = number
    return found


def addresses(span):
    """The Addresses of the days that the span touches, as far as addresses are kept."""
    counted = measures.of_addresses()
    first, last = span.start.date(), (span.end - HOUR).date()
    given = {"first": first, "kept": max(first, addresses_since()), "last": last, "most": MOST, "likely": LIKELY}
    with connection.cursor() as cursor:
        cursor.execute(_TABLES, given)
        rows = cursor.fetchall()
    tables = {"addresses": [], "networks": [], "new": []}
    for table, address, total, split, day, _ in rows:
        numbers = [(split or {}).get(each.name, 0) for each in counted]
        tables[table].append(Line(address, total, numbers, day))
    fresh = next((number for table, *_, number in rows if table == "new"), 0)
    return Addresses(given["kept"], last, counted, fresh=fresh, **tables)
