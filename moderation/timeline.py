"""What the ledger says about something, as its page tells it."""

from console import ledger, masking, verbs
from console.models import Gesture
from console.undo import may_undo
from moderation.models import Reason


def reason_labels():
    """`{code: label}` of the canned reasons."""
    return dict(Reason.objects.values_list("code", "label"))


def told(user, *rows):
    """What the ledger says about these rows, newest first, a line for each gesture: notes, reasons and objects in
    words, and whether this person may undo it.
    """
    entries = {entry.batch_id: entry for entry in reversed(ledger.entries_on(*rows)[:50])}
    entries = sorted(entries.values(), key=lambda entry: -entry.pk)
    words = masking.reveal([entry.note for entry in entries], user)
    labels = reason_labels()
    undone = set(
        Gesture.objects.filter(undoes__in=[entry.batch_id for entry in entries]).values_list("undoes_id", flat=True)
    )
    for entry in entries:
        entry.words = words.get(entry.note, "")
        entry.because = labels.get(entry.reason, entry.reason)
        entry.declared = verbs.get(entry.verb)
        entry.undoable = entry.declared and entry.batch_id not in undone and may_undo(user, entry.batch)
        if entry.declared and entry.declared.model.lower() != entry.target_type:  # a cascade
            entry.about = f"the {verbs.model_of(entry.declared.model)._meta.verbose_name}"
        elif not entry.is_about(rows[0]):
            entry.about = next((str(row) for row in rows if entry.is_about(row)), "")
    return entries
