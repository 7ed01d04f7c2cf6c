"""Entries are sealed once they are final, each once, and what was sealed cannot be changed unnoticed."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, connection, connections, transaction

from console import sealing
from console.models import Entry, Seal
from console.tests.seals import act, owner, sealed, verify


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

    def seal(_):
        try:
            return sealing.run(batch=2)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        totals = list(threads.map(seal, range(2)))
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


def test_what_waits_too_long_for_its_seal_is_reported(twelve):
    owner("INSERT INTO console_entry (at, verb, target_type, target_id, target_label, reason, note, batch_id, before, "
          "after, request_id, ip) SELECT at - interval '61 s', verb, target_type, target_id, '', '', '', batch_id, "
          "'{}', '{}', '', '' FROM console_entry WHERE id = 5")  # fmt: skip
    assert verify() == (1, "1 entry waits for a seal for more than a minute. Does the worker run, and beat?")
    sealing.run()
    assert verify()[0] == 0


def elsewhere(monkeypatch):
    """From here on it is as on a server that has been through a million transactions more."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE console_entry ALTER xid SET DEFAULT pg_current_xact_id()::text::bigint + 1000000")
    for name in ("low", "high"):
        monkeypatch.setattr(sealing, "_FINAL", sealing._FINAL.replace(f" AS {name}", f" + 1000000 AS {name}"))


def restored(monkeypatch):
    """The dump of that server came back to this one, where transactions begin with low numbers."""
    monkeypatch.undo()
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE console_entry ALTER xid SET DEFAULT pg_current_xact_id()::text::bigint")


def test_a_dump_that_is_restored_on_a_younger_server_goes_on_being_sealed(committed_db, monkeypatch):
    elsewhere(monkeypatch)
    act(3)
    sealing.run(batch=2)
    act(2)
    restored(monkeypatch)
    act(2)
    assert sealing.run() == 4
    act(1)
    assert sealing.run() == 1
    assert sealed() == ["1-2", "3", "4-7", "8"]
    assert verify()[0] == 0
    assert Seal.objects.latest("number").settled == 7
