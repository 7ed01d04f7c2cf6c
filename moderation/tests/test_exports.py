"""Lists leave as files: exactly what the list shows, in bounded pieces, harmless to spreadsheets, and on record."""

import csv
import io
import json
import zipfile

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from console import ledgerexport
from console.exporting import sources
from console.models import Entry, Export, Personal
from console.undo import may_undo
from moderation import actions
from moderation.testing import make_comment, make_player

URL = "/manage/ledger/export/"


@pytest.fixture
def deeds(moses, lea):
    actions.reject([make_comment() for _ in range(3)], by=moses.user, reason="spam", note="=HYPERLINK(1)")
    actions.ban(make_player(username="@ada"), by=lea.user, reason="hate", reject_pending=False)


def taken(person, query="", wanted="csv"):
    response = person.post(f"{URL}?{query}", {"format": wanted})
    assert response.status_code == 200
    return b"".join(response)


def lines(person, query=""):
    return list(csv.DictReader(io.StringIO(taken(person, query).decode(), newline="")))


def test_every_entry_leaves_in_the_order_of_the_list(lea, deeds):
    entries = Entry.objects.order_by("pk").values_list("pk", flat=True)
    there = list(entries)  # all but that of the export itself
    assert [int(line["Entry"]) for line in lines(lea)] == there[::-1]
    there = list(entries.all())
    found = lines(lea, "order=oldest")
    first = found[0]
    assert [int(line["Entry"]) for line in found] == there
    assert (first["Login"], first["Verb"], first["Target type"]) == ("moses", "comment.reject", "moderation.comment")
    assert json.loads(first["After"]) == {"status": "rejected"}


@pytest.mark.parametrize(("query", "number"), [("actor=moses", 3), ("verb=player.ban", 2), ("q=nothing", 0)])
def test_filters_hold_for_the_export(lea, deeds, query, number):
    assert len(lines(lea, query)) == number
    assert f"{number} rows" in lea.get(f"{URL}?{query}").text
    assert Export.objects.get().number == number


def test_the_number_of_rows_on_a_page_is_no_filter(lea, deeds):
    assert len(lines(lea, "per=25&after=x")) == 5


def test_cells_are_harmless(lea, deeds):
    notes, names = ({line[heading] for line in lines(lea)} for heading in ("Note", "Name"))
    assert "'=HYPERLINK(1)" in notes
    assert "'@ada" in names
    book = zipfile.ZipFile(io.BytesIO(taken(lea, wanted="xlsx")))
    sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "=HYPERLINK(1)" in sheet


@pytest.mark.parametrize("wanted", ["csv", "xlsx"])
def test_each_export_is_on_record_before_the_first_byte(lea, deeds, wanted):
    before = Entry.objects.count()
    response = lea.post(f"{URL}?actor=moses", {"format": wanted})  # nobody has read a byte of it
    entry = Entry.objects.get(verb="export.hand_out")
    assert Entry.objects.count() == before + 1
    assert response["Content-Disposition"].startswith('attachment; filename="ledger-entries-20')
    assert response["Content-Disposition"].endswith(f'.{wanted}"')
    assert entry.actor == lea.user
    assert entry.after["what"] == "ledger entries"
    assert entry.after["format"] == wanted
    assert entry.after["number"] == 3
    assert Personal.objects.get(ref=entry.note).value == "actor=moses"
    assert not may_undo(lea.user, entry.batch)
    assert "list of ledger entries as" in lea.get("/manage/ledger/").text
    response.close()


def test_the_filter_is_not_in_the_ledger_itself(lea, deeds):
    lines(lea, "q=ada%40example.com")
    for row in (*Entry.objects.values(), *Export.objects.values()):
        assert "ada@" not in json.dumps(row, default=str)
        assert "ada%40" not in json.dumps(row, default=str)


def test_twice_is_two_entries(lea, deeds):
    for _ in range(2):
        lines(lea)
    assert Entry.objects.filter(verb="export.hand_out").count() == 2


@pytest.mark.parametrize(("who", "status"), [("moses", 403), ("rita", 403), ("sam", 403), ("ann", 200), ("olga", 200)])
def test_who_may_export(request, deeds, who, status):
    person = request.getfixturevalue(who)
    assert person.get(URL).status_code == status
    assert person.post(URL, {"format": "csv"}).status_code == status
    assert Export.objects.count() == (status == 200)


@pytest.mark.parametrize("who", ["moses", "ann"])
def test_the_way_to_the_export_is_shown_to_those_who_may(request, deeds, who):
    assert (reverse("console:export") in request.getfixturevalue(who).get("/manage/ledger/").text) == (who == "ann")


def test_looking_changes_nothing(lea, deeds):
    lea.get(f"{URL}?format=csv")
    assert Export.objects.count() == 0


@pytest.mark.parametrize(("query", "wanted"), [("", "pdf"), ("status=odd", "csv"), ("network=x", "xlsx")])
def test_what_makes_no_sense_is_refused_in_words(lea, deeds, query, wanted):
    response = lea.post(f"{URL}?{query}", {"format": wanted})
    assert response.status_code == 422
    assert 'role="alert"' in response.text
    assert Export.objects.count() == 0


def test_undo_of_an_export_is_refused(olga, deeds):
    lines(olga)
    entry = Entry.objects.get(verb="export.hand_out")
    assert "What has left the console cannot be called back." in olga.get(entry.get_absolute_url()).text
    response = olga.post(
        entry.get_undo_url(), {"version": 0, "idempotency_key": "3b241101-e2bb-4255-8caf-4136c566a962"}
    )
    assert response.status_code == 403
    assert "cannot be called back" in response.text


def test_rows_are_read_in_pieces(lea, moses, monkeypatch):
    actions.approve([make_comment() for _ in range(40)], by=moses.user)
    for _ in range(4):
        actions.approve(make_comment(), by=moses.user)
    monkeypatch.setattr(sources, "CHUNK", 10)
    monkeypatch.setattr(ledgerexport, "GESTURES", 2)
    response = lea.post(f"{URL}?actor=moses", {"format": "csv"})
    sizes, statements = [], []
    with CaptureQueriesContext(connection) as captured:
        for piece in response:
            sizes.append(len(piece.decode().splitlines()))
            statements.append(len(captured))
    assert sum(sizes) == 45
    assert max(sizes) <= 10
    assert statements[0] == 0  # the headings need none
    assert statements == sorted(statements)
    assert len(set(statements)) == len(statements)


def test_the_whole_ledger_leaves_with_its_seals(ann, deeds):
    said = [json.loads(line) for line in taken(ann, "actor=nobody", "jsonl").decode().splitlines()]
    assert "ledger" in said[0]
    assert {line["entry"] for line in said if "entry" in line} == set(Entry.objects.values_list("pk", flat=True))
    entry = Entry.objects.get(verb="export.hand_out")
    assert (entry.note, entry.after["format"], entry.after["number"]) == ("", "jsonl", Entry.objects.count() - 1)
