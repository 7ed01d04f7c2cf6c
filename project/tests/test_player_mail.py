"""From a decision to the mail about it, through what gives out events: once, whatever happens on the way."""

import time
from datetime import timedelta

import pytest
from django.core import mail as outgoing
from django.db import OperationalError
from django.db.models import F

from console import jobs, outbox, verbs
from console.models import Event, Job
from console.webhooks import sending as webhooks
from moderation.mails import topics
from moderation.models import Notice
from moderation.testing import make_comment, make_player


@pytest.fixture
def decided(committed_db, settings):
    """A comment of somebody who can be written to, rejected, and the window over."""
    settings.PLAYER_MAIL = ["on"]
    comment = make_comment(player=make_player(email="ada@mail.example"))
    verbs.get("comment.reject")(comment, by=None, reason="spam")
    Event.objects.update(due_at=F("due_at") - timedelta(hours=1))
    return comment


def dispatch():
    """When no test beside this one, in another database, is in its way."""
    deadline = time.monotonic() + 20
    while not (number := webhooks.dispatch()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return number


def test_what_is_given_out_reaches_the_mails_once(decided, monkeypatch):
    monkeypatch.setattr(jobs, "send", lambda pk, queue: True)
    assert dispatch() == 1
    assert webhooks.dispatch() == 0
    job = Job.objects.get(kind=topics.KIND)
    jobs.work(job.pk)
    jobs.work(job.pk)
    assert [sent.to for sent in outgoing.outbox] == [["ada@mail.example"]]
    assert Notice.objects.get().target == decided.pk


def test_who_stumbles_over_an_event_holds_up_nobody(decided, monkeypatch, caplog):
    monkeypatch.setattr(outbox, "_listeners", [lambda events: 1 / 0, topics.collect])
    assert dispatch() == 1
    assert Notice.objects.count() == 1
    assert "1 events were not heard by" in caplog.text


def test_a_database_that_stands_in_the_way_loses_nothing(decided, monkeypatch):
    def locked(events):
        raise OperationalError("canceling statement due to lock timeout")

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "_listeners", [topics.collect, locked])
        with pytest.raises(OperationalError):
            dispatch()
    assert not Notice.objects.exists()
    assert dispatch() == 1
    assert Notice.objects.count() == 1
