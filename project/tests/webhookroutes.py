"""The addresses about webhooks, for test_routes: who may open and send what, and a row to do it to."""

from django.db.models import F
from django.urls import reverse

from console.models import Delivery, Event, Webhook
from console.webhooks.testing import NOWHERE, make_delivery, make_webhook

READERS, OPERATORS = {"ann", "olga"}, {"olga"}
BY_HAND = ("test", "edit", "rotate", "enable", "disable", "replay", "remove")
ON_WEBHOOKS = {"console:webhook", *(f"console:webhook_{name}" for name in BY_HAND)}
ON_DELIVERIES = {"console:delivery", "console:delivery_replay", "console:event_replay"}
ALONE = {"console:webhooks", "console:webhook_new", "console:deliveries", "console:deliveries_bulk"}
MATRIX = {
    "console:webhooks": READERS,
    "console:webhook_new": OPERATORS,
    "console:webhook": READERS,
    **{f"console:webhook_{name}": OPERATORS for name in BY_HAND},
    "console:deliveries": READERS,
    "console:deliveries_bulk": READERS,  # the verb's own permission decides about a POST
    "console:delivery": READERS,
    "console:delivery_replay": OPERATORS,
    "console:event_replay": OPERATORS,
}
POSTS = {
    "console:webhook_new": (OPERATORS, 303, 200, 1),
    "console:deliveries_bulk": (OPERATORS, 303, 200, 1),
    "console:event_replay": (OPERATORS, 303, 200, 1),
}


def address(name):
    """The page's address, about a row made for it."""
    if name in ALONE:
        return reverse(name)
    if name in ON_WEBHOOKS:
        delivery = failed_delivery(make_webhook(is_active=name != "console:webhook_enable"))
        return reverse(name, args=[delivery.webhook_id])
    delivery = failed_delivery()
    return reverse(name, args=[delivery.event_id if name == "console:event_replay" else delivery.pk])


def failed_delivery(webhook=None):
    delivery = make_delivery(webhook, state=Delivery.FAILED)
    Event.objects.filter(pk=delivery.event_id).update(dispatched_at=F("at"))
    return delivery


def sent(name):
    """What a good form posts there, beside the fields that every form has."""
    row = Webhook.objects.order_by("id").last() if name in ON_WEBHOOKS else None
    data = {"name": "The portal", "url": NOWHERE, "version": row.version if row else 0, "next": ""}
    if name == "console:deliveries_bulk":
        data |= {"verb": "delivery.replay", "selected": f"{failed_delivery().pk}:0"}
    return data
