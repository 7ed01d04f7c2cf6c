"""What the pages of the section Portal have in common, whichever app they belong to."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from console.models import Delivery, Received
from console.testing import make_received, make_source, make_token, undo_form
from console.webhooks.testing import make_delivery, make_webhook

pytestmark = pytest.mark.django_db
LISTS = ("connect/", "tokens/", "webhooks/", "received/", "mails/")


def paths():
    delivery, source = make_delivery(), make_source()
    make_token("bans:read")
    return [
        *LISTS,
        "tokens/new/",
        "webhooks/deliveries/",
        f"webhooks/deliveries/{delivery.pk}/",
        f"webhooks/{delivery.webhook_id}/edit/",
        f"received/sources/{source.pk}/",
    ]


def test_the_navigation_says_on_each_that_it_is_the_portal(olga):
    for path in paths():
        marked = re.findall(r'class="nav__item" href="([^"]+)" aria-current="\w+"', olga.get(f"/manage/{path}").text)
        assert set(marked) == {"/manage/tokens/"}, path


def test_each_has_the_style_of_the_section(olga):
    for path in paths():
        assert "css/portal" in olga.get(f"/manage/{path}").text, path


def test_the_choices_of_a_form_stand_in_one_column(olga):
    for path in ("tokens/new/", "webhooks/new/"):
        assert "choices--long" in olga.get(f"/manage/{path}").text, path


def test_a_form_that_can_do_nothing_says_so(olga):
    delivery = make_delivery()
    page = olga.get(f"/manage/webhooks/deliveries/{delivery.pk}/replay/").text
    assert "This cannot be done now." in page


def test_a_token_says_what_state_it_is_in(olga):
    assert "No tokens yet" in olga.get("/manage/tokens/").text
    make_token("bans:read", expires_at=timezone.now() + timedelta(days=300))
    assert re.search(r"chip--ok.*Active", olga.get("/manage/tokens/").text)


def test_the_ledger_calls_a_source_by_its_name(olga):
    page = olga.post("/manage/received/sources/new/", undo_form(name="The shop"))["Location"]
    assert re.search(r"added <bdi>source The shop</bdi>", olga.get(page).text)


def test_what_takes_an_endpoint_away_comes_last(olga):
    page = olga.get(make_webhook().get_absolute_url()).text
    labels = ["Send a test", "Edit", "New secret", "Replay all failed", "Disable", "Remove"]
    places = [re.search(rf"{label}\s*</", page).start() for label in labels]
    assert places == sorted(places)


def test_the_last_test_is_told_in_one_sentence(olga):
    webhook = make_webhook()
    test = Delivery.objects.create(webhook=webhook, state=Delivery.FAILED, code=500, error="It answered 500.")
    page = olga.get(webhook.get_absolute_url()).text
    assert f'<a href="{test.get_absolute_url()}">answered 500</a>, ' in page


def test_what_was_not_taken_in_says_so(olga):
    event = make_received(state=Received.FAILED, error="email is empty.", processed_at=timezone.now())
    assert "Not taken in: email is empty." in olga.get("/manage/received/").text
    page = olga.get(event.get_absolute_url()).text
    assert "It was not taken in: email is empty." in page
    assert "<dt>Taken in</dt>" not in page
