"""Lists leave the console as files: what the list at hand shows, all pages, in its order, and always on record."""

from datetime import UTC

from django.db import transaction
from django.http import StreamingHttpResponse
from django.utils import timezone

from console import sheets
from console.actions import hand_out
from console.base import ConsoleView, clean_query, in_dialog, with_params
from console.models import Export

CHUNK = 2_000  # rows a statement: each is short, and no transaction stays open while somebody downloads
COUNTED = 10_000  # the record says how many rows there were, up to here
CSV, XLSX = "csv", "xlsx"
FORMATS = {
    CSV: ("CSV", "text/csv; charset=utf-8", sheets.as_csv),
    XLSX: ("Excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", sheets.as_xlsx),
}
UNKNOWN = "Choose one of the formats on offer. Nothing was exported."


class ExportView(ConsoleView):
    """GET asks for the format, POST puts the export on record, then streams it.

    `page` is the ListPage whose rows these are: the same query string gives the same rows in the same order. `noun`
    names them in the plural; `columns` are pairs of a heading and a field's name or a function of the row. A row that
    changes meanwhile, in what the list is sorted by, may come twice or not at all: nothing is locked.
    """

    template_name = "console/export.html"
    page = None
    noun = ""
    columns = ()
    hint = ""  # what else the page says about the formats
    formats = FORMATS  # {name: (label, content type, function of title, headings and batches that yields bytes)}

    def prepare(self):
        self.list = self.page()
        self.list.setup(self.request, *self.args, **self.kwargs)
        query = clean_query(self.request.GET, self.page.filterset_class.defaults)
        self.narrow(with_params(query, format="", per=""))

    def narrow(self, query):
        self.query = query
        self.filterset = self.page.filterset_class(query, self.list.get_queryset(), request=self.request)

    @property
    def order(self):
        values = self.filterset.form.cleaned_data
        return next((o for o in self.page.orders if o.name == values.get("order")), self.page.orders[0])

    def load(self, keys):
        """The rows with these primary keys, in this order, with what the columns need."""
        return self.list.load(keys)

    def count(self):
        """How many rows there are, or None for very many."""
        number = self.filterset.matches.count(COUNTED)
        return number if number <= COUNTED else None

    def batches(self):
        """Rows as lists of values, CHUNK at a time."""
        cursor = ""
        while True:
            keys, cursor = self.filterset.matches.page(self.order, cursor, CHUNK)
            yield [self.cells(row) for row in self.load(keys)] if keys else []
            if not cursor:
                return

    def cells(self, row):
        return [column(row) if callable(column) else getattr(row, column) for _, column in self.columns]

    def get_context_data(self, **kwargs):
        valid = self.filterset.is_valid()
        back = self.request.path.removesuffix("export/")
        return super().get_context_data(
            filter=self.filterset,
            noun=self.noun,
            number=self.count() if valid else None,
            most=COUNTED,
            hint=self.hint,
            formats=[(name, each[0]) for name, each in self.formats.items()],
            action=f"{self.request.path}?{self.query.urlencode()}",
            here=f"{back}?{self.query.urlencode()}" if self.query else back,
            in_dialog=in_dialog(self.request),
            **kwargs,
        )

    def post(self, request, *args, **kwargs):
        wanted = request.POST.get("format") or request.GET.get("format") or CSV
        if wanted not in self.formats or not self.filterset.is_valid():
            problem = "" if wanted in self.formats else UNKNOWN
            return self.render_to_response(self.get_context_data(problem=problem), status=422)
        self.recorded = self.record(wanted)
        _, content_type, write = self.formats[wanted]
        headings = [heading for heading, _ in self.columns]
        response = StreamingHttpResponse(write(self.noun, headings, self.batches()), content_type=content_type)
        name = f"{self.noun.replace(' ', '-')}-{timezone.now().astimezone(UTC):%Y-%m-%d}.{wanted}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    def record(self, wanted):
        """The Outcome of the verb, before the first byte leaves.

        The form's key is not looked at: whatever leaves twice is on record twice. The filter may name somebody, so it
        is the gesture's note, which the ledger points at and does not hold.
        """
        with transaction.atomic():
            return hand_out(
                Export.objects.create(),
                by=self.request.user,
                note=self.query.urlencode(),
                origin=self.origin,
                what=self.noun,
                format=wanted,
                number=self.count(),
            )
