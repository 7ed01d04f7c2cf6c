"""Whatever is sent to whatever address, by whomever: no 500, no change without an entry, no entry without a change."""

import io
import logging
import os
import traceback
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.core.signals import got_request_exception
from django.db import transaction
from django.test.client import ClientHandler
from django.utils import timezone
from waffle.testutils import override_flag

from bench.fuzz import Ask, Fuzzer
from console import roles, sealing, verbs
from console.models import Entry, User
from console.testing import Person, make_user
from games.models import Build, Game
from games.testing import make_build, make_game
from moderation.models import Ban, Comment, Player, Reason
from moderation.testing import make_comment, make_network_ban, make_player, make_report
from project.tests.witness import Witness

ROLES = [roles.MODERATOR, roles.SENIOR, roles.PUBLISHER, roles.AUDITOR, "Operator", "Nobody"]
CHANGES = {roles.MODERATOR, roles.SENIOR, roles.PUBLISHER, "Operator"}
FEW = int(os.environ.get("FUZZ_REQUESTS", 300))
MANY = 2_000  # python -m bench.fuzz sends 5,000
SEED = int(os.environ.get("FUZZ_SEED", 1))


@pytest.fixture
def portal(committed_db, noted_sessions, settings, monkeypatch):
    """A small portal with something in every state, on a database of its own."""
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)  # thousands of refusals
    settings.RATE_LIMITS = "x100000"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    lea = make_user("lea", roles.SENIOR)
    players = [make_player(username=f"ada{number}", last_ip=f"203.0.113.{number}") for number in range(12)]
    games = [make_game(title=f"Neon {number}", status=status) for number, (status, _) in enumerate(Game.STATUSES)]
    comments = [
        make_comment(player=players[n % 12], game=games[n % 5], ip=f"203.0.113.{n % 250}", body=f"lovely {n}")
        for n in range(60)
    ]
    for comment in comments[::6]:
        make_report(comment)
    for state, _ in Build.STATES:
        make_build(state)
    for number in range(3):
        make_network_ban(f"198.51.100.{number * 64}/26", held=number == 2)
        Ban.objects.create(player=players[number], reason="spam", expires_at=timezone.now() + timedelta(days=1))
    verbs.get("comment.approve")(comments[:3], by=lea)
    verbs.get("player.warn")(players[5], by=lea, reason="spam", note="why")
    return lea


def keys():
    found = {1, 2}
    for model in (Comment, Player, Ban, Game, Build, Reason, Entry, User):
        found |= set(model.objects.order_by("pk").values_list("pk", flat=True)[:60])
    return sorted(found)


class Session:
    """A role at its keyboard, which is signed in again whenever it signed itself out."""

    def __init__(self, role):
        self.user = None
        if role != "Nobody":
            groups = [] if role == "Operator" else [role]
            self.user = make_user("moses", *groups, is_superuser=role == "Operator")
        self.person = Person(self.user, raise_request_exception=False)
        self.person.handler = ClientHandler()  # of its own: some requests are sent with checks of their token
        self.errors = []
        got_request_exception.connect(self.note)

    def note(self, **kwargs):
        self.errors.append(traceback.format_exc())

    def send(self, ask: Ask):
        """The answer's status and its text, if it is a page."""
        cookie = self.person.cookies.get(django_settings.SESSION_COOKIE_NAME)
        if self.user and not (cookie and cookie.value):
            self.user.refresh_from_db()
            self.person.force_login(self.user)
        self.person.handler.enforce_csrf_checks = ask.strict
        response = self.person.generic(ask.method, ask.path, ask.body, ask.content_type, **ask.headers)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        if self.user and ask.path.startswith("/accounts/") and ask.method == "POST":
            self.person.cookies.clear()  # it may have signed out, or in as somebody else
        is_page = response.headers.get("Content-Type", "").startswith("text/html") and not response.get(
            "Content-Encoding"
        )
        return response.status_code, content.decode("utf-8", "replace") if is_page else ""


def run(role, number):
    """`number` requests; returns `(statuses counted, the Witness)`."""
    session, fuzzer, statuses = Session(role), Fuzzer(f"{SEED}/{role}", keys()), {}
    witness = Witness()
    for count in range(number):
        ask = fuzzer.next()
        told = f"request {count} of {role}, seed {SEED}: {ask}"
        status, html = session.send(ask)
        statuses[status] = statuses.get(status, 0) + 1
        assert status < 500, f"{told}\n{status}\n{''.join(session.errors[-1:])}"
        try:
            witness.look()
        except AssertionError as error:
            raise AssertionError(f"{error}\n{told}") from None
        if html and fuzzer.often(0.4):
            fuzzer.saw(ask, html)
    return statuses, witness


def check(role, number):
    with override_flag("bulk_actions", active=True):
        statuses, witness = run(role, number)
    told = f"{role}: {dict(sorted(statuses.items()))}, {witness.changes} changes, {witness.entries} entries"
    assert bool(witness.entries) == (role in CHANGES) or role == roles.AUDITOR, told
    assert statuses.get(200, 0) > number / 10, told
    sealing.run()
    call_command("verify_ledger", stdout=io.StringIO())
    return told


UNFAITHFUL = {
    "changed without an entry": lambda comment, by: Comment.objects.filter(pk=comment.pk).update(status="approved"),
    "did not change": lambda comment, by: verbs.get("comment.approve")(comment, by=by),
    "was removed": lambda comment, by: Reason.objects.latest("pk").delete(),
}


@pytest.mark.parametrize("words", UNFAITHFUL)
def test_the_witness_sees_what_does_not_agree(portal, monkeypatch, words):
    comment, witness = Comment.objects.filter(status="pending").first(), Witness()
    verbs.get("comment.reject")(Comment.objects.filter(status="pending").last(), by=portal, reason="spam")
    witness.look()
    assert (witness.changes, witness.entries) == (1, 1)
    if words == "did not change":
        monkeypatch.setattr("console.ledger.update_rows", lambda *args: None)
    UNFAITHFUL[words](comment, portal)
    with pytest.raises(AssertionError, match=words):
        witness.look()


def test_the_witness_sees_what_an_entry_leaves_out(portal):
    comment, witness = Comment.objects.filter(status="pending").first(), Witness()
    with transaction.atomic():
        verbs.get("comment.approve")(comment, by=portal)
        Comment.objects.filter(pk=comment.pk).update(body="other words")
    with pytest.raises(AssertionError, match=r"does not tell of .*body"):
        witness.look()


def test_an_error_is_told_with_what_was_sent(portal, monkeypatch):
    def broken(*args):
        raise ZeroDivisionError

    monkeypatch.setattr("moderation.views.CommentsPage.load", broken)
    with pytest.raises(AssertionError, match=f"(?s)seed {SEED}: client.generic.*ZeroDivisionError"):
        run(roles.SENIOR, 200)


@pytest.mark.brief
@pytest.mark.parametrize("role", ROLES)
def test_fuzz(portal, role):
    print(check(role, FEW))  # noqa: T201


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_fuzz_at_length(portal, role):
    print(check(role, MANY))  # noqa: T201
