"""Pages of the section Portal, with long names and much to say, in every look: what test_looks asks of all pages."""

import pytest
from django.core import signing
from django.utils import timezone
from playwright.sync_api import expect

from console.models import Attempt, Delivery, Received, Token
from console.testing import make_received, make_source, make_token, make_user
from console.webhooks.testing import make_delivery, make_event, make_webhook
from e2e.test_looks import LONG, LOOKS, SIZES, is_good
from moderation.mails.drawing import SALT
from moderation.testing import make_player

PAGES = {
    "tokens": "/manage/tokens/",
    "new token": "/manage/tokens/new/",
    "token": "/manage/tokens/{token}/",
    "revoke": "/manage/tokens/{token}/revoke/",
    "webhooks": "/manage/webhooks/",
    "new endpoint": "/manage/webhooks/new/",
    "endpoint": "/manage/webhooks/{webhook}/",
    "edit": "/manage/webhooks/{webhook}/edit/",
    "new secret": "/manage/webhooks/{webhook}/rotate/",
    "replay all": "/manage/webhooks/{webhook}/replay/",
    "deliveries": "/manage/webhooks/deliveries/",
    "no deliveries": "/manage/webhooks/deliveries/?status=cancelled",
    "wrong filter": "/manage/webhooks/deliveries/?webhook=nonsense",
    "delivery": "/manage/webhooks/deliveries/{delivery}/",
    "replay": "/manage/webhooks/deliveries/{delivery}/replay/",
    "event": "/manage/ops/events/{event}/replay/",
    "received": "/manage/received/",
    "nothing received": "/manage/received/?status=waiting",
    "received event": "/manage/received/{received}/",
    "source": "/manage/received/sources/{source}/",
    "new source": "/manage/received/sources/new/",
    "retire": "/manage/received/sources/{source}/retire/",
    "mails": "/manage/mails/",
    "stop": "/mail/stop/{stop}/",
}


@pytest.fixture
def olga(world):
    return make_user("olga", is_superuser=True)


@pytest.fixture
def keys(olga):
    make_token("bans:read", "decisions:read", name=LONG[:80])
    webhook = make_webhook(name=LONG[:80], url=f"https://{LONG}.example/{LONG}", failing_since=timezone.now())
    event = make_event(dispatched_at=timezone.now())
    delivery = make_delivery(webhook=webhook, event=event, state=Delivery.FAILED, code=500, error="It answered 500.")
    Attempt.objects.create(delivery=delivery, number=1, took_ms=3, code=500, answer=f"{LONG}{LONG}\nשלום")
    make_delivery(webhook=webhook)
    source = make_source(name=LONG[:80])
    received = make_received(source=source, about=LONG, state=Received.FAILED, error=f"{LONG} is not right.")
    keys = {"token": Token.objects.get(), "webhook": webhook, "delivery": delivery, "source": source}
    keys = {name: row.pk for name, row in keys.items()}
    return keys | {
        "event": delivery.event_id,
        "received": received.pk,
        "stop": signing.dumps(make_player().pk, salt=SALT),
    }


@pytest.mark.slow
@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_every_page_of_the_portal(open_as, olga, keys, theme, size):
    page = open_as(olga, "/manage/", color_scheme=theme, viewport=SIZES[size])
    for name, path in PAGES.items():
        assert page.goto(path.format(**keys)).status < 400, name
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        is_good(page, name)


def test_empty_pages_say_what_they_are_for(open_as, olga):
    page = open_as(olga, "/manage/tokens/")
    for path, words in (("tokens", "No tokens yet"), ("webhooks", "No endpoints yet"), ("received", "Nobody may send")):
        page.goto(f"/manage/{path}/")
        expect(page.get_by_text(words)).to_be_visible()
        is_good(page, path)
