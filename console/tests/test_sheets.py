"""Rows as CSV and Excel files: nothing becomes a formula, nothing is lost in silence, little is held in memory."""

import csv
import gc
import io
import tracemalloc
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from xml.etree import ElementTree

import pytest

from console import sheets

SPACE = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
EVIL = ["=1+1", "+1", "-1", "@sum(A1)", "\t=1", "\r=1", "\n=1", "＝1"]


def read_csv(batches, headings=("Name", "Number")):
    text = b"".join(sheets.as_csv("things", headings, batches)).decode()
    return list(csv.reader(io.StringIO(text, newline="")))


def read_xlsx(batches, headings=("Name", "Number")):
    """`[[rows of (type, formula or not, text, marked as text)] of each sheet]`."""
    book = zipfile.ZipFile(io.BytesIO(b"".join(sheets.as_xlsx("things", headings, batches))))
    quoted = [
        style.get("quotePrefix") == "1"
        for style in ElementTree.fromstring(book.read("xl/styles.xml")).findall("x:cellXfs/x:xf", SPACE)
    ]
    found = []
    for name in sorted(name for name in book.namelist() if name.startswith("xl/worksheets/sheet")):
        rows = ElementTree.fromstring(book.read(name)).findall(".//x:row", SPACE)
        found.append([[_cell(cell, quoted) for cell in row] for row in rows])
    return found


def _cell(cell, quoted):
    said = "".join(cell.itertext())
    return cell.get("t", "n"), cell.find("x:f", SPACE) is not None, said, quoted[int(cell.get("s", 0))]


@pytest.mark.parametrize("evil", EVIL)
def test_a_text_never_becomes_a_formula(evil):
    assert read_csv([[[evil, 1]]])[1] == [f"'{evil}", "1"]
    (sheet,) = read_xlsx([[[evil, 1]]])
    assert sheet[1][0] == ("inlineStr", False, evil.replace("\r", "_x000D_"), True)


def test_numbers_stay_numbers():
    assert read_csv([[["ada", -5], ["bea", 1.5]]])[1:] == [["ada", "-5"], ["bea", "1.5"]]
    (sheet,) = read_xlsx([[["ada", -5]]])
    assert sheet[1] == [("inlineStr", False, "ada", False), ("n", False, "-5", False)]


def test_numbers_that_excel_would_round_are_texts():
    (sheet,) = read_xlsx([[["ada", 12345678901234567890]]])
    assert sheet[1][1] == ("inlineStr", False, "12345678901234567890", False)


def test_moments_are_in_utc_and_nothing_is_nothing():
    moment = datetime(2026, 3, 29, 3, 30, tzinfo=timezone(timedelta(hours=2)))
    assert read_csv([[[moment, None], [True, False]]])[1:] == [["2026-03-29 01:30:00", ""], ["yes", "no"]]
    (sheet,) = read_xlsx([[[moment, None]]])
    excel_day = (datetime(2026, 3, 29, 1, 30, tzinfo=UTC) - datetime(1899, 12, 30, tzinfo=UTC)) / timedelta(days=1)
    assert float(sheet[1][0][2]) == pytest.approx(excel_day)


def test_what_excel_cannot_hold_is_cut_and_said():
    (sheet,) = read_xlsx([[["x" * 40_000, "a\0b\x1bc\ufffed"]]])
    long, odd = sheet[1]
    assert len(long[2]) == 32_767
    assert long[2].endswith("(cut, Excel holds no more)")
    assert odd[2] == "a\ufffdb\ufffdc\ufffdd"
    assert read_csv([[["x" * 40_000, 1]]])[1][0] == "x" * 40_000


def test_rows_go_on_on_another_sheet(monkeypatch):
    monkeypatch.setattr(sheets, "SHEET_ROWS", 4)
    first, second = read_xlsx([[[f"n{number}", number]] for number in range(5)])
    assert [row[0][2] for row in first] == ["Name", "n0", "n1", "n2"]
    assert [row[0][2] for row in second] == ["Name", "n3", "n4"]


def test_an_empty_list_is_a_file_with_headings():
    assert read_csv([]) == [["Name", "Number"]]
    assert [[cell[2] for cell in row] for row in read_xlsx([])[0]] == [["Name", "Number"]]


@pytest.mark.parametrize("write", [sheets.as_csv, sheets.as_xlsx])
def test_memory_does_not_grow_with_the_rows(write):
    def peak(batches):
        rows = ([[f"name {number}-{place}", place] for place in range(500)] for number in range(batches))
        tracemalloc.start()
        for _ in write("things", ("Name", "Number"), rows):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1)
    gc.collect()
    assert peak(40) < peak(4) + 1_000_000, "rows of 18,000 more would be several times that"


def test_csv_is_written_as_rows_are_read():
    read = []

    def batches():
        for number in range(3):
            read.append(number)
            yield [[number, number]]

    pieces = sheets.as_csv("things", ("Name", "Number"), batches())
    assert next(pieces) == b"Name,Number\r\n"
    assert read == []
    assert next(pieces) == b"0,0\r\n"
    assert read == [0]
