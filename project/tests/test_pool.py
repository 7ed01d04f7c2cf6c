"""Connections when the database goes away and comes back, without a restart of ours."""

import time

import psycopg
import pytest
from django.db import OperationalError, connection, connections

from console import patience
from project.testing import create_database, drop_database


def ask():
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return cursor.fetchone() == (1,)
    except OperationalError:
        return False
    finally:
        connection.close()  # as at the end of a request


@pytest.mark.slow
def test_the_next_request_after_a_fault_is_served(committed_db):
    assert ask()
    drop_database(committed_db)
    for _ in range(4):  # long enough for a growing backoff to have become long
        assert not ask()
    create_database(committed_db)
    assert ask()


def test_a_connection_that_answered_just_now_is_handed_out_unasked(committed_db, monkeypatch):
    asked = []
    monkeypatch.setattr(psycopg.Connection, "execute", lambda *args, **kwargs: asked.append(args))
    assert ask()
    asked.clear()
    assert ask()
    assert asked == []
    time.sleep(patience.FRESH_S)
    assert ask()
    assert len(asked) == 1


def test_a_connection_that_the_server_ended_meanwhile_is_noticed_however_soon(committed_db):
    for _ in range(3):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            ours = cursor.fetchone()[0]
        connection.close()
        with connections["owner"].cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [ours])
        assert ask()
