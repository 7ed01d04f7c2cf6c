"""From the outbox to receivers: once for each endpoint, tried by plan, signed, and nobody held up by anybody else."""

import time
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone
from standardwebhooks import Webhook as Reference

from console import jobs, verbs
from console.models import Attempt, Delivery, Entry, Event, Job, Webhook
from console.testing import make_user
from console.tests.outwards import at, failing, planned, states, until, work  # noqa: F401
from console.tests.receivers import Receiver, listening, trickling
from console.webhooks import actions, client, sending
from console.webhooks.testing import make_delivery, make_event, make_webhook

pytestmark = pytest.mark.usefixtures("committed_db")


# --- giving out ----------------------------------------------------------------------------------------------


def given_out(until_number):
    """Dispatches until so many are given out: a test beside this one may have a transaction open."""
    number, deadline = 0, time.monotonic() + 60
    while number < until_number and time.monotonic() < deadline:
        number += sending.dispatch()
        time.sleep(0.01)
    return number


def test_each_event_is_given_once_to_each_endpoint_that_wants_it():
    every, some = make_webhook(), make_webhook(events=["comment.rejected"])
    make_webhook(events=["player.banned"])
    make_webhook(removed_at=timezone.now())
    make_webhook(added_at=None)
    first, second = make_event("comment.approved"), make_event("comment.rejected")
    assert given_out(2) == 2
    assert sending.dispatch() == 0
    told = set(Delivery.objects.values_list("webhook", "event", "message", "state"))
    waiting = Delivery.WAITING
    assert told == {
        (every.pk, first.pk, first.pk, waiting),
        (every.pk, second.pk, second.pk, waiting),
        (some.pk, second.pk, second.pk, waiting),
    }


def test_an_endpoint_is_told_only_of_what_happens_after_it_was_added():
    make_event()
    make_webhook()
    late = make_event()
    assert given_out(2) == 2
    assert list(Delivery.objects.values_list("event", flat=True)) == [late.pk]


def test_what_is_withdrawn_or_not_due_is_given_to_nobody():
    make_webhook()
    make_event(withdrawn_at=timezone.now())
    Event.objects.filter(pk=make_event().pk).update(due_at=timezone.now() + timedelta(minutes=1))
    make_event()
    assert given_out(1) == 1
    assert sending.dispatch() == 0
    assert Delivery.objects.count() == 1


def test_nothing_is_given_out_while_something_earlier_may_come():
    make_webhook()
    with connections["owner"].cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT pg_current_xact_id()")
        make_event()
        assert sending.dispatch() == 0
        cursor.execute("COMMIT")
    assert given_out(1) == 1


def test_without_an_endpoint_events_are_given_to_nobody_and_done_with():
    make_event()
    assert given_out(1) == 1
    assert Event.objects.exclude(dispatched_at=None).count() == 1
    assert Job.objects.filter(kind=sending.KIND).count() == 0


def test_an_endpoint_has_one_job_at_a_time():
    one, other = make_webhook(), make_webhook()
    for _ in range(3):
        make_delivery(one)
        make_delivery(other)
        sending.dispatch()
    jobs_there = Job.objects.filter(kind=sending.KIND).values_list("args__webhook", flat=True)
    assert sorted(jobs_there) == [one.pk, other.pk]


# --- sending -------------------------------------------------------------------------------------------------


def test_what_arrives_is_signed_and_says_what_happened():
    with listening(receiver := Receiver()) as port:
        delivery = make_delivery(at(port))
        until(lambda: states() == ["delivered"])
    ((path, headers, body, _),) = receiver.seen
    secret = Webhook.objects.get().first_secret
    told = Reference(secret).verify(body, headers)
    assert path == "/hook"
    assert headers["webhook-id"] == str(delivery.event_id)
    assert told["type"] == "comment.approved"
    assert set(told) == {"type", "timestamp", "data"}
    assert Attempt.objects.values_list("number", "code", "answer").get() == (1, 200, "thanks")


def test_failed_twice_it_is_tried_by_plan_and_then_no_more():
    with listening(receiver := Receiver([500, 500, 200])) as port:
        webhook = at(port)
        delivery = make_delivery(webhook)
        until(lambda: states() == ["delivered"])
        for _ in range(5):
            work()
    assert receiver.ids == [str(delivery.message)] * 3
    assert list(Attempt.objects.order_by("number").values_list("number", "code")) == [(1, 500), (2, 500), (3, 200)]
    webhook.refresh_from_db()
    assert (webhook.failing_since, webhook.state) == (None, "active")
    gaps = [b[3] - a[3] for a, b in zip(receiver.seen, receiver.seen[1:], strict=False)]
    assert min(gaps) >= 0.045, "no sooner than planned"


def test_after_the_last_try_it_has_failed_and_is_left_alone():
    with listening(receiver := Receiver([500])) as port:
        make_delivery(at(port))
        until(lambda: states() == ["failed"])
        for _ in range(5):
            work()
    assert len(receiver.seen) == 3


@pytest.mark.parametrize("code", [301, 302, 307, 400, 401, 404, 500])
def test_only_2xx_is_success(settings, code):
    settings.WEBHOOK_PLAN_S = [0]
    with listening(receiver := Receiver([(code, {"Location": "http://127.0.0.1:9/"}, b"")])) as port:
        make_delivery(at(port))
        until(lambda: states() == ["failed"])
    assert len(receiver.seen) == 1
    assert f"answered {code}" in Delivery.objects.get().error


@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
def test_all_of_2xx_is_success(code):
    with listening(Receiver([(code, {}, b"")])) as port:
        make_delivery(at(port))
        until(lambda: states() == ["delivered"])


def test_410_disables_the_endpoint_and_operators_are_told(settings):
    make_user("olga", is_superuser=True, email="olga@mail.example")
    with listening(receiver := Receiver([410])) as port:
        webhook = at(port)
        first, second = make_delivery(webhook), make_delivery(webhook)
        until(lambda: states() == ["failed", "failed"])
    webhook.refresh_from_db()
    assert (webhook.state, len(receiver.seen)) == ("disabled", 1)
    assert "410" in webhook.why_disabled
    entry = Entry.objects.get(verb="webhook.give_up")
    assert (entry.actor, entry.target_id) == (None, webhook.pk)
    assert Job.objects.get(kind="mail").args["mail"] == "webhook_disabled"
    assert {first.event_id, second.event_id} == set(Delivery.objects.values_list("event_id", flat=True))


def test_after_five_days_of_failures_it_is_disabled_and_not_before(monkeypatch):
    make_user("olga", is_superuser=True, email="olga@mail.example")
    with listening(Receiver([500])) as port:
        webhook = at(port, failing_since=timezone.now() - timedelta(days=4, hours=23))
        make_delivery(webhook)
        until(lambda: states() == ["failed"])
        webhook.refresh_from_db()
        assert webhook.state == "failing"
        Webhook.objects.update(failing_since=timezone.now() - timedelta(days=5, minutes=1))
        make_delivery(webhook)
        until(lambda: states()[-1] == "failed")
    webhook.refresh_from_db()
    assert (webhook.state, Job.objects.filter(kind="mail").count()) == ("disabled", 1)


def test_what_failed_long_ago_leaves_the_next_message_all_its_tries():
    with listening(receiver := Receiver([500, 200])) as port:
        webhook = at(port, failing_since=timezone.now() - timedelta(days=60))
        make_delivery(webhook)
        until(lambda: states() == ["delivered"])
    webhook.refresh_from_db()
    assert (webhook.state, len(receiver.seen)) == ("active", 2)


def test_a_test_that_fails_disables_nothing():
    webhook = make_webhook(failing_since=timezone.now() - timedelta(days=60))  # nobody listens there
    actions.test(webhook, by=None)
    assert sending.send_now(webhook.deliveries.get()).code is None
    webhook.refresh_from_db()
    assert webhook.is_active


def test_whoever_does_not_answer_for_days_is_disabled_however_much_waits():
    webhook = make_webhook(failing_since=timezone.now() - timedelta(days=6), failures=sending.STUBBORN)
    sending.send_now(make_delivery(webhook))
    webhook.refresh_from_db()
    assert not webhook.is_active


@pytest.mark.parametrize("code", sorted(sending.BUSY))
def test_whoever_is_busy_is_left_in_peace_for_as_long_as_it_asks(code):
    with listening(receiver := Receiver([(code, {"Retry-After": "60"}, b""), 200])) as port:
        webhook = at(port)
        for _ in range(3):
            make_delivery(webhook)
        until(lambda: failing(webhook))
        for _ in range(3):
            work()
        assert len(receiver.seen) == 1
        wait = (webhook.resting_until - timezone.now()).total_seconds()
        assert 50 < wait <= 60
        waiting = Delivery.objects.get(attempts=1)
        assert (waiting.next_at - timezone.now()).total_seconds() > 50
        Webhook.objects.update(resting_until=timezone.now())
        until(lambda: states().count("delivered") == 2)


def test_no_endpoint_asks_for_more_than_an_hour():
    with listening(Receiver([(503, {"Retry-After": "999999"}, b"")])) as port:
        webhook = at(port)
        make_delivery(webhook)
        until(lambda: failing(webhook))
    assert (webhook.resting_until - timezone.now()).total_seconds() <= client.WAIT_MOST_S


def test_whoever_hangs_costs_one_wait_and_delays_nobody_else(monkeypatch):
    monkeypatch.setattr(client, "TOTAL_S", 2)
    monkeypatch.setattr(sending, "REST_S", 600)
    with trickling(b"", b"") as hung, listening(receiver := Receiver()) as port:
        slow, quick = at(hung, events=["nothing"]), at(port, events=["nothing"])  # but what they are given here
        for _ in range(5):
            make_delivery(slow)
            make_delivery(quick)
        until(lambda: len(receiver.seen) == 5)
        until(lambda: failing(slow))
        work()
    assert Attempt.objects.filter(delivery__webhook=slow).count() == 1, "the others wait for its rest to be over"
    assert Delivery.objects.filter(webhook=slow, state=Delivery.WAITING).count() == 5
    assert set(Delivery.objects.filter(webhook=quick).values_list("state", "attempts")) == {("delivered", 1)}


def test_a_rest_grows_up_to_ten_minutes(monkeypatch):
    monkeypatch.setattr(sending, "REST_S", 5)
    waits = []
    for failures in (0, 1, 2, 20):
        webhook = make_webhook(failures=failures)  # nobody listens there
        delivery = make_delivery(webhook)
        assert sending.send_now(delivery).code is None
        webhook.refresh_from_db()
        waits.append(round((webhook.resting_until - timezone.now()).total_seconds()))
    assert waits == [5, 10, 20, 600]


def test_deliveries_come_in_order_over_one_connection():
    with listening(receiver := Receiver()) as port:
        webhook = at(port)
        told = [str(make_delivery(webhook).event_id) for _ in range(20)]
        until(lambda: states() == ["delivered"] * 20)
    assert (receiver.ids, receiver.connections) == (told, 1)


def test_a_job_ends_after_a_while_and_the_next_goes_on(monkeypatch):
    monkeypatch.setattr(sending, "SECONDS", 0)
    with listening(receiver := Receiver()) as port:
        webhook = at(port)
        make_delivery(webhook)
        make_delivery(webhook)
        sending.dispatch()
        (job,) = Job.objects.filter(kind=sending.KIND)
        jobs.work(job.pk)
        assert set(Job.objects.filter(kind=sending.KIND).values_list("state", flat=True)) == {Job.DONE, Job.QUEUED}
        monkeypatch.undo()
    assert len(receiver.seen) <= 1


def test_what_was_begun_and_cut_off_comes_again_by_plan_with_the_same_id():
    with listening(receiver := Receiver()) as port:
        delivery = make_delivery(at(port))
        assert sending._begin(delivery.webhook, delivery)  # and the worker is killed
        until(lambda: states() == ["delivered"])
    assert receiver.ids == [str(delivery.message)]
    assert Attempt.objects.order_by("number").values_list("number", "took_ms").first() == (1, None)
    assert Attempt.objects.count() == 2


def test_two_workers_at_one_endpoint_send_nothing_twice():
    with listening(receiver := Receiver()) as port:
        delivery = make_delivery(at(port))
        seen_by_both = Delivery.objects.select_related("webhook", "event").get()
        assert sending.send_now(delivery).is_good
        with client.Line(seen_by_both.webhook.url) as line:
            assert sending.send(seen_by_both.webhook, seen_by_both, b"{}", line) is None
    assert len(receiver.seen) == 1


def test_while_disabled_nothing_is_sent_and_nothing_is_lost():
    with listening(receiver := Receiver()) as port:
        webhook = at(port)
        make_delivery(webhook)
        verbs.get("webhook.disable")(Webhook.objects.get(), by=None)
        make_event()
        assert given_out(2) == 2
        work()
        assert (states(), receiver.seen) == (["failed", "failed"], [])
        verbs.get("webhook.enable")(Webhook.objects.get(), by=None)
        work()
        assert receiver.seen == []
        verbs.get("webhook.replay")(Webhook.objects.get(), by=None)
        until(lambda: states() == ["delivered", "delivered"])


def test_what_is_removed_is_told_nothing_more():
    with listening(receiver := Receiver()) as port:
        webhook = at(port)
        make_delivery(webhook)
        verbs.get("webhook.remove")(Webhook.objects.get(), by=None)
        make_event()
        assert given_out(2) == 2
        work()
    assert (states(), receiver.seen) == (["cancelled"], [])
