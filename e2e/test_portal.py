"""A portal goes through a bad day with us: 10,000 comments, killed workers, receivers that fail or hang, second
thoughts. In the end it knows what we know, and was told of nothing twice.
"""

import re
import subprocess
import sys
from collections import Counter

import pytest

from console.flags import BULK_ACTIONS
from console.models import Entry, Event, Flag, Webhook
from console.testing import Person, make_user, undo_form
from e2e.portal import Portal, Receiver, comments, listening
from moderation.models import Comment
from project.testing import ROOT
from project.tests.rig import Rig, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]
NUMBER, BATCH, BULK, WINDOW_S = 10_000, 500, 1000, 6
WORKER = "worker for webhooks"
SETTINGS = {"UNDO_WINDOW_S": WINDOW_S, "WEBHOOK_PLAN_S": "0,1,1,2,2,2"}


@pytest.fixture
def rig(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), Rig(**SETTINGS) as rig:
        rig.person = Person(make_user("olga", is_superuser=True))
        flag = Flag.objects.get(name=BULK_ACTIONS)
        flag.everyone = True
        flag.save()
        rig.start(WORKER)
        yield rig


def make_token(rig):
    scopes = [part for scope in ("comments:write", "decisions:read") for part in ("--scope", scope)]
    command = [sys.executable, ROOT / "manage.py", "make_token", "portal", *scopes]
    made = subprocess.run(command, env=rig.environ(), check=True, capture_output=True, text=True)
    return made.stdout.split()[-1]


def add_webhook(rig, address, events):
    """Its secret, as the page shows it once."""
    fields = undo_form(name=address.rpartition("/")[2], url=address, events=events)
    status, _, _ = rig.request("POST", "/manage/webhooks/new/", fields)
    assert status == 303
    pk = Webhook.objects.get(url=address).pk
    return re.search(r"whsec_[\w+/=]+", rig.request("GET", f"/manage/webhooks/{pk}/")[1]).group()


def decide(rig, verb, comments, **fields):
    """One click on up to 1,000 of the queue; the address at which it is undone."""
    selected = [f"{pk}:{version}" for pk, version in comments.values_list("pk", "version")]
    rows = undo_form(selected=selected, verb=verb, next="/manage/comments/", **fields)
    status, text, _ = rig.request("POST", "/manage/comments/bulk/", rows)
    assert status == 303, text
    return Entry.objects.filter(verb=verb).latest("pk").get_undo_url()


def undo(rig, address):
    assert rig.request("POST", address, undo_form())[0] == 303


def known_to(receiver):
    """What a portal believes of its comments: of each, what it was told last."""
    told = sorted(receiver.told.values(), key=lambda news: news["timestamp"])
    return {news["data"]["comment"]: news["type"] for news in told if news["type"].startswith("comment.")}


def test_it_is_told_every_decision_once(rig):
    good, flaky = Receiver("/good"), Receiver("/flaky", answers=[500, 502])
    hung = Receiver("/hung", hangs=True)
    portal = Portal(f"http://127.0.0.1:{rig.port}", make_token(rig))
    with listening(good, flaky, hung) as there:
        for receiver in (good, flaky, hung):
            receiver.secret = add_webhook(rig, f"{there}{receiver.path}", [])
        for first in range(0, NUMBER, BATCH):
            status, answers = portal.post("comments/", list(comments(first, first + BATCH)))
            assert status == 200
            assert {answer["status"] for answer in answers} == {"created"}
        everything = Comment.objects.order_by("pk")
        assert everything.count() == NUMBER

        for place in range(0, 6_000, BULK):
            decide(rig, "comment.approve", everything[place : place + BULK])
        taken_back = decide(rig, "comment.approve", everything[6_000:7_000])
        undo(rig, taken_back)  # in time: nobody hears of it
        until(lambda: len(good.told) > 1_000, "a thousand are told")
        rig.kill(WORKER)
        regretted = decide(rig, "comment.reject", everything[7_000:8_000], reason="spam")
        for place in range(8_000, NUMBER, BULK):
            decide(rig, "comment.reject", everything[place : place + BULK], reason="spam")
        rig.start(WORKER)
        until(lambda: len(good.told) > 5_000, "half of it is told")
        rig.kill(WORKER)
        rig.start(WORKER)
        until(lambda: len(good.told) == 9_000, "all is told", 180)
        undo(rig, regretted)  # too late: the portal is corrected
        standing = Event.objects.filter(withdrawn_at=None)
        assert standing.count() == 10_000
        until(lambda: len(good.told) == len(flaky.told) == 10_000, "the corrections are told, by both", 180)

    assert hung.tries["hung"] >= 1
    ids = {str(pk) for pk in standing.values_list("pk", flat=True)}
    assert set(good.told) == set(flaky.told) == ids
    assert good.forged == flaky.forged == 0
    assert sum(good.tries.values()) - len(ids) <= 2 * 20  # what was on its way when a worker was killed
    assert Counter(good.tries.values())[1] >= len(ids) - 2 * 20

    states = dict(Comment.objects.values_list("external_id", "status"))
    known = known_to(good)
    assert known == known_to(flaky)
    assert {pk: f"comment.{states[pk]}" for pk in known} == known
    assert {states[pk] for pk in set(states) - set(known)} == {"pending"}
    corrections = [news for news in good.told.values() if "corrects" in news]
    assert len(corrections) == 1_000
    assert {news["corrects"] for news in corrections} < ids

    decided, _ = portal.decisions()  # who would rather ask is told the same, once
    assert sorted(each["id"] for each in decided) == sorted(ids)
