"""Prepared statements outlive what they were planned for: a migration under a running console breaks no page."""

import pytest
from django.db import connection, connections, transaction

from console import prepared, roles
from console.testing import Person, make_user
from moderation.testing import make_comment

QUEUE = "/manage/comments/"


@pytest.fixture
def moses(committed_db):
    return Person(make_user("moses", roles.MODERATOR))


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE console_user ALTER COLUMN theme TYPE varchar(9)",
        "ALTER TABLE moderation_player ALTER COLUMN username TYPE varchar(201)",
        "ALTER TABLE console_user ADD COLUMN nickname text",
        "ALTER TABLE moderation_comment ADD COLUMN mood text",
    ],
)
def test_a_changed_column_is_noticed(moses, change):
    make_comment(body="here I am")
    for _ in range(2):
        assert "here I am" in moses.get(QUEUE).text
    with connections["owner"].cursor() as cursor:
        cursor.execute(change)
    for _ in range(2):
        assert "here I am" in moses.get(QUEUE).text


def ask():
    with prepared.cursor() as cursor:
        cursor.execute("SELECT name FROM auth_group ORDER BY name LIMIT %s", [1])
        return cursor.fetchone()


def test_inside_a_transaction_the_error_ends_it_and_the_next_is_fine(committed_db):
    ask()
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE auth_group ALTER COLUMN name TYPE varchar(151)")
    with pytest.raises(Exception, match="cached plan"), transaction.atomic():
        ask()
    with transaction.atomic():
        assert ask() == ("Auditor",)


def test_they_are_prepared_and_others_are_not(committed_db):
    ask()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM auth_group WHERE id < %s", [5])
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        statements = [statement for (statement,) in cursor.fetchall()]
    assert any("auth_group ORDER BY name" in statement for statement in statements)
    assert not any("count(*)" in statement for statement in statements)
