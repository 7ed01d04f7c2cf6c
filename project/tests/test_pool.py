"""Connections when the database goes away and comes back, without a restart of ours."""

import pytest
from django.db import OperationalError, connection

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
