"""Heads in a second place, and exports that are checked without the console."""

import json
import logging

import pytest

from console import anchor, sealexport, tasks
from console.models import Seal
from console.tests.seals import act, owner, sealed, verify


@pytest.fixture
def anchored(settings, tmp_path):
    settings.LEDGER_ANCHOR = str(tmp_path / "heads.jsonl")
    return tmp_path / "heads.jsonl"


def test_the_anchor_gets_a_line_for_each_seal(anchored, twelve):
    anchor.write()
    anchor.write()
    act(1)
    tasks.seal_ledger()
    heads = [json.loads(line) for line in anchored.read_text().splitlines()]
    assert [head["number"] for head in heads] == [1, 2, 3, 4, 5]
    assert [head["digest"] for head in heads] == list(Seal.objects.order_by("number").values_list("digest", flat=True))
    assert (heads[3]["first_entry"], heads[3]["last_entry"], heads[3]["count"]) == (10, 12, 3)
    assert verify()[0] == 0


CUT = ["DELETE FROM console_entry WHERE id > 6", "DELETE FROM console_seal WHERE number > 2"]


def test_only_the_anchor_tells_that_the_tail_was_cut(anchored, twelve, settings, caplog):
    anchor.write()
    owner(*CUT)
    code, said = verify()
    assert code == 1
    assert said.startswith("Entry 7 is missing: the anchor knows seal 3 up to entry 9")
    act(9)
    tasks.seal_ledger()  # goes on, but leaves the evidence
    assert Seal.objects.count() > 2
    assert len(anchored.read_text().splitlines()) == 4
    assert "does not hold seal 4 as LEDGER_ANCHOR knows it" in caplog.text
    code, said = verify()
    assert (code, said[:12]) == (1, "Entry 13 is ")
    settings.LEDGER_ANCHOR = ""
    assert verify()[0] == 0
    assert verify(anchor=str(anchored))[0] == 1


def test_an_anchor_that_cannot_be_written_holds_nothing_up_and_is_caught_up_with(anchored, committed_db, caplog):
    anchored.mkdir()
    act(2)
    tasks.seal_ledger()
    assert sealed() == ["1-2"]
    assert "was not written to LEDGER_ANCHOR" in caplog.text
    assert caplog.records[-1].levelno == logging.WARNING
    anchored.rmdir()
    tasks.seal_ledger()
    assert len(anchored.read_text().splitlines()) == 1


def test_half_a_line_of_the_anchor_is_written_again(anchored, twelve):
    anchor.write()
    lines = anchored.read_text().splitlines()
    anchored.write_text("\n".join(lines[:3]) + "\n" + lines[3][:20])
    anchor.write()
    assert anchored.read_text().splitlines() == [*lines[:3], lines[3][:20], lines[3]]
    assert verify()[0] == 0


def test_an_anchor_without_heads_is_reported(anchored, twelve):
    anchored.write_text("")
    assert verify() == (1, f"The anchor at {anchored} holds no head.")


def test_before_the_first_seal_no_anchor_is_missed(anchored, committed_db):
    assert verify()[0] == 0


def test_it_is_said_how_far_the_anchor_goes(anchored, twelve):
    anchor.write()
    assert "It agrees with the anchor, which goes up to seal 4." in verify()[1]


def test_a_missing_anchor_is_wrong_usage(twelve, tmp_path):
    assert verify(anchor=str(tmp_path / "none")) == (2, f"There is no anchor at {tmp_path / 'none'}.")


@pytest.fixture
def export(twelve, tmp_path):
    act(1)
    path = tmp_path / "ledger.jsonl"
    path.write_text("".join(sealexport.lines()))
    return path


def test_an_export_is_checked_without_a_query(export, django_assert_num_queries):
    with django_assert_num_queries(0):
        code, said = verify(export=export)
    assert code == 0
    assert said.startswith("All is as it was sealed: 12 entries in 4 seals.")
    assert "1 entry at the end of the export was not sealed yet." in said


def test_an_export_holds_no_personal_value(export):
    assert "why" not in export.read_text()


def edited(lines, at, old, new):
    changed = lines[at].replace(old, new)
    assert changed != lines[at]
    return [*lines[:at], changed, *lines[at + 1 :]]


# the lines are: header, 1 2 3 seal, 4 5 6 seal, …, end, 13
EDITS = {
    "text": (lambda lines: edited(lines, 5, '\\"n\\": 3', '\\"n\\": 9'), "Entry 4 was changed"),
    "digest": (lambda lines: edited(lines, 5, '"digest": "', '"digest": "0'), "Entry 4 "),
    "removed": (lambda lines: lines[:6] + lines[7:], "Entry 5 was removed"),
    "added": (lambda lines: [*lines[:6], lines[1], *lines[6:]], "Entry 1 was added"),
    "twice": (lambda lines: [*lines[:6], lines[5], *lines[6:]], "Entry 4 was added"),
    "reordered": (lambda lines: [*lines[:5], lines[6], lines[5], *lines[7:]], "Entry 4 was reordered"),
    "a seal less": (lambda lines: lines[:5] + lines[9:], "Entry 7 follows a gap: seal 2 is gone"),
    "cut": (lambda lines: lines[:9], "Entry 7 is missing"),
    "cut neatly": (lambda lines: lines[:9] + lines[17:], "Entry 7 is missing"),
    "no export": (lambda lines: lines[1:], "ledger.jsonl: Line 1 is not"),
    "garbled": (lambda lines: [*lines[:3], "}", *lines[3:]], "ledger.jsonl: Line 4 is not"),
}


@pytest.mark.parametrize("how", EDITS)
def test_an_export_that_was_tampered_with_is_found_out(export, how):
    edit, words = EDITS[how]
    export.write_text("\n".join(edit(export.read_text().splitlines())) + "\n")
    code, said = verify(export=export)
    assert code == 1
    assert said.startswith(words)


def test_an_export_is_compared_with_the_anchor(anchored, export):
    anchor.write()
    assert verify(export=export)[0] == 0
    lines = anchored.read_text().splitlines()
    anchored.write_text("\n".join([*lines[:3], lines[3].replace('"digest": "', '"digest": "0')]) + "\n")
    assert verify(export=export) == (
        1,
        "Entry 10 is in doubt: seal 4, which begins with it, is not the one in the anchor.",
    )


def test_an_export_holds_a_bounded_number_of_lines_in_memory(twelve, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(sealexport, "CHUNK", 5)
    with django_assert_num_queries(9):  # the head; which, seals, entries, for two at a time; what is unsealed
        assert len(list(sealexport.lines())) == 1 + 12 + 4 + 1
