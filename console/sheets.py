"""Rows as files, batch by batch in bounded memory: CSV and Excel.

Spreadsheets take some texts for formulas (OWASP, CSV injection). In CSV those get an apostrophe in front; in Excel
they are marked as text, which shows them as they are. Numbers stay numbers.
"""

import csv
import io
import re
import tempfile
from datetime import UTC, datetime
from decimal import Decimal

from xlsxwriter import Workbook

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
NUMBERS = (int, float, Decimal)
SHEET_ROWS, CELL_CHARS = 1_048_576, 32_767  # what Excel can hold
CUT = "… (cut, Excel holds no more)"
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # what XML cannot hold
_READ = 64 * 1024


def text(value):
    """A value that is no number, in words: moments in UTC, yes and no, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    return str(value)


def is_number(value):
    return isinstance(value, NUMBERS) and not isinstance(value, bool)


def harmless(value):
    """The value for a CSV cell, so that no spreadsheet takes it for a formula."""
    if is_number(value):
        return value
    said = text(value)
    return f"'{said}" if said.startswith(FORMULA) else said


def as_csv(title, headings, batches, folder=None):
    """Bytes of a CSV file in UTF-8, a piece for each of the batches (lists of rows, which are lists of values)."""
    yield _lines([headings])
    for batch in batches:
        yield _lines(batch)


def _lines(rows):
    lines = io.StringIO()
    csv.writer(lines).writerows([harmless(value) for value in row] for row in rows)
    return lines.getvalue().encode("utf-8", "replace")


def as_xlsx(title, headings, batches, folder=None):
    """Bytes of an Excel file; rows wait on disk (below `folder`, if given) until the last is there. What a sheet cannot
    hold goes to another.
    """
    temporary = tempfile.TemporaryDirectory(prefix="attendant-export-", dir=folder)
    with temporary as parts, tempfile.TemporaryFile(dir=folder) as file:
        options = {"constant_memory": True, "tmpdir": parts, "strings_to_urls": False, "strings_to_formulas": False}
        book = Workbook(file, options)
        book.use_zip64()
        _Sheets(book, title, headings).write(batches)
        book.close()
        file.seek(0)
        while piece := file.read(_READ):
            yield piece


class _Sheets:
    """The sheets of a book, one after the other, each with the headings on top."""

    def __init__(self, book, title, headings):
        self.book, self.title, self.headings = book, title, headings
        self.bold = book.add_format({"bold": True})
        self.quoted = book.add_format({"quote_prefix": True})
        self.moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self.number, self.line, self.sheet = 0, SHEET_ROWS, None

    def write(self, batches):
        self._begin()
        for batch in batches:
            for row in batch:
                if self.line == SHEET_ROWS:
                    self._begin()
                for place, value in enumerate(row):
                    self._cell(place, value)
                self.line += 1

    def _begin(self):
        self.number += 1
        self.sheet = self.book.add_worksheet(f"{self.title[:25].capitalize()} {self.number}")
        self.sheet.freeze_panes(1, 0)
        self.sheet.set_column(0, len(self.headings) - 1, 18)
        self.sheet.write_row(0, 0, self.headings, self.bold)
        self.line = 1

    def _cell(self, place, value):
        if is_number(value) and abs(value) < 10**15:  # beyond, Excel would round the last digits away
            self.sheet.write_number(self.line, place, value)
        elif isinstance(value, datetime) and value.year >= 1900:
            self.sheet.write_datetime(self.line, place, value.astimezone(UTC).replace(tzinfo=None), self.moment)
        else:
            said = storable(text(value))
            self.sheet.write_string(self.line, place, said, self.quoted if said.startswith(FORMULA) else None)


def storable(said):
    """The text as an Excel cell can hold it: what XML has no room for becomes �, and an end that is too much is cut."""
    said = _UNPRINTABLE.sub("\ufffd", said)
    return said if len(said) <= CELL_CHARS else said[: CELL_CHARS - len(CUT)] + CUT
