"""The ledger as a file: every entry of every gesture that the list shows."""

from itertools import islice

from django.db.models import F
from django.http import QueryDict

from console import exports, ledger, masking, sealexport, telling
from console.exporting import sources
from console.exporting.sources import ALL_OF_THEM, FORMATS, Format, Source
from console.ledgerpages import LedgerPage
from console.models import Entry

SEALS, LINES = "jsonl", 500
GESTURES = 500  # at a time; each may have a thousand entries and more


class LedgerSource(Source):
    name, url = "ledger", "console:export"
    permission, also = telling.EXPORT, (telling.ALL,)
    page = LedgerPage
    noun = "ledger entries"
    formats = FORMATS | {SEALS: Format("JSON Lines", "application/x-ndjson")}
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

    def get_queryset(self):
        return telling.gestures_for(self.user)

    def choose(self, wanted):
        super().choose(wanted)
        if wanted == SEALS:  # seals hold for all of it or for nothing
            self.narrow(QueryDict())

    def count(self, most=ALL_OF_THEM):
        gestures = self.filterset.matches.parts
        narrowed = any(part.query.where for part in gestures)
        found = Entry.objects.all()
        if narrowed:
            wanted = gestures[0].values("pk")
            found = found.filter(batch__in=wanted.union(*[part.values("pk") for part in gestures[1:]]))
        return found.order_by()[: most + 1].count()

    def pieces(self, folder=None):
        return self.with_seals() if self.format == SEALS else super().pieces(folder)

    def with_seals(self):
        """The whole ledger in the order it was sealed, in pieces of some hundred lines."""
        lines = sealexport.lines()
        while piece := list(islice(lines, LINES)):
            self.step(self.written)
            yield "".join(piece).encode()
            self.written += sum(line.startswith('{"entry"') for line in piece)

    def batches(self):
        """Gestures in the list's order, the entries of some of them at a time."""
        newest_first, cursor = self.order.descending, ""
        while True:
            gestures, cursor = self.filterset.matches.page(self.order, cursor, GESTURES)
            told = [gesture for gesture in gestures if gesture != self.own]  # but for this very export
            keys = Entry.objects.filter(batch__in=told).order_by("-pk" if newest_first else "pk")
            keys = list(keys.values_list("pk", flat=True)) if gestures else []
            for start in range(0, len(keys), sources.CHUNK):
                yield self.rows_of(keys[start : start + sources.CHUNK])
            if not cursor:
                return

    def rows_of(self, keys):
        entries = Entry.objects.annotate(login=F("actor__username")).in_bulk(keys)
        entries = [entries[key] for key in keys]
        refs = {ref for entry in entries for ref in (entry.target_label, entry.note, entry.ip)}
        names = masking.reveal(refs, self.user)
        for entry in entries:
            entry.name = names.get(entry.target_label, "")
            entry.words = names.get(entry.note, "")
            entry.address = names.get(entry.ip, "")
        return [self.cells(entry) for entry in entries]


class LedgerExport(exports.ExportView):
    permission_required = telling.EXPORT
    source_class = LedgerSource
    hint = "JSON Lines holds the whole ledger, whatever the list shows, with the seals that prove it is as it was."
