"""The outbox: what portals are to be told, written with the entry of the change itself and held for the undo window.

A model says what a change of its rows means: `event_of(before, after)`, a name or ""; `EVENT_IDS` names the relations
whose ids go with it. An event undone inside the window is withdrawn; undone later, it is corrected by another. Which
of the two it is, the database's clock decides, under the lock of the row: `due` hands over nothing that could still
be withdrawn.
"""

import logging
from datetime import timedelta

from django.db import OperationalError, models, transaction
from django.utils import timezone

from console import jobcare, jobs, prepared
from console.models import Delivery, Event, Job

log = logging.getLogger("attendant.outbox")
KEEP = timedelta(days=30)  # afterwards nobody asks for it to be told again
BATCH = 5000
KIND = "console.sweep_events"

# parts of the statement that writes entries (console.ledger): it has `written`, with these columns, and `entry`
COLUMNS = "event text, payload jsonb, corrects uuid"
QUEUE = """
    INSERT INTO console_event (id, entry_id, name, target_type, target_id, payload, corrects, due_at)
    SELECT gen_random_uuid(), entry.id, event, target_type, target_id, payload, corrects,
        statement_timestamp() + %s * interval '1 second'
    FROM entry JOIN written USING (target_type, target_id) WHERE event IS NOT NULL
"""
_TAKE_BACK = """
    WITH undone AS (SELECT id, target_type, target_id, undoes_id FROM console_entry WHERE id = ANY(%s)),
    withdrawn AS (
        UPDATE console_event SET withdrawn_at = clock_timestamp() FROM undone
        WHERE entry_id = undone.id AND withdrawn_at IS NULL AND due_at > clock_timestamp()
        RETURNING console_event.id, entry_id
    )
    SELECT undone.id, told.id,
        EXISTS (SELECT FROM console_event WHERE entry_id = undone.id),
        EXISTS (SELECT FROM console_event WHERE entry_id = undone.undoes_id)
    FROM undone LEFT JOIN LATERAL (
        SELECT event.id FROM console_entry AS later JOIN console_event AS event ON event.entry_id = later.id
        WHERE later.target_type = undone.target_type AND later.target_id = undone.target_id
            AND later.id >= undone.id AND event.withdrawn_at IS NULL
            AND NOT EXISTS (SELECT FROM withdrawn WHERE withdrawn.id = event.id)
        ORDER BY later.id DESC LIMIT 1
    ) AS told ON true
"""
_NOTHING = {"event": None, "payload": None, "corrects": None}


def news(rows, befores, afters, undone=None):
    """For each of these changed rows what its entry takes along: `{event, payload, corrects}`, all None when portals
    are told nothing. `undone` holds the ids of the entries that are undone: their events are withdrawn while that is
    possible. The rows must be locked.
    """
    changes = list(zip(rows, befores, afters, strict=True))
    found = [_new(row, _meaning(row, before, after)) for row, before, after in changes]
    if not undone:
        return found
    meant = [_meaning(row, after, before) for row, before, after in changes]
    known = _take_back([pk for pk, each, was in zip(undone, found, meant, strict=True) if each["event"] or was])
    return [
        _corrected(each, bool(was), *known[pk]) if pk in known else each
        for each, was, pk in zip(found, meant, undone, strict=True)
    ]


def _corrected(news, meant, told, had_event, took_one_back):
    """After an undo: of what portals were told already, the opposite; of what they never were, nothing, unless it was
    taken back and is wanted again, or was swept away.
    """
    if told and news["event"]:
        return {**news, "corrects": told}
    return news if not had_event and (took_one_back or meant) else _NOTHING


def _take_back(entries):
    """`{entry id: (newest event since that stands, whether it had one, whether what it undid had one)}`."""
    if not entries:
        return {}
    with prepared.cursor() as cursor:
        cursor.execute(_TAKE_BACK, [entries])
        return {pk: rest for pk, *rest in cursor.fetchall()}


def _meaning(row, before, after):
    event_of = getattr(row, "event_of", None)
    return event_of(before, after) if event_of and after else ""


def _new(row, name):
    if not name:
        return _NOTHING
    ids = {each: getattr(row, row._meta.get_field(each).attname) for each in getattr(row, "EVENT_IDS", ())}
    return {**_NOTHING, "event": name, "payload": {row._meta.model_name: row.pk, **ids}}


def due(limit=100):
    """Events whose window is over and that nobody has given out yet, oldest first, locked for the caller's transaction;
    others skip them meanwhile.

    Of one target they come in the order in which it changed. What is younger than the oldest open transaction waits:
    that may yet bring something earlier.
    """
    settled = models.Func(models.Func(function="pg_current_snapshot"), function="pg_snapshot_xmin")
    events = Event.objects.select_for_update(skip_locked=True).filter(
        withdrawn_at=None, dispatched_at=None, due_at__lte=_clock()
    )
    return list(events.filter(xid__lt=settled).order_by("due_at", "entry")[:limit])


def _clock():
    return models.Func(function="clock_timestamp", output_field=models.DateTimeField())


_listeners = []


def on_due(listener):
    """`listener(events)` is called with each batch of events that is given out (a queryset, in their order), inside the
    transaction that marks them so: what it writes is written once, whatever happens. It is quick and sends nothing.
    """
    _listeners.append(listener)


def given_out(keys):
    """For whoever gives out events, of those with these keys, inside the transaction in which it does.

    A listener that stumbles over one holds up nobody else: that is logged, and what it wrote of this batch is dropped.
    When the database is what stands in its way the whole batch comes again.
    """
    for listener in _listeners if keys else ():
        try:
            with transaction.atomic():
                listener(Event.objects.filter(pk__in=keys).order_by("due_at", "entry"))
        except OperationalError:
            raise
        except Exception:
            log.exception("%d events were not heard by %s", len(keys), listener.__module__)


def _run(claim):
    claim.finish(swept=sweep(check=claim.check), jobs=jobcare.sweep(check=claim.check))


def register():
    jobs.register(jobs.Kind(KIND, _run, label="Remove old events and jobs"))


def begin():
    """Asks for a round of sweeping, unless one is on its way."""
    if not Job.objects.filter(kind=KIND, state__in=Job.OPEN).exists():
        jobs.enqueue(KIND, [{}])


def sweep(now=None, check=lambda: None):
    """Removes what is older than KEEP with its deliveries, some at a time. Returns how many events; `check()` may
    raise, to end it there.
    """
    before = (now or timezone.now()) - KEEP
    _remove(Delivery.objects.filter(event=None, at__lt=before), check)  # tests of endpoints
    return _remove(Event.objects.filter(at__lt=before), check)


def _remove(old, check):
    removed = 0
    while keys := list(old.values_list("pk", flat=True)[:BATCH]):
        removed += old.model.objects.filter(pk__in=keys).delete()[1][old.model._meta.label]
        check()
    return removed
