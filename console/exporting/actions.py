"""Verbs on exports that a job writes: they are asked for, and may be cancelled; console.actions hands them out."""

from django.db import transaction
from django.utils import timezone

from console import jobs
from console.ledger import Conflict
from console.models import Export, Gesture, Job, User
from console.verbs import verb

EXPORT, KIND = "console.Export", "console.export"
ENTER = "console.enter_console"  # each export's page names its own
MOST_OPEN = 3  # of one person: files of many rows take a worker's time, and room
ENOUGH = "Three of your exports are on their way. Wait for one of them, or cancel it; then ask again."


@verb(
    "export.ask",
    label="Ask for an export",
    past="asked for",
    model=EXPORT,
    permission=ENTER,
    legal=lambda export: export.asked_at is None,
    icon="download",
    by_hand=False,
    final="Who asked for what stays on record. The export itself can be cancelled while it is being written.",
)
def ask(exports, act, what="a list", format="csv"):
    """Says who asked for what; the filter is the note. A job writes the file."""
    act.change(exports, what=what, format=format, asked_at=timezone.now())
    made = jobs.enqueue(KIND, [{"export": export.pk} for export in exports], by=act.by)
    for export, job in zip(exports, made, strict=True):
        export.job = job
    Export.objects.bulk_update(exports, ["job"])


@verb(
    "export.cancel",
    label="Cancel",
    past="cancelled",
    model=EXPORT,
    permission=ENTER,
    legal=lambda export: export.asked_at is not None and export.is_open,
    icon="x",
    final="What was cancelled is not written. Ask for the export again.",
)
def cancel(exports, act):
    act.change(exports, cancelled_at=timezone.now())
    jobs.cancel(Job.objects.filter(pk__in=[export.job_id for export in exports]))


BY_HAND = (cancel,)


def told(source, by, origin):
    """What the verbs that begin an export are given. The filter may name somebody, so it is the gesture's note, which
    the ledger points at and does not hold.
    """
    about = {"what": source.noun, "format": source.format}
    return {"by": by, "note": source.query.urlencode(), "origin": origin, **about}


@transaction.atomic
def ask_for(source, *, by, key, origin):
    """A new export of this, to be written by a job. Returns the console.verbs.Outcome, of the earlier one for a form
    that came before. Raises Conflict when the person has asked for enough, and what verbs raise.
    """
    User.objects.select_for_update(of=("self",), no_key=True).get(pk=by.pk)  # so that two clicks count each other
    asked = {"source": source.name, "format": source.format, "query": source.query.urlencode()}
    is_new = not Gesture.objects.filter(actor=by, idempotency_key=key).exists()
    if is_new and Export.objects.filter(owner=by, job__state__in=Job.OPEN).count() >= MOST_OPEN:
        raise Conflict(ENOUGH)
    export = Export.objects.create(owner=by, source=source.name) if is_new else Export(pk=0)
    return ask(export, key=key, asked=asked, **told(source, by, origin))
