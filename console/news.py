"""What portals are told of events: `{"type", "timestamp", "data"}`, and `corrects` where an undo made an earlier one
untrue.

An event in the outbox holds ids of ours and nothing else. What they mean outside is said when it is told: each app
registers for its models a function that says it for many events at once.
"""

from collections import defaultdict
from datetime import UTC

from console.models import Entry

_describers = {}


def describer(label, function):
    """Registers who describes events about rows of a model ("moderation.comment"): `function(events)` returns
    `{event id: data}`, by a number of queries that does not depend on theirs; each event carries its `reason`.
    """
    _describers[label] = function


def described(events):
    """For each of these console.models.Event, in this order, what portals are told: a dict of plain values."""
    reasons = dict(Entry.objects.filter(pk__in=[event.entry_id for event in events]).values_list("pk", "reason"))
    by_target = defaultdict(list)
    for event in events:
        event.reason = reasons.get(event.entry_id) or None
        by_target[event.target_type].append(event)
    data = {}
    for label, several in by_target.items():
        data |= _describers[label](several) if label in _describers else {}
    return [_told(event, data.get(event.pk, {})) for event in events]


def _told(event, data):
    told = {"type": event.name, "timestamp": moment(event.at), "data": data}
    return told | {"corrects": str(event.corrects)} if event.corrects else told


def moment(at):
    """A moment as portals are given it, or None."""
    return at and at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def ids(events, name):
    """The ids of rows of this kind that these events are about or have with them."""
    return {event.payload[name] for event in events if event.payload.get(name)}
