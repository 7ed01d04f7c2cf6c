"""Tokens: made and revoked by operators, shown once, and nowhere to be found afterwards."""

import re
import uuid
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import ProgrammingError, connections
from django.utils import timezone

from console import mail, tokenactions
from console.management.commands.make_token import Command
from console.models import Entry, Job, Token, User
from console.testing import form, just_signed_in, make_token, make_user

LIST, NEW = "/manage/tokens/", "/manage/tokens/new/"
GOOD = {"name": "Portal, production", "scopes": ["bans:read", "decisions:read"], "days": "90"}


def sent(**fields):
    return GOOD | {"version": 0, "idempotency_key": str(uuid.uuid4())} | fields


def shown(response):
    return re.search(r'value="(att_[\w-]{43})"', response.text)


def everything_stored():
    """All text of all rows of all tables, as it lies in the database."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        tables = [name for (name,) in cursor.fetchall()]
        return "\n".join(_rows(cursor, name) for name in tables)


def _rows(cursor, name):
    cursor.execute(f'SELECT coalesce(string_agg(t::text, chr(10)), chr(32)) FROM "{name}" AS t')
    return cursor.fetchone()[0]


def test_a_token_is_shown_once_and_stored_nowhere(olga):
    data = sent()
    secret = shown(olga.post(NEW, data))[1]
    token = Token.objects.get()
    assert secret.startswith(token.prefix)
    assert token.digest in everything_stored()
    assert secret not in everything_stored()
    again = olga.post(NEW, data)
    assert again.status_code == 200
    assert not shown(again)
    assert "was shown then" in again.text
    assert not shown(olga.get(f"{LIST}{token.pk}/"))
    assert Token.objects.count() == Entry.objects.count() == 1


def test_what_was_ticked_is_what_it_may(olga):
    olga.post(NEW, sent())
    token, entry = Token.objects.get(), Entry.objects.get()
    assert (token.name, token.scopes, token.state) == (GOOD["name"], GOOD["scopes"], "active")
    assert timedelta(days=89) < token.expires_at - timezone.now() < timedelta(days=91)
    assert entry.after["scopes"] == GOOD["scopes"]
    assert GOOD["name"] not in str(entry.before) + str(entry.after) + entry.target_label


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": " "}, "Give the token a name."),
        ({"name": "a\u202eb"}, "nobody sees"),
        ({"scopes": []}, "Tick at least one."),
        ({"scopes": ["all"]}, "There is no scope all."),
        ({"days": "9999"}, "Choose one of these."),
    ],
)
def test_a_bad_form_makes_none_and_keeps_what_was_typed(olga, fields, said):
    response = olga.post(NEW, sent(**fields))
    assert response.status_code == 422
    assert said in response.text
    assert not Token.objects.exists()
    assert "name" in fields or GOOD["name"] in response.text


def test_the_same_form_with_other_content_makes_none(olga):
    data = sent()
    olga.post(NEW, data)
    assert olga.post(NEW, data | {"days": "30"}).status_code == 422
    assert Token.objects.count() == 1


def test_making_and_revoking_take_somebody_who_is_there(olga):
    make_token("bans:read")
    token = Token.objects.get()
    olga.session_says(just_signed_in(olga.user, at=0))
    assert not shown(olga.post(NEW, sent()))
    olga.post(f"{LIST}{token.pk}/revoke/", form(token))
    assert [each.state for each in Token.objects.all()] == ["active"]


def test_a_revoked_token_stays_revoked(olga):
    make_token("bans:read")
    token = Token.objects.get()
    assert olga.post(f"{LIST}{token.pk}/revoke/", form(token, note="lost")).status_code == 303
    token.refresh_from_db()
    assert token.state == "revoked"
    assert olga.post(f"{LIST}{token.pk}/revoke/", form(token)).status_code == 409
    entry = Entry.objects.get()
    assert olga.post(entry.get_undo_url(), {"version": 0, "idempotency_key": str(uuid.uuid4())}).status_code == 403
    assert Token.objects.get().state == "revoked"


def test_an_auditor_reads_and_is_offered_nothing(ann):
    make_token("bans:read", name="Portal")
    token = Token.objects.get()
    for url in (LIST, f"{LIST}{token.pk}/"):
        page = ann.get(url).text
        assert "Portal" in page
        assert "/new/" not in page
        assert "/revoke/" not in page
    assert ann.get(NEW).status_code == 403


def test_the_list_costs_the_same_for_2_and_for_20(olga, django_assert_max_num_queries):
    for _ in range(2):
        make_token("bans:read")
    olga.get(LIST)
    with django_assert_max_num_queries(50) as two:
        olga.get(LIST)
    for _ in range(18):
        make_token("bans:read")
    with django_assert_max_num_queries(50) as twenty:
        olga.get(LIST)
    assert len(two) == len(twenty)


def test_names_are_shown_as_they_are(olga):
    make_token("bans:read", name="<b>kit</b>")
    token = Token.objects.get()
    for url in (LIST, f"{LIST}{token.pk}/", f"{LIST}{token.pk}/revoke/"):
        assert "<b>kit" not in olga.get(url).text


def test_the_state_of_a_token_is_told(olga):
    now = timezone.now()
    for fields in ({"revoked_at": now}, {"expires_at": now}, {"expires_at": now + timedelta(days=9)}):
        make_token("bans:read", **fields)
    page = olga.get(LIST).text
    for words in ("Revoked", "Ended", "Ends soon"):
        assert words in page


@pytest.mark.parametrize("field", ["digest", "name", "prefix", "created_by"])
def test_what_opens_a_token_cannot_be_changed(db, field):
    make_token("bans:read")
    with pytest.raises(ProgrammingError, match="permission denied"):
        Token.objects.update(**{field: None})


# --- from the server --------------------------------------------------------------------------------------------


def command(*words, capsys):
    call_command("make_token", *words)
    return capsys.readouterr()


def test_the_command_prints_the_token_last_and_alone(db, capsys):
    said = command("Portal", "--scope", "bans:read", "--scope", "decisions:read", "--days", "30", capsys=capsys)
    assert re.fullmatch(r"att_[\w-]{43}\n", said.out)
    token = Token.objects.get()
    assert (token.name, token.scopes, token.created_by) == ("Portal", ["bans:read", "decisions:read"], None)
    assert token.digest == tokenactions.digest(said.out.strip())
    assert Entry.objects.get().actor is None


@pytest.mark.parametrize(
    "words",
    [
        ["Portal"],
        ["Portal", "--scope", "all"],
        ["Portal", "--scope", "bans:read", "--days", "0"],
        ["Portal", "--scope", "bans:read", "--days", "731"],
        [" ", "--scope", "bans:read"],
        ["--scope", "bans:read"],
    ],
)
def test_wrong_usage_ends_with_2_and_makes_none(db, monkeypatch, words):
    monkeypatch.setattr(connections, "close_all", lambda: None)  # else the test's own transaction ends
    with pytest.raises(SystemExit) as ended:
        Command().run_from_argv(["manage.py", "make_token", *words])
    assert ended.value.code == 2
    assert not Token.objects.exists()


def test_operators_are_told_once_a_week_before_a_token_ends(olga, db):
    User.objects.filter(pk=olga.user.pk).update(email="olga@mail.example")
    make_user("kim", is_superuser=True)  # whose address nobody knows
    make_token("bans:read", name="Soon", expires_at=timezone.now() + timedelta(days=6))
    make_token("bans:read", name="Later", expires_at=timezone.now() + timedelta(days=8))
    make_token("bans:read", name="Revoked", expires_at=timezone.now() + timedelta(days=6), revoked_at=timezone.now())
    make_token("bans:read", name="Over", expires_at=timezone.now() - timedelta(days=1))
    assert [tokenactions.warn() for _ in range(2)] == [1, 0]
    args = Job.objects.get(kind="mail").args
    subject, body = mail.draw(args["mail"], User.objects.get(pk=args["user"]), **args["with"])
    assert (args["user"], subject) == (olga.user.pk, "A token of your portal ends soon: Soon")
    assert "until 20" in body
