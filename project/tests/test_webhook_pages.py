"""What operators and auditors see and do about webhooks; receivers are real, and everything works without scripts."""

import os
import re
import subprocess
import sys

import pytest
from django.urls import reverse

from console.models import Attempt, Delivery, Entry, Event, Webhook
from console.testing import form, undo_form
from console.tests.receivers import Receiver, listening
from console.webhooks.testing import make_delivery, make_event, make_webhook
from project.tests.test_settings import PRODUCTION, ROOT
from project.tests.webhookroutes import failed_delivery

NEW, LIST, DELIVERIES = "/manage/webhooks/new/", "/manage/webhooks/", "/manage/webhooks/deliveries/"
SECRET = re.compile(r"whsec_[\w+/=]+")
pytestmark = pytest.mark.django_db


def add(person, **fields):
    return person.post(NEW, undo_form(**{"name": "The portal", "url": "http://127.0.0.1:9/hook"} | fields))


def test_a_secret_is_shown_once(olga, ann):
    response = add(olga)
    page = response["Location"]
    assert SECRET.search(ann.get(page).text) is None
    (shown,) = SECRET.findall(olga.get(page).text)
    assert shown == Webhook.objects.get().first_secret
    assert SECRET.search(olga.get(page).text) is None
    olga.post(f"{page}rotate/", form(Webhook.objects.get()))
    (another,) = SECRET.findall(olga.get(page).text)
    assert another == Webhook.objects.get().first_secret != shown


def test_a_new_endpoint_is_what_was_asked_for_by_one_entry(olga):
    add(olga, events=["player.banned", "comment.approved"])
    webhook = Webhook.objects.get()
    assert (webhook.name, webhook.events) == ("The portal", ["comment.approved", "player.banned"])
    assert Entry.objects.get().verb == "webhook.add"


def test_the_same_form_twice_makes_one_endpoint(olga):
    fields = undo_form(name="The portal", url="http://127.0.0.1:9/hook")
    assert [olga.post(NEW, fields).status_code for _ in range(2)] == [303, 303]
    assert (Webhook.objects.count(), Entry.objects.count()) == (1, 1)
    assert olga.post(NEW, fields | {"name": "Another"}).status_code == 422


@pytest.mark.parametrize("url", ["https://127.1/", "https://10.0.0.1/", "http://93.184.215.14/", "nonsense", ""])
def test_an_address_that_cannot_be_is_refused_and_nothing_typed_is_lost(settings, olga, url):
    settings.WEBHOOK_ALLOW = []
    response = add(olga, url=url, events=["comment.approved"])
    assert response.status_code == 422
    assert 'value="The portal"' in response.text
    assert re.search(r'value="comment.approved"[^>]* checked', response.text)
    webhook = make_webhook()
    changed = olga.post(f"{webhook.get_absolute_url()}edit/", form(webhook, name="New", url=url))
    assert changed.status_code == 422
    assert Webhook.objects.get().url == "http://127.0.0.1:9/"


def test_only_the_demo_allows_this_machine(settings):
    ask = "import django; django.setup(); from django.conf import settings; print(settings.WEBHOOK_ALLOW)"
    told = {}
    for demo in ("0", "1"):
        environ = {**os.environ, **PRODUCTION, "DEMO": demo}
        done = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, env=environ, capture_output=True, text=True)
        told[demo] = done.stdout.strip().splitlines()[-1:]
    assert told == {"0": ["[]"], "1": ["['127.0.0.0/8', '::1/128']"]}


def test_a_test_is_sent_at_once_and_its_answer_told(settings, olga):
    settings.WEBHOOK_ALLOW = ["127.0.0.1/32"]
    with listening(receiver := Receiver([200, 500])) as port:
        webhook = make_webhook(url=f"http://127.0.0.1:{port}/")
        page = webhook.get_absolute_url()
        olga.post(f"{page}test/", form(webhook, next=page))
        assert "answered 200." in olga.get(page).text
        webhook.refresh_from_db()
        answer = olga.post(f"{page}test/", form(webhook, next=page), htmx=True)
        assert "answered 500." in answer.text
    assert len(receiver.seen) == 2
    assert Entry.objects.filter(verb="webhook.test").count() == 2


def test_an_answer_is_shown_and_never_run(ann):
    delivery = make_delivery(state=Delivery.FAILED, error="It answered 500.")
    Attempt.objects.create(delivery=delivery, number=1, took_ms=3, code=500, answer="<script>alert(1)</script>\u202e")
    page = ann.get(delivery.get_absolute_url()).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "\u202e" not in page


def test_a_selection_is_replayed(olga):
    several = [failed_delivery() for _ in range(3)]
    selected = [f"{each.pk}:{each.version}" for each in several[:2]]
    data = undo_form(verb="delivery.replay", selected=selected, next=DELIVERIES)
    assert olga.post(f"{DELIVERIES}bulk/", data).status_code == 303
    states = Delivery.objects.order_by("pk").values_list("state", "replayed_by")
    assert list(states) == [("waiting", olga.user.pk)] * 2 + [("failed", None)]


def test_an_event_is_told_again_to_every_endpoint_that_was_told_of_it(olga):
    event = make_event()
    here, there = (make_delivery(event=event, state=Delivery.DELIVERED) for _ in range(2))
    disabled = make_delivery(make_webhook(is_active=False), event=event, state=Delivery.FAILED)
    Event.objects.update(dispatched_at=event.at)
    page = reverse("console:event_replay", args=[event.pk])
    assert page == f"/manage/ops/events/{event.pk}/replay/"
    fields = undo_form()
    assert [olga.post(page, fields).status_code for _ in range(2)] == [303, 303]
    assert {each.pk: each.state for each in Delivery.objects.all()} == {
        here.pk: "waiting",
        there.pk: "waiting",
        disabled.pk: "failed",
    }
    assert Entry.objects.filter(verb="delivery.replay").count() == 2
    assert "no endpoint that could be told" in olga.get(page).text
    assert olga.post(page, undo_form()).status_code == 409


def test_a_list_holds_what_its_state_and_endpoint_say(ann):
    one, other = failed_delivery(), make_delivery()
    assert set(re.findall(r'data-item="delivery-(\d+)"', ann.get(DELIVERIES).text)) == {str(one.pk), str(other.pk)}
    for query in ("status=failed", f"webhook={one.webhook_id}"):
        assert re.findall(r'data-item="delivery-(\d+)"', ann.get(f"{DELIVERIES}?{query}").text) == [str(one.pk)]
    assert ann.get(f"{DELIVERIES}?webhook=99999").text.count("data-item") == 0


@pytest.mark.parametrize("number", [3, 12])
def test_pages_cost_the_same_however_much_is_on_them(ann, django_assert_max_num_queries, number):
    webhook = make_webhook()
    for _ in range(number):
        make_delivery(webhook)
        make_webhook()
    for page, item, there in (
        (DELIVERIES, "delivery-", number),
        (webhook.get_absolute_url(), "delivery-", min(number, 8)),
        (LIST, "webhook-", number + 1),
    ):
        ann.get(page)
        with django_assert_max_num_queries(8):
            assert ann.get(page).text.count(f'data-item="{item}') == there
    assert f"{number} waiting, 0 failed" in ann.get(LIST).text


def test_an_endpoint_that_was_disabled_says_why_and_what_becomes_of_its_events(ann):
    webhook = make_webhook(is_active=False, disabled_at=make_event().at, why_disabled="It answered 410: gone.")
    page = ann.get(webhook.get_absolute_url()).text
    assert "It answered 410: gone." in page
    assert "listed as failed" in page
    assert 'data-state="disabled"' in ann.get(LIST).text


def test_what_was_removed_is_nobodys_page_any_more(olga):
    webhook = make_webhook(removed_at=make_event().at)
    assert olga.get(webhook.get_absolute_url()).status_code == 404
    assert olga.post(f"{webhook.get_absolute_url()}enable/", form(webhook)).status_code == 404
    assert webhook.name not in olga.get(LIST).text


def test_removing_can_be_undone(olga):
    webhook = make_webhook()
    olga.post(f"{webhook.get_absolute_url()}remove/", form(webhook))
    olga.post(Entry.objects.get(verb="webhook.remove").get_undo_url(), undo_form())
    assert Webhook.objects.get().is_there


def test_a_poll_brings_a_delivery_up_to_date_that_somebody_waits_for(ann):
    delivery = make_delivery()
    page = delivery.get_absolute_url()
    assert f'value="delivery-{delivery.pk}:waiting"' in ann.get(page).text
    Delivery.objects.update(state=Delivery.DELIVERED, code=200)
    poll = {"watch": f"delivery-{delivery.pk}:waiting", "v": "old"}
    told = ann.get("/manage/live/", poll, htmx=True, headers={"HX-Current-URL": f"http://testserver{page}"}).text
    assert 'hx-swap-oob="outerHTML"' in told
    assert "The delivery was delivered." in told
