"""Secrets and their rotation, replays, tests of endpoints, and what is swept."""

import json
import time
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone
from standardwebhooks import Webhook as Reference

from console import outbox, verbs
from console.models import Attempt, Delivery, Entry, Job, Webhook
from console.testing import make_user
from console.tests.outwards import at, planned, states, until  # noqa: F401
from console.tests.receivers import Receiver, listening
from console.webhooks import actions, sending
from console.webhooks.testing import make_delivery, make_webhook

pytestmark = pytest.mark.usefixtures("committed_db")


def test_after_a_rotation_messages_bear_two_signatures_for_a_day():
    with listening(receiver := Receiver()) as port:
        webhook = at(port)
        old = webhook.first_secret
        verbs.get("webhook.rotate")(Webhook.objects.get(), by=None)
        new = Webhook.objects.get().first_secret
        make_delivery(webhook)
        until(lambda: states() == ["delivered"])
        Webhook.objects.update(rotated_at=timezone.now() - timedelta(hours=24, minutes=1))
        make_delivery(webhook)
        until(lambda: states() == ["delivered"] * 2)
    (_, during, body, _), (_, after, later, _) = receiver.seen
    for secret in (old, new):
        Reference(secret).verify(body, during)
    assert (during["webhook-signature"].count("v1,"), after["webhook-signature"].count("v1,")) == (2, 1)
    Reference(new).verify(later, after)
    assert old != new


def test_secrets_lie_nowhere_in_the_clear():
    webhook = make_webhook()
    secret = webhook.first_secret
    verbs.get("webhook.rotate")(webhook, by=None)
    stored = json.dumps([list(model.objects.values()) for model in (Webhook, Entry, Job)], default=str)
    assert secret not in stored
    assert Webhook.objects.get().first_secret not in stored
    assert "gAAAA" not in json.dumps(list(Entry.objects.values()), default=str), "nor locked, where it is for good"


def test_a_secret_that_cannot_be_read_any_more_is_said_to_be(settings):
    make_delivery(make_webhook(secret="gAAAAAx"))
    until(lambda: Attempt.objects.exclude(error="").exists())
    assert Attempt.objects.first().error == sending.UNREADABLE


def test_after_a_new_secret_messages_leave_though_the_old_one_cannot_be_read(settings):
    with listening(receiver := Receiver()) as port:
        webhook = at(port)
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 9, []
        verbs.get("webhook.rotate")(Webhook.objects.get(), by=None)
        make_delivery(webhook)
        until(lambda: states() == ["delivered"])
    ((_, headers, body, _),) = receiver.seen
    Reference(Webhook.objects.get().first_secret).verify(body, headers)


def test_a_replay_is_the_same_message_signed_anew_and_says_who_asked():
    olga = make_user("olga", is_superuser=True)
    with listening(receiver := Receiver([200])) as port:
        delivery = make_delivery(at(port))
        until(lambda: states() == ["delivered"])
        delivery.refresh_from_db()
        time.sleep(1.1)  # timestamps are whole seconds
        verbs.get("delivery.replay")(delivery, by=olga)
        until(lambda: len(receiver.seen) == 2)
    (_, first, _, _), (_, second, body, _) = receiver.seen
    assert first["webhook-id"] == second["webhook-id"]
    assert int(second["webhook-timestamp"]) > int(first["webhook-timestamp"])
    Reference(Webhook.objects.get().first_secret).verify(body, second)
    assert list(Attempt.objects.order_by("number").values_list("number", "replayed_by")) == [(1, None), (2, olga.pk)]
    assert Entry.objects.get(verb="delivery.replay").actor == olga


def test_all_that_failed_since_is_replayed_at_once():
    webhook = make_webhook()
    since = timezone.now() - timedelta(hours=1)
    old = make_delivery(webhook, state=Delivery.FAILED, at=since - timedelta(minutes=1))
    new = make_delivery(webhook, state=Delivery.FAILED)
    other = make_delivery(state=Delivery.FAILED)
    ping = Delivery.objects.create(webhook=webhook, state=Delivery.FAILED)  # a test: nobody needs it later
    verbs.get("webhook.replay")(webhook, by=None, since=since.isoformat())
    assert {each.pk: each.state for each in Delivery.objects.all()} == {
        old.pk: "failed",
        new.pk: "waiting",
        other.pk: "failed",
        ping.pk: "failed",
    }


def test_a_test_is_a_signed_ping_that_is_tried_once():
    with listening(receiver := Receiver([500, 200])) as port:
        webhook = at(port)
        actions.test(webhook, by=None)
        assert sending.send_now(webhook.deliveries.get()).code == 500
        webhook.refresh_from_db()
        actions.test(webhook, by=None)
        assert sending.send_now(webhook.deliveries.latest("pk")).is_good
    assert states() == ["failed", "delivered"]
    assert len(set(receiver.ids)) == 2
    assert Reference(webhook.first_secret).verify(receiver.seen[1][2], receiver.seen[1][1])["type"] == "ping"


def test_what_is_old_is_swept_with_its_event():
    webhook = make_webhook()
    delivery = make_delivery(webhook)
    sending._begin(webhook, delivery)
    Delivery.objects.create(webhook=webhook, at=timezone.now() - timedelta(days=31))
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE console_event SET at = at - interval '31 days'")
    assert outbox.sweep() == 1
    assert (Delivery.objects.count(), Attempt.objects.count(), Webhook.objects.count()) == (0, 0, 1)
