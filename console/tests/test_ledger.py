"""The ledger cannot be changed by the application, holds no personal value, and undo reads it right."""

import json
import logging

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, connections, transaction

from console import ledger, logs, personal, roles
from console.models import Entry, Gesture, Personal
from console.testing import make_user


@pytest.fixture
def entry(moses):
    """An entry about a staff account, standing for any row with a version."""
    act_gesture, _ = ledger.open_gesture("test", moses.user, None, [])
    act = ledger.Act(act_gesture, moses.user, note="called from 203.0.113.7", origin=ledger.Origin("r1", "203.0.113.9"))
    act.record([moses.user], [{"theme": ""}], [{"theme": "dark"}])
    return Entry.objects.get()


def refused(sql, *params):
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)
    return caught.value.__cause__.sqlstate == "42501"


@pytest.mark.parametrize("table", ["console_entry", "console_gesture"])
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET verb = 'x'", "DELETE FROM {}", "TRUNCATE {} CASCADE", "DROP TABLE {}"]
)
def test_the_application_cannot_change_the_ledger(entry, table, statement):
    assert refused(statement.format(table))


def test_the_application_cannot_get_around_it(entry):
    assert refused("ALTER TABLE console_entry DISABLE TRIGGER ALL")
    assert refused("SET session_replication_role = replica")
    if settings.DATABASES["owner"]["USER"] != settings.DATABASES["default"]["USER"]:
        assert refused("SET ROLE attendant_owner")
    assert refused("DROP FUNCTION console_refuse_change() CASCADE")


@pytest.mark.parametrize("column", ["id", "at"])
def test_ids_and_times_cannot_be_forged(entry, column):
    value = {"id": "1", "at": "'2001-01-01'"}[column]
    assert refused(
        f"INSERT INTO console_entry ({column}, verb, target_type, target_id, target_label, reason, note, batch_id, "
        f"before, after, request_id, ip) SELECT {value}, 'x', 'x', 1, '', '', '', batch_id, '{{}}', '{{}}', '', '' "
        "FROM console_entry"
    )


def test_even_the_owner_is_stopped_by_triggers(committed_db):
    make_user("moses", roles.MODERATOR)
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "INSERT INTO console_gesture (id, verb, idempotency_key, fingerprint) "
            "VALUES (gen_random_uuid(), 'x', gen_random_uuid(), '')"
        )
        for statement in ("UPDATE console_gesture SET verb = 'y'", "DELETE FROM console_gesture"):
            with pytest.raises(DatabaseError, match="append-only"):
                cursor.execute(statement)
        with pytest.raises(DatabaseError, match="append-only"):
            cursor.execute("TRUNCATE console_entry, console_gesture")


def test_an_entry_holds_no_personal_value_and_survives_its_erasure(entry):
    line = json.dumps(Entry.objects.values().get(), default=str)
    assert "203.0.113" not in line
    assert set(personal.reveal([entry.note, entry.ip]).values()) == {"called from 203.0.113.7", "203.0.113.9"}
    Personal.objects.all().delete()
    assert personal.reveal([entry.note]) == {}
    assert Entry.objects.get() == entry


def test_an_action_that_is_rolled_back_leaves_no_entry(moses):
    with transaction.atomic():
        gesture, _ = ledger.open_gesture("test", moses.user, None, [])
        ledger.Act(gesture, moses.user).record([moses.user], [{"theme": ""}], [{"theme": "dark"}])
        transaction.set_rollback(True)
    assert not Entry.objects.exists()
    assert not Gesture.objects.exists()


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("path", ["", "edit/", "change/", "delete/"])
def test_no_address_changes_an_entry(entry, olga, method, path):
    assert getattr(olga, method)(f"/manage/ledger/{entry.pk}/{path}").status_code in (404, 405)
    assert Entry.objects.get() == entry


@pytest.mark.parametrize("path", ["change/", "delete/"])
def test_nor_does_emergency_access(entry, olga, path):
    assert olga.post(f"/admin/console/entry/{entry.pk}/{path}", {"verb": "x", "post": "yes"}).status_code == 403
    assert Entry.objects.get() == entry


def test_a_line_break_in_what_is_logged_begins_no_line():
    record = logging.LogRecord("x", logging.INFO, "", 0, "%s did it", ("ada\r\nINFO moses",), None)
    logs.RequestFilter().filter(record)
    assert record.getMessage() == "ada\\r\\nINFO moses did it"
