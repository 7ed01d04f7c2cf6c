"""The ledger as a file: every entry of every gesture that the list shows."""

from itertools import islice

from django.db.models import F
from django.http import QueryDict

from console import exports, ledger, personal, seal_export, telling
from console.exports import COUNTED
from console.ledgerpages import LedgerPage
from console.models import Entry

SEALS, LINES = "jsonl", 500
GESTURES = 500  # at a time; each may have a thousand entries and more


def with_seals(title, headings, batches):
    """The whole ledger in the order it was sealed, in pieces of some hundred lines."""
    lines = seal_export.lines()
    while piece := "".join(islice(lines, LINES)):
        yield piece.encode()


class LedgerExport(exports.ExportView):
    permission_required = telling.EXPORT
    page = LedgerPage
    noun = "ledger entries"
    hint = "JSON Lines holds the whole ledger, whatever the list shows, with the seals that prove it is as it was."
    formats = exports.FORMATS | {SEALS: ("JSON Lines", "application/x-ndjson", with_seals)}
    columns = (
        ("Entry", "pk"),
        ("At (UTC)", "at"),
        ("Login", "login"),
        ("Verb", "verb"),
        ("Target type", "target_type"),
        ("Target", "target_id"),
        ("Name", "name"),
        ("Reason", "reason"),
        ("Note", "words"),
        ("Gesture", "batch_id"),
        ("Undoes entry", "undoes_id"),
        ("Before", lambda entry: ledger.dumped(entry.before)),
        ("After", lambda entry: ledger.dumped(entry.after)),
        ("Request", "request_id"),
        ("Address", "address"),
    )

    def record(self, wanted):
        if wanted == SEALS:  # seals hold for all of it or for nothing
            self.narrow(QueryDict())
        return super().record(wanted)

    def count(self):
        gestures = self.filterset.matches.parts
        narrowed = any(part.query.where for part in gestures)
        found = Entry.objects.all()
        if narrowed:
            wanted = gestures[0].values("pk")
            found = found.filter(batch__in=wanted.union(*[part.values("pk") for part in gestures[1:]]))
        number = found.order_by()[: COUNTED + 1].count()
        return number if number <= COUNTED else None

    def batches(self):
        """Gestures in the list's order, the entries of some of them at a time."""
        newest_first, cursor = self.order.descending, ""
        while True:
            gestures, cursor = self.filterset.matches.page(self.order, cursor, GESTURES)
            told = [gesture for gesture in gestures if gesture != self.recorded.gesture.pk]  # but for this very export
            keys = Entry.objects.filter(batch__in=told).order_by("-pk" if newest_first else "pk")
            keys = list(keys.values_list("pk", flat=True)) if gestures else []
            for start in range(0, len(keys), exports.CHUNK):
                yield self.rows_of(keys[start : start + exports.CHUNK])
            if not cursor:
                return

    def rows_of(self, keys):
        entries = Entry.objects.annotate(login=F("actor__username")).in_bulk(keys)
        entries = [entries[key] for key in keys]
        names = personal.reveal({ref for entry in entries for ref in (entry.target_label, entry.note, entry.ip)})
        for entry in entries:
            entry.name = names.get(entry.target_label, "")
            entry.words = names.get(entry.note, "")
            entry.address = names.get(entry.ip, "")
        return [self.cells(entry) for entry in entries]
