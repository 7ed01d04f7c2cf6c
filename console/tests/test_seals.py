"""Entries are sealed once they are final, each once, and what was sealed cannot be changed unnoticed."""

import io
import json
import logging
import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction

from console import anchor, ledger, seal_export, sealing, tasks
from console.models import Entry, Seal
from console.testing import make_user


def act(number=1, about="moses"):
    """So many entries by one gesture, as verbs write them."""
    with transaction.atomic():
        gesture, _ = ledger.open_gesture("test", None, None, [])
        row = make_user(f"{about}{gesture.pk}"[:30])
        kept = ledger.Act(gesture, None, note="why")
        kept.record([row] * number, [{"n": n} for n in range(number)], [{"n": n + 1} for n in range(number)])
    return list(gesture.entries.order_by("id").values_list("pk", flat=True))


def sealed():
    return [seal.entries for seal in Seal.objects.order_by("number")]


def owner(*statements):
    """As the owner of the tables, whom no trigger stops."""
    with connections["owner"].cursor() as cursor:
        for table in ("console_entry", "console_gesture", "console_seal"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            cursor.execute(statement)


def verify(**options):
    """`(exit code, what was said)`."""
    out = io.StringIO()
    try:
        call_command("verify_ledger", stdout=out, stderr=io.StringIO(), **options)
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


@pytest.fixture
def twelve(committed_db):
    """Twelve entries in four seals of three."""
    act(7)
    act(5)
    sealing.run(batch=3)
    return list(Entry.objects.order_by("id").values_list("pk", flat=True))


def test_entries_are_sealed_once_and_in_order(committed_db):
    assert sealing.run() == 0
    act(5)
    assert sealing.run(batch=2) == 5
    assert sealing.run() == 0
    act(1)
    assert sealing.run() == 1
    assert sealed() == ["1-2", "3-4", "5", "6"]
    assert verify()[0] == 0


def test_an_empty_ledger_is_fine(committed_db):
    assert verify() == (
        0,
        "All is as it was sealed: 0 entries in 0 seals.\n"
        "Nothing tells whether its end was cut off: LEDGER_ANCHOR is not set.\n",
    )


def test_nothing_is_sealed_while_it_may_still_change(committed_db):
    """A transaction takes a lower id, and commits after the sealer ran: nothing is lost, and nothing is wrong."""
    took, go_on = threading.Event(), threading.Event()

    def slow():
        with transaction.atomic():
            act(2)
            took.set()
            go_on.wait(10)
        connection.close()

    act(1)
    thread = threading.Thread(target=slow)
    thread.start()
    took.wait(10)
    quick = act(2)
    assert sealing.run() == 1
    assert sealing.run() == 0, "the quick ones stand behind one that is open"
    go_on.set()
    thread.join()
    assert sealing.run() == 4
    assert sealed() == ["1", "2-5"]
    assert quick == [4, 5]
    assert verify()[0] == 0


def test_a_late_entry_with_a_lower_id_goes_into_a_later_seal(committed_db):
    """It took its id before those that were sealed meanwhile."""
    late = connections["owner"].cursor()
    late.execute("SELECT nextval('console_entry_id_seq')")
    act(3)
    late.execute("BEGIN")
    late.execute("SELECT pg_current_xact_id()")
    act(1)
    assert sealing.run() == 3
    late.execute(COPY.format(id=1, xid="pg_current_xact_id()::text::bigint").replace("WHERE id = 5", "WHERE id = 2"))
    late.execute("COMMIT")
    assert sealing.run() == 2
    assert sealed() == ["2-4", "1,5"]
    assert verify()[0] == 0


def test_two_sealers_at_once_make_one_chain(committed_db):
    act(60)
    totals = []

    def seal():
        totals.append(sealing.run(batch=2))
        connection.close()

    threads = [threading.Thread(target=seal) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sealing.run(batch=2)
    assert Seal.objects.count() == 30
    assert sum(totals) <= 60
    assert verify()[0] == 0


@pytest.mark.parametrize("verb", ["UPDATE {} SET count = 1", "DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}"])
def test_the_application_cannot_change_seals(db, verb):
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(verb.format("console_seal"))
    assert caught.value.__cause__.sqlstate == "42501"


def test_even_the_owner_is_stopped_by_triggers(twelve):
    for statement in ("UPDATE console_seal SET count = 1", "DELETE FROM console_seal", "TRUNCATE console_seal"):
        with connections["owner"].cursor() as cursor, pytest.raises(DatabaseError, match="append-only"):
            cursor.execute(statement)


def test_every_column_is_hashed(twelve):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sealing.TEXT} FROM {sealing.SOURCE} WHERE e.id = 1")
        said = json.loads(cursor.fetchone()[0])
    gesture = said.pop("gesture")
    assert set(said) | {"id"} == {field.name for field in Entry._meta.fields}
    batch = Entry._meta.get_field("batch").related_model
    assert set(gesture) | {"id"} == {field.name for field in batch._meta.fields}
    assert said["at"].endswith("Z")


COPY = (
    "INSERT INTO console_entry (id, at, verb, target_type, target_id, target_label, reason, note, batch_id, before, "
    "after, request_id, ip, xid) SELECT {id}, at, verb, target_type, target_id, target_label, reason, note, batch_id, "
    "before, after, request_id, ip, {xid} FROM console_entry WHERE id = 5"
)
SWAP = (
    "UPDATE console_entry SET id = -1 WHERE id = {0}; UPDATE console_entry SET id = {0} WHERE id = {1}; "
    "UPDATE console_entry SET id = {1} WHERE id = -1"
)
TAMPERED = {
    "edited": (["UPDATE console_entry SET verb = 'y' WHERE id = 8"], "Entry 8 was changed"),
    "edited in json": (["UPDATE console_entry SET after = '{\"n\": 99}' WHERE id = 4"], "Entry 4 was changed"),
    "another time": (["UPDATE console_entry SET at = at - interval '1 us' WHERE id = 9"], "Entry 9 was changed"),
    "another actor of it all": (["UPDATE console_gesture SET verb = 'y' WHERE id IN "
                                 "(SELECT batch_id FROM console_entry WHERE id = 9)"], "Entry 8 was changed"),
    "deleted": (["DELETE FROM console_entry WHERE id = 5"], "Entry 5 was removed"),
    "deleted twice": (["DELETE FROM console_entry WHERE id IN (6, 11)"], "Entry 6 was removed"),
    "seal and all": (["DELETE FROM console_entry WHERE id BETWEEN 4 AND 6",
                      "DELETE FROM console_seal WHERE number = 2"], "Entry 7 follows a gap: seal 2 is gone"),
    "seal alone": (["DELETE FROM console_seal WHERE number = 2"], "Entry 4 was added"),
    "first seal": (["DELETE FROM console_seal WHERE number = 1", "DELETE FROM console_entry WHERE id < 4"],
                   "Entry 4 follows a gap: seal 1 is gone"),
    "last entries": (["DELETE FROM console_entry WHERE id > 10"], "Entry 11 was removed"),
    "swapped": ([SWAP.format(5, 6)], "Entry 5 was reordered: it holds what entry 6 held"),
    "swapped far": ([SWAP.format(2, 11)], "Entry 2 was reordered: it holds what entry 11 held"),
    "moved": (["UPDATE console_entry SET id = 99 WHERE id = 3"], "Entry 3 was removed"),
    "seal rewritten": (["UPDATE console_seal SET count = 4 WHERE number = 3"], "Entry 7 is in doubt: seal 3"),
    "digests rewritten": (["UPDATE console_seal SET digests = (SELECT digests FROM console_seal WHERE number = 1) "
                           "WHERE number = 4"], "Entry 10 "),
    "seals swapped": (["UPDATE console_seal SET number = -1 WHERE number = 2",
                       "UPDATE console_seal SET number = 2 WHERE number = 3",
                       "UPDATE console_seal SET number = 3 WHERE number = -1"], "Entry 1 is in doubt"),
}  # fmt: skip


@pytest.mark.parametrize("how", TAMPERED)
def test_tampering_is_found_at_the_right_entry(twelve, how):
    assert (twelve[0], twelve[-1], len(sealed())) == (1, 12, 4)
    assert verify()[0] == 0
    statements, words = TAMPERED[how]
    owner(*statements)
    code, said = verify()
    assert code == 1
    assert said.startswith(words)
    sealing.run()
    assert verify()[0] == 1, "what is sealed later does not make it good"


@pytest.mark.parametrize("xid", ["xid", "pg_current_xact_id()::text::bigint"])
@pytest.mark.parametrize("seal_first", [False, True])
def test_an_entry_forged_into_the_past_is_found(committed_db, xid, seal_first):
    act(5)
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT nextval('console_entry_id_seq')")  # a gap, as every transaction that fails leaves one
    act(5)
    sealing.run(batch=3)
    owner(COPY.format(id=6, xid=xid))
    act(1)
    if seal_first:
        sealing.run()
    code, said = verify()
    assert (code, said[:20]) == (1, "Entry 6 was added be")


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


def test_a_missing_anchor_is_wrong_usage(twelve, tmp_path):
    assert verify(anchor=str(tmp_path / "none")) == (2, f"There is no anchor at {tmp_path / 'none'}.")


def test_what_waits_too_long_for_its_seal_is_reported(twelve):
    owner("INSERT INTO console_entry (at, verb, target_type, target_id, target_label, reason, note, batch_id, before, "
          "after, request_id, ip) SELECT at - interval '61 s', verb, target_type, target_id, '', '', '', batch_id, "
          "'{}', '{}', '', '' FROM console_entry WHERE id = 5")  # fmt: skip
    assert verify() == (1, "1 entry waits for a seal for more than a minute. Does the worker run, and beat?")
    sealing.run()
    assert verify()[0] == 0


@pytest.fixture
def export(twelve, tmp_path):
    act(1)
    path = tmp_path / "ledger.jsonl"
    path.write_text("".join(seal_export.lines()))
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
    monkeypatch.setattr(seal_export, "CHUNK", 5)
    with django_assert_num_queries(9):  # the head; which, seals, entries, for two at a time; what is unsealed
        assert len(list(seal_export.lines())) == 1 + 12 + 4 + 1
