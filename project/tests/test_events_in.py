"""Events of portals: signed, stored once, taken in by a job, replayed without a second effect."""

import json
import time
import uuid
from datetime import timedelta

import pytest
from django.db import DataError
from django.test import Client
from django.utils import timezone
from standardwebhooks import Webhook as Reference

from console import jobs, retention
from console.models import Entry, Job, Received, Source
from console.received import working
from console.received.actions import make_source, replay, retire, rotate
from moderation.actions import approve
from moderation.intake import comments
from moderation.models import Comment, Player

URL = "/api/v1/events/"


@pytest.fixture
def source(olga):
    return make_source(by=olga.user, name="Portal").done[0]


@pytest.fixture
def send(source, client):
    """Sends an event as the reference library signs it; the response."""

    def send(kind="comment.created", message=None, *, secret=None, at=None, when=None, **data):
        body = json.dumps({"type": kind, "timestamp": when or timezone.now().isoformat(), "data": data})
        message, at = message or f"msg_{uuid.uuid4()}", at or timezone.now()
        signature = Reference(secret or source.secrets[0]).sign(message, at, body)
        headers = {"webhook-id": message, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}
        return Client().post(URL, body, content_type="application/json", headers=headers)

    return send


def work():
    """What workers would do now."""
    for job in Job.objects.filter(kind=working.KIND, state=Job.QUEUED).order_by("pk"):
        jobs.work(job.pk)


def states():
    return list(Received.objects.order_by("pk").values_list("state", flat=True))


def one(**fields):
    return {"external_id": "c1", "author": "Kim", "body": "hello"} | fields


def test_an_event_is_answered_at_once_and_taken_in_by_a_job(send):
    response = send(message="m1", **one())
    assert (response.status_code, response.json()) == (202, {"id": "m1", "status": "accepted"})
    assert states() == ["waiting"]
    work()
    assert Comment.objects.get().body == "hello"
    assert (states(), Received.objects.get().status) == (["processed"], "created")


def test_the_same_id_twice_counts_once(send):
    assert send(message="m1", **one()).status_code == 202
    again = send(message="m1", **one(body="another"))
    assert (again.status_code, again.json()["status"]) == (200, "known")
    work()
    assert Comment.objects.get().body == "hello"
    assert Received.objects.count() == Job.objects.filter(kind=working.KIND).count() == 1


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_message_of_another_time_is_refused(send, minutes):
    response = send(at=timezone.now() + timedelta(minutes=minutes), **one())
    assert (response.status_code, response["Content-Type"]) == (401, "application/problem+json")
    assert not Received.objects.exists()


def test_a_wrong_signature_is_refused(send, client):
    assert send(secret="whsec_" + "A" * 43 + "=", **one()).status_code == 401
    assert client.post(URL, "{}", content_type="application/json").status_code == 401
    assert not Received.objects.exists()


def test_a_body_that_was_changed_on_the_way_is_refused(source, client):
    signed = Reference(source.secrets[0]).sign("m1", timezone.now(), "{}")
    headers = {"webhook-id": "m1", "webhook-timestamp": str(int(time.time())), "webhook-signature": signed}
    assert client.post(URL, '{"type": "x"}', content_type="application/json", headers=headers).status_code == 401


def test_a_secret_that_was_replaced_is_right_for_a_day_and_a_retired_source_is_refused(send, source, olga):
    old = source.secrets[0]
    rotate(source, by=olga.user)
    source.refresh_from_db()
    assert send(secret=old).status_code == send().status_code == 202
    Source.objects.update(rotated_at=timezone.now() - timedelta(hours=25))
    assert send(secret=old).status_code == 401
    source.refresh_from_db()
    retire(source, by=olga.user)
    assert send().status_code == 401


def test_secrets_are_kept_locked(source):
    assert source.secrets[0] not in str(Source.objects.values_list().get())


def signed(source, client, body):
    """What a body is answered, whatever it says."""
    signature = Reference(source.secrets[0]).sign("m1", timezone.now(), body)
    headers = {"webhook-id": "m1", "webhook-timestamp": str(int(time.time())), "webhook-signature": signature}
    return client.post(URL, body, content_type="application/json", headers=headers).status_code


@pytest.mark.parametrize("body", ["[]", '{"type": "x"}', '{"type": "x", "data": {}}', '{"type": 1, "data": {}}'])
def test_what_makes_no_sense_is_not_stored(source, client, body):
    assert signed(source, client, body) == 422
    assert not Received.objects.exists()


def test_a_number_that_cannot_be_stored_is_no_json(source, client):
    body = '{"type": "comment.created", "timestamp": "2026-01-31T12:05:00Z", "data": {"external_id": 1e999}}'
    assert signed(source, client, body) == 400
    assert not Received.objects.exists()


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_cannot_be_read_back_is_refused(send, when):
    """Stored, it would stop the job of its source, and the list, for good."""
    assert send(when=when, **one()).status_code == 422
    assert not Received.objects.exists()


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_that_no_page_could_show_is_not_stored(send, when):
    assert send(when=when, **one()).status_code == 422
    assert not Received.objects.exists()


def test_a_zone_that_only_python_knows_holds_nobody_up(send):
    far = "2026-01-31T12:00:00-23:59"
    send(when=far, **one(created_at=far))
    work()
    assert states() == ["processed"]
    assert Comment.objects.get().created_at.isoformat() == "2026-02-01T11:59:00+00:00"


@pytest.mark.parametrize("message", ["a\0b", "a\x9fb", "m" * 201])
def test_an_id_that_cannot_be_kept_is_refused(send, message):
    assert send(message=message, **one()).status_code == 422
    assert not Received.objects.exists()


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "9" * 5000])
def test_a_number_that_cannot_be_kept_is_refused(source, client, number):
    body = f'{{"type": "comment.created", "timestamp": "2026-01-31", "data": {{"body": {number}}}}}'
    signed = Reference(source.secrets[0]).sign("m1", timezone.now(), body)
    headers = {"webhook-id": "m1", "webhook-timestamp": str(int(time.time())), "webhook-signature": signed}
    response = client.post(URL, body, content_type="application/json", headers=headers)
    assert response.status_code == 400
    assert "sys." not in response.json()["detail"]


def test_after_a_new_secret_nobody_asks_for_one_that_cannot_be_read(send, source, olga, settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 9, []
    assert send(secret="whsec_" + "A" * 43 + "=", **one()).status_code == 401
    rotate(source, by=None)
    source.refresh_from_db()
    assert send(**one()).status_code == 202


def test_what_happened_is_taken_in_in_order(send):
    send(**one())
    send("comment.updated", external_id="c1", body="other")
    send("report.created", external_id="r1", comment="c1", player="p1", words="spam")
    send("player.updated", external_id="p1", username="Alex")
    send("comment.deleted", external_id="c1")
    work()
    comment = Comment.objects.get()
    assert (comment.body, comment.status, comment.report_count) == ("other", "deleted", 1)
    assert Player.objects.get(external_id="p1").username == "Alex"
    assert states() == ["processed"] * 5


def test_what_cannot_be_taken_in_says_why(send):
    send("comment.created", external_id="c1")
    send("game.created", external_id="g1")
    send("comment.liked", external_id="c1")
    work()
    errors = list(Received.objects.order_by("pk").values_list("error", flat=True))
    assert errors == ["body is missing.", working.UNKNOWN, working.UNKNOWN]
    assert states() == ["failed"] * 3


def test_a_replay_has_no_second_effect(send, olga):
    send(**one())
    send("comment.updated", external_id="c1", body="other")
    work()
    approve(Comment.objects.get(), by=olga.user)
    entries = Entry.objects.count()
    replay(list(Received.objects.order_by("pk")), by=olga.user)
    work()
    comment = Comment.objects.get()
    assert (comment.body, comment.status, comment.edits) == ("other", "approved", 1)
    assert states() == ["processed"] * 2
    assert Entry.objects.count() == entries + 2, "the replay itself, of both"


def test_a_replay_of_what_was_overtaken_changes_nothing(send, olga):
    send("player.updated", external_id="p1", username="Ann")
    send("player.updated", external_id="p1", username="Anna")
    work()
    replay(Received.objects.earliest("pk"), by=olga.user)
    work()
    assert Player.objects.get().username == "Anna"
    assert Received.objects.earliest("pk").status == "overtaken"


def test_what_failed_is_replayed_once_its_cause_is_gone(send, olga):
    send("report.created", external_id="r1", comment="c1")
    work()
    assert states() == ["failed"]
    send(**one())
    work()
    replay(Received.objects.earliest("pk"), by=olga.user)
    work()
    assert states() == ["processed"] * 2
    assert Comment.objects.get().report_count == 1


@pytest.mark.parametrize("error", [AssertionError, DataError])
def test_one_that_breaks_us_holds_nobody_else_up(send, monkeypatch, error):
    send(**one(body="break"))
    send(**one(external_id="c2"))
    clean = comments.clean

    def fragile(values):
        if values.get("body") == "break":
            raise error
        return clean(values)

    monkeypatch.setattr(comments, "clean", fragile)
    for _ in range(working.ALONE):
        Job.objects.update(due_at=timezone.now())
        work()
    assert states() == ["failed", "processed"]
    assert "Something unexpected happened" in Received.objects.earliest("pk").error


def test_after_a_job_that_was_cancelled_the_next_event_takes_all_in(send):
    send(**one())
    jobs.cancel(Job.objects.all())
    send(**one(external_id="c2"))
    work()
    assert states() == ["processed"] * 2


def test_what_was_sent_is_let_go_of_after_a_while(send, settings):
    send(**one())
    work()
    Received.objects.update(processed_at=timezone.now() - timedelta(days=settings.RECEIVED_DAYS + 1))
    (job,) = jobs.enqueue(retention.KIND, [{}])
    jobs.work(job.pk)
    received = Received.objects.get()
    assert received.data is None
    assert not received.can_be_replayed


def test_erasing_a_player_erases_what_was_sent_of_them(send):
    send(**one(player="p1"))
    send("report.created", external_id="r1", comment="c1", words="rude")
    send("player.updated", external_id="p1", username="Kim")
    send(**one(external_id="c2", player="p2"))
    work()
    send("player.deleted", external_id="p1")
    work()
    kept = Received.objects.order_by("pk").values_list("data", flat=True)
    assert [data is not None for data in kept] == [False, False, False, True, False]


def test_what_was_wrong_with_an_event_is_not_kept_when_one_taken_in_with_it_erases_the_player(send):
    send("player.created", external_id="p1", username="Kim")
    send("player.updated", external_id="p1", email="kim at example.org")
    send("player.deleted", external_id="p1")
    work()
    assert [each.error for each in Received.objects.order_by("pk")] == ["", "", ""]
    assert Player.objects.get().erased_at
