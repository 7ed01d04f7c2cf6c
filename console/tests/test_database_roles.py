"""What the application's database role may do, tried out by direct SQL, and the command that checks it."""

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction

from console import ledger, outbox, personal, roles
from console.models import Entry, Event, Personal, Retention, Seal, SignIn
from console.testing import make_user
from console.tests import seals

ON_RECORD = ("console_entry", "console_gesture", "console_seal")


@pytest.fixture
def record(moses):
    """A line of everything that is on record."""
    gesture, _ = ledger.open_gesture("test", moses.user, None, [])
    act = ledger.Act(gesture, moses.user, note="why", origin=ledger.Origin("r1", "192.0.2.9"))
    act.record([moses.user], [{"theme": ""}], [{"theme": "dark"}])
    entry = Entry.objects.get()
    SignIn.objects.create(user=moses.user, ip="192.0.2.9")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO console_event (id, entry_id, name, target_type, target_id, payload, due_at) "
            "VALUES (gen_random_uuid(), %s, 'x', 'x', 1, '{}', now())",
            [entry.pk],
        )
    return entry


def sqlstate(sql, params=None):
    """The code with which the database refuses it; "" when it does not."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, params)
    except DatabaseError as error:
        return error.__cause__.sqlstate
    return ""


@pytest.mark.parametrize("table", ON_RECORD)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {} SET {column} = {column}",
        "DELETE FROM {}",
        "TRUNCATE {} CASCADE",
        "ALTER TABLE {} DISABLE TRIGGER ALL",
        "ALTER TABLE {} DISABLE TRIGGER {}_no_change",
        "DROP TABLE {} CASCADE",
        "DROP TRIGGER {}_no_change ON {}",
        "CREATE RULE r AS ON INSERT TO {} DO INSTEAD NOTHING",
        "SELECT * FROM {} FOR UPDATE",
        "LOCK TABLE {} IN ACCESS EXCLUSIVE MODE",
        "COPY {} FROM '/dev/null'",
    ],
)
def test_what_is_on_record_cannot_be_changed(record, table, statement):
    column = {"console_seal": "count"}.get(table, "verb")
    assert sqlstate(statement.replace("{}", table).replace("{column}", column)) == "42501"


@pytest.mark.parametrize(
    "statement",
    [
        "SET session_replication_role = replica",
        "SET ROLE attendant_owner",
        "CREATE TABLE mine (id int)",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "COPY (SELECT 1) TO '/tmp/attendant-copied'",
        "COPY console_user FROM PROGRAM 'true'",
        "SELECT pg_read_file('/etc/hostname')",
        "ALTER ROLE attendant_app SUPERUSER",
        "CREATE ROLE mine",
        "DROP FUNCTION console_refuse_change() CASCADE",
        "CREATE OR REPLACE FUNCTION console_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "UPDATE django_migrations SET name = 'x'",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('x', 'x', now())",
        "INSERT INTO auth_permission (name, content_type_id, codename) VALUES ('x', 1, 'x')",
        "SELECT setval('console_entry_id_seq', 1)",
        "SELECT nextval('console_entry_id_seq')",
        "CREATE EXTENSION dblink",
    ],
)
def test_nor_can_the_application_get_around_it(db, statement):
    assert sqlstate(statement) in ("42501", "42809")


ENTRY = "actor_id, verb, target_type, target_id, target_label, reason, note, batch_id, before, after, request_id, ip"
FORGED = {
    "an entry's id": f"INSERT INTO console_entry (id, {ENTRY}) SELECT 1, {ENTRY} FROM console_entry",
    "an entry's time": f"INSERT INTO console_entry (at, {ENTRY}) SELECT '2001-01-01', {ENTRY} FROM console_entry",
    "an entry's transaction": f"INSERT INTO console_entry (xid, {ENTRY}) SELECT 1, {ENTRY} FROM console_entry",
    "an entry's id, overriding": f"INSERT INTO console_entry (id, {ENTRY}) OVERRIDING SYSTEM VALUE "
    f"SELECT 1, {ENTRY} FROM console_entry",
    "an entry in place of another": f"INSERT INTO console_entry ({ENTRY}) SELECT {ENTRY} FROM console_entry "
    "ON CONFLICT (id) DO UPDATE SET verb = 'x'",
    "a gesture's time": "INSERT INTO console_gesture (id, at, verb, idempotency_key, fingerprint) "
    "VALUES (gen_random_uuid(), '2001-01-01', 'x', gen_random_uuid(), '')",
    "a gesture in place of another": "INSERT INTO console_gesture (id, verb, idempotency_key, fingerprint) "
    "SELECT id, verb, idempotency_key, fingerprint FROM console_gesture ON CONFLICT (id) DO UPDATE SET verb = 'x'",
    "a sign-in's id": "INSERT INTO console_signin (id, user_id, ip) SELECT 1, user_id, ip FROM console_signin",
    "a sign-in's time": "INSERT INTO console_signin (user_id, at, ip) SELECT user_id, '2001-01-01', ip "
    "FROM console_signin",
    "another sign-in": "UPDATE console_signin SET ip = '192.0.2.1'",
    "no sign-in": "DELETE FROM console_signin",
    "an event's time": "INSERT INTO console_event (id, at, entry_id, name, target_type, target_id, payload, due_at) "
    "SELECT gen_random_uuid(), '2001-01-01', -1, name, target_type, target_id, payload, due_at FROM console_event",
    "an event's transaction": "INSERT INTO console_event (id, xid, entry_id, name, target_type, target_id, payload, "
    "due_at) SELECT gen_random_uuid(), '1', -1, name, target_type, target_id, payload, due_at FROM console_event",
    "what an event tells": "UPDATE console_event SET payload = '{}'",
    "what the ledger points at": "UPDATE console_personal SET value = 'x'",
    "a seal of another time": "INSERT INTO console_seal VALUES (1, '2001-01-01', 1, 1, 1, '1', '', 1, 1, 1, 'x', 'x')",
    "a seal far ahead": "INSERT INTO console_seal VALUES (9, now(), 1, 1, 1, '1', '', 1, 1, 1, 'x', 'x')",
}


@pytest.mark.parametrize("what", FORGED)
def test_nothing_on_record_is_forged(record, what):
    assert sqlstate(FORGED[what]) == "42501"


def test_triggers_stop_the_owner_too(committed_db):
    lines_of_everything()
    for table in [*ON_RECORD, "console_signin"]:
        column = {"console_seal": "count", "console_signin": "ip"}.get(table, "verb")
        for statement in [
            f"UPDATE {table} SET {column} = {column}",
            f"DELETE FROM {table}",
            f"TRUNCATE {table} CASCADE",
        ]:
            with connections["owner"].cursor() as cursor, pytest.raises(DatabaseError, match="append-only"):
                cursor.execute(statement)


def lines_of_everything():
    moses = make_user("moses", roles.MODERATOR)
    with transaction.atomic():
        gesture, _ = ledger.open_gesture("test", moses, None, [])
        ledger.Act(gesture, moses).record([moses], [{"theme": ""}], [{"theme": "dark"}])
    SignIn.objects.create(user=moses, ip="192.0.2.9")
    seals.alone()
    call_command("seal_ledger")
    assert all(model.objects.exists() for model in (Entry, Seal, SignIn))


def test_what_the_application_needs_it_can_do(record):
    assert sqlstate("SELECT id FROM console_event FOR UPDATE") == ""
    assert Event.objects.update(withdrawn_at=None) == 1
    keeper = personal.Keeper()
    for _ in range(2):
        keeper.add("x:1", "note", "the same twice")
        keeper.store()
    assert Personal.objects.filter(subject="x:1").delete()[0] == 1
    assert Retention.objects.create().pk
    assert outbox.sweep() == 0


def checked(capsys, *options):
    """`(exit code, what was printed)` of the command."""
    try:
        call_command("database_roles", *options)
    except CommandError as error:
        return error.returncode, capsys.readouterr().out + str(error)
    return 0, capsys.readouterr().out


def test_after_migrations_both_roles_are_as_declared(committed_db, capsys):
    assert checked(capsys) == (0, "Both roles are as declared.\n")


PLANTED = {
    "GRANT UPDATE ON console_entry TO attendant_app": "attendant_app may UPDATE on console_entry.",
    "GRANT UPDATE (payload) ON console_event TO attendant_app": "attendant_app may UPDATE (payload) on console_event.",
    "GRANT INSERT (at) ON console_gesture TO attendant_app": "attendant_app may INSERT (at) on console_gesture.",
    "GRANT INSERT ON console_entry TO attendant_app": "attendant_app may INSERT on console_entry.",
    "GRANT DELETE ON console_seal TO PUBLIC": "attendant_app may DELETE on console_seal.",
    "GRANT TRUNCATE ON moderation_comment TO attendant_app": "attendant_app may TRUNCATE on moderation_comment.",
    "REVOKE INSERT ON moderation_comment FROM attendant_app": "attendant_app may not INSERT on moderation_comment.",
    "REVOKE SELECT (verb) ON console_entry FROM attendant_app; REVOKE SELECT ON console_entry FROM attendant_app": (
        "attendant_app may not SELECT on console_entry."
    ),
    "GRANT USAGE ON SEQUENCE console_entry_id_seq TO attendant_app": (
        "attendant_app may use the sequence console_entry_id_seq."
    ),
    "GRANT CREATE ON SCHEMA public TO PUBLIC": "attendant_app may create tables.",
    "ALTER TABLE console_entry DISABLE TRIGGER console_entry_no_change": (
        "The trigger console_entry_no_change of console_entry is off or gone."
    ),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_deviation_is_told_with_what_mends_it(committed_db, capsys, planted):
    owner(planted)
    code, said = checked(capsys)
    assert code == 1
    assert PLANTED[planted] in said
    mending = [line.strip() for line in said.splitlines() if line.startswith("    ")]
    owner("".join(mending))
    assert checked(capsys)[0] == 0


def test_make_mends_it(committed_db, capsys):
    owner("GRANT UPDATE ON console_entry TO attendant_app; REVOKE ALL ON moderation_comment FROM attendant_app")
    assert checked(capsys)[0] == 1
    assert checked(capsys, "--make") == (0, "Both roles are as declared.\n")


def owner(sql):
    with connections["owner"].cursor() as cursor:
        cursor.execute(sql)
