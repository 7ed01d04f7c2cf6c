"""Factories of endpoints and of what they are told, for tests of this app and those above it."""

import itertools
import uuid

from django.db import connection
from django.utils import timezone

from console import atrest
from console.models import Delivery, Event, Webhook
from console.webhooks import signing

NOWHERE = "http://127.0.0.1:9/"  # where nobody listens
_numbers = itertools.count(1)


def make_webhook(**kwargs):
    """An endpoint in force, that nobody listens at unless told otherwise."""
    secret = atrest.lock(Webhook.PURPOSE, signing.new_secret())
    values = {"name": f"portal {next(_numbers)}", "url": NOWHERE, "secret": secret, "added_at": timezone.now()}
    return Webhook.objects.create(**values | kwargs)


def make_event(name="comment.approved", **kwargs):
    """An event of nothing in particular, due at once; no entry is behind it. By hand, since the application cannot say
    when something happened.
    """
    values = {"entry_id": -next(_numbers), "name": name, "target_type": "console.user", "target_id": 1} | kwargs
    values |= {"id": uuid.uuid4(), "payload": "{}", "due_at": timezone.now()}
    with connection.cursor() as cursor:
        columns, marks = ", ".join(values), ", ".join(["%s"] * len(values))
        cursor.execute(f"INSERT INTO console_event ({columns}) VALUES ({marks})", list(values.values()))
    return Event.objects.get(pk=values["id"])


def make_delivery(webhook=None, event=None, **kwargs):
    """A delivery of an event of its own, waiting."""
    event = event or make_event()
    values = {"webhook": webhook or make_webhook(), "event": event, "message": event.pk}
    return Delivery.objects.create(**values | kwargs)
