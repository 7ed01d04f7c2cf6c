"""What can be exported: the rows of a list for one person, by one query. It knows of no request, so that a page can
stream it and a worker can write it, and both write the same.
"""

from dataclasses import dataclass
from datetime import UTC

from django.db.models import QuerySet
from django.http import QueryDict

from console import masking, sheets
from console.keyset import Order

CHUNK = 2_000  # rows a statement: each is short, and no transaction stays open while somebody downloads
ALL_OF_THEM = 1_000_000_000


@dataclass(frozen=True)
class Format:
    """`write(title, headings, batches, folder)` yields the bytes of a file; what waits on a disk is in `folder`."""

    label: str
    content_type: str
    write: object = None


CSV, XLSX = "csv", "xlsx"
FORMATS = {
    CSV: Format("CSV", "text/csv; charset=utf-8", sheets.as_csv),
    XLSX: Format("Excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", sheets.as_xlsx),
}
_sources = {}


def register(source):
    """Lets jobs write what this subclass of Source stands for."""
    _sources[source.name] = source


def get(name):
    """The registered subclass of Source, or None."""
    return _sources.get(name)


class Source:
    """`page` is the ListPage whose filter and orders these are: the same query (a QueryDict) gives the same rows in the
    same order. `noun` names them in the plural; `columns` are pairs of a heading and a field's name or a function of
    the row. `permission` is what it takes, `also` permissions that widen what is in the file. `name` and `url` (of the
    page where it is asked for) are for those that may be large.

    A row that changes meanwhile, in what the list is sorted by, may come twice or not at all: nothing is locked.
    `step(written)` is called between statements; `own` is the gesture that asked for the file, if it is to tell.
    """

    name, url = "", ""
    permission, also = "", ()
    page = None
    noun = ""
    columns = ()
    formats = FORMATS

    def __init__(self, user, query=None, step=lambda written: None):
        self.user, self.step = user, step
        self.written, self.own, self.format = 0, None, CSV
        self.narrow(QueryDict() if query is None else query)

    def narrow(self, query):
        self.query = query
        self.filterset = self.page.filterset_class(query, self.get_queryset(), by=self.user)

    def choose(self, wanted):
        """Sets the format; for subclasses, in which some formats hold another part of the list."""
        self.format = wanted

    def get_queryset(self) -> QuerySet:
        """What is filtered and ordered, for this person."""
        raise NotImplementedError

    def load(self, keys):
        """The rows with these primary keys, in this order, with what the columns need."""
        raise NotImplementedError

    def is_valid(self):
        return self.filterset.is_valid()

    def held(self):
        """The permissions of this person that decide what is in the file."""
        wanted = (self.permission, *self.also, *masking.guards())
        return [permission for permission in wanted if self.user.has_perm(permission)]

    @property
    def order(self) -> Order:
        values = self.filterset.form.cleaned_data
        return next((o for o in self.page.orders if o.name == values.get("order")), self.page.orders[0])

    def count(self, most=ALL_OF_THEM):
        """How many rows there are; stops counting behind `most`."""
        return self.filterset.matches.count(most)

    def pieces(self, folder=None):
        """The bytes of the file, piece by piece."""
        headings = [heading for heading, _ in self.columns]
        return self.formats[self.format].write(self.noun, headings, self.counted(), folder)

    def counted(self):
        for batch in self.batches():
            self.step(self.written)
            yield batch
            self.written += len(batch)

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

    def file_name(self, at):
        return f"{self.noun.replace(' ', '-')}-{at.astimezone(UTC):%Y-%m-%d}.{self.format}"
