"""Backups, tried: made while the console works, brought back into an empty place, and all of it holds."""

import json
import os
from datetime import timedelta

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections
from django.test import override_settings

from console.models import Entry, Seal
from console.tests import seals
from games.testing import make_build
from moderation.models import Comment
from moderation.testing import make_comment
from project import backup
from project.testing import drop_database, working_on
from project.tests.rig import until

AHEAD = 120_000  # transactions that the old server was ahead of the new one


@pytest.fixture
def places(tmp_path):
    """Folders of a console's own: builds in one, an anchor beside it."""
    (tmp_path / "games/builds/x").mkdir(parents=True)
    (tmp_path / "games/builds/x/index.html").write_text("hello")
    (tmp_path / "quarantine").mkdir()
    (tmp_path / "quarantine/y.zip").write_bytes(b"PK")
    with override_settings(
        STORAGE=str(tmp_path / "games"),
        QUARANTINE_DIR=tmp_path / "quarantine",
        LEDGER_ANCHOR=str(tmp_path / "heads.jsonl"),
    ):
        yield tmp_path


@pytest.fixture
def made(twelve, places):
    """A backup of a portal with a sealed ledger, whose server was far ahead of ours."""
    from console import anchor

    make_comment(body="Kept.")
    make_build()
    anchor.write()
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint + %s", [AHEAD])
        xid = cursor.fetchone()[0]
        cursor.execute(
            "INSERT INTO console_event (id, entry_id, name, target_type, target_id, payload, due_at, xid) "
            "VALUES (gen_random_uuid(), %s, 'x', 'x', 1, '{}', now(), %s::text::xid8)",
            [twelve[0], str(xid)],
        )
    call_command("backup", places / "kept")
    (folder,) = [each for each in (places / "kept").iterdir() if not each.name.startswith(".")]
    return folder


@pytest.fixture
def empty(made, places, committed_db):
    """Another, empty database, and no folders."""
    name = f"{committed_db}_again"
    drop_database(name)
    with psycopg.connect(os.environ["ATTENDANT_TEST_DATABASE_OWNER_URL"], autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
    for folder in ("games", "quarantine"):
        (places / folder).rename(places / f"{folder}-of-then")
    with working_on(name):
        yield name
    drop_database(name)


def counts():
    with connections["owner"].cursor() as cursor:
        return backup._counts(cursor)


def test_what_was_backed_up_is_all_there_again_and_goes_on(made, empty, places, capsys):
    call_command("restore", made)
    said = capsys.readouterr().out
    assert "All is as it was sealed: 12 entries in 4 seals." in said
    assert "It agrees with the anchor, which goes up to seal 4." in said
    assert "Both roles are as declared." in said
    assert counts() == json.loads((made / "manifest.json").read_text())["rows"]
    assert Comment.objects.get().body == "Kept."
    assert (places / "games/builds/x/index.html").read_text() == "hello"
    assert (places / "quarantine/y.zip").read_bytes() == b"PK"

    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="permission denied"):
        cursor.execute("UPDATE console_entry SET verb = verb")
    with connections["owner"].cursor() as cursor, pytest.raises(DatabaseError, match="append-only"):
        cursor.execute("UPDATE console_entry SET verb = verb")
    newest = Entry.objects.latest("pk").pk
    (pk,) = seals.act(1, "later")
    assert pk > newest
    call_command("seal_ledger")
    assert Seal.objects.count() == 5
    assert seals.verify()[0] == 0


def test_after_it_decisions_are_told_in_the_order_they_were_taken(made, empty):
    """A new server counts transactions from the start: what is decided there must not come before what was."""
    call_command("restore", made)

    def is_before(what):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT max(xid) < {what} FROM console_event")
            return cursor.fetchone()[0]

    assert is_before("pg_current_xact_id()")
    # other tests work on this server: one that began before may not be over
    until(lambda: is_before("pg_snapshot_xmin(pg_current_snapshot())"), "nobody is left who could come before")


def refused(*command):
    with pytest.raises(CommandError) as error:
        call_command(*command)
    assert error.value.returncode == 1
    return str(error.value)


def test_only_what_is_empty_is_restored_into(made, places):
    before = counts()
    assert "is not empty" in refused("restore", made)
    assert counts() == before
    assert (places / "games/builds/x/index.html").read_text() == "hello"


def test_a_damaged_backup_or_another_key_is_refused_before_anything_is_changed(made, empty):
    with override_settings(SECRET_KEY="another"):
        assert "SECRET_KEY is another one" in refused("restore", made)
    with (made / "database.dump").open("r+b") as dump:
        dump.seek(2000)
        dump.write(b"\0\0\0\0")
    assert "database.dump of this backup is damaged" in refused("restore", made)
    (made / "manifest.json").unlink()
    assert "holds no backup" in refused("restore", made)
    assert counts() == {}


@pytest.mark.parametrize("manifest", ["[]", "{}", "null", '{"files": {}}'])
def test_what_is_no_manifest_of_ours_is_said_to_be_none(tmp_path, manifest):
    (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(backup.BackupError, match="holds no backup"):
        backup.read(tmp_path)


def test_what_the_manifest_does_not_know_is_not_unpacked(made):
    manifest = json.loads((made / "manifest.json").read_text())
    del manifest["files"]["games.tar"]
    (made / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(backup.BackupError, match=r"games\.tar is not of this backup"):
        backup.read(made)


def test_none_is_made_in_a_folder_that_is_backed_up(made, places):
    """It would hold all the earlier ones, and the storage a copy of the database."""
    (places / "beside").symlink_to(places / "games")
    for folder in ("games", "games/backups", "quarantine/x", "beside/x"):
        assert "Name a folder outside of it" in refused("backup", places / folder)
    assert sorted(each.name for each in (places / "games").iterdir()) == ["builds"]


def test_no_secret_is_in_the_manifest_and_nobody_else_may_read_it(made, monkeypatch):
    told = (made / "manifest.json").read_text()
    assert os.environ["DATABASE_URL"] not in told
    assert "DATABASE_URL" in json.loads(told)["settings"]
    assert (made.stat().st_mode & 0o777, (made / "database.dump").stat().st_mode & 0o777) == (0o700, 0o600)


def test_what_fails_half_way_leaves_nothing_and_takes_nothing_away(made, places, monkeypatch):
    def full(*paths):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "_pack", full)
    assert "No space left on device" in refused("backup", places / "kept", "--keep", "1")
    assert sorted(each.name for each in (places / "kept").iterdir()) == [".lock", made.name]


def test_the_newest_are_kept(made, places):
    for days in (1, 2, 3):
        (made.parent / (backup.datetime.now(backup.UTC) - timedelta(days=days)).strftime(backup.NAME)).mkdir()
    (made.parent / "notes").mkdir()
    (made.parent / ".incomplete-120000").mkdir()
    backup.make(made.parent, keep=2)
    left = sorted(each.name for each in made.parent.iterdir())
    assert len(left) == 4
    assert {".lock", "notes", made.name} < set(left)


def test_one_is_made_at_a_time(made):
    with backup._alone(made.parent):
        assert "Another backup is being made" in refused("backup", made.parent)
