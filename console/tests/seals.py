"""What tests of seals share: entries, tampering with them, and the command that finds it."""

import io
import time

import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction

from console import ledger, sealing
from console.models import Entry, Seal
from console.testing import make_user

OPEN = """
    SELECT pid, backend_xid::text FROM pg_stat_get_activity(NULL)
    WHERE backend_xid IS NOT NULL AND datid <> (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def alone():
    """Waits for what other tests have open on this server: nothing is sealed that such a transaction might precede."""
    with connections["owner"].cursor() as cursor:
        before = _open(cursor)
        deadline = time.monotonic() + 200
        while before:
            time.sleep(0.05)
            before &= _open(cursor)
            assert time.monotonic() < deadline, "another test keeps a transaction open"


def _open(cursor):
    cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees the same all along
    cursor.execute(OPEN)
    return set(cursor.fetchall())


def act(number=1, about="moses"):
    """So many entries by one gesture, as verbs write them."""
    pks = _act(number, about)
    alone()
    return pks


def _act(number, about):
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
    alone()


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
