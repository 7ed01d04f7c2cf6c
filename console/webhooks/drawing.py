"""How endpoints and deliveries are shown: their numbers, their rows, and the cards of their verbs."""

from typing import NamedTuple

from django.db import connection
from django.urls import reverse

from console import respond, rows
from console.base import COUNTED
from console.models import Delivery, Webhook
from console.templatetags.console import ago, moment
from console.webhooks.actions import DELIVERY, ENDPOINT

ROWS = "console/_delivery_rows.jinja"
_NUMBERS = """
    SELECT webhook.id, waiting.number, failed.number FROM unnest(%s::bigint[]) AS webhook(id)
    CROSS JOIN LATERAL (SELECT count(*) AS number FROM (
        SELECT FROM console_delivery WHERE webhook_id = webhook.id AND state = 'waiting' LIMIT %s
    ) AS those) AS waiting
    CROSS JOIN LATERAL (SELECT count(*) AS number FROM (
        SELECT FROM console_delivery WHERE webhook_id = webhook.id AND state = 'failed' LIMIT %s
    ) AS those) AS failed
"""


def endpoints():
    """Those that are there, in the order in which they were added."""
    return Webhook.objects.filter(removed_at=None).exclude(added_at=None)


def deliveries_url():
    return reverse("console:deliveries")


def with_numbers(webhooks):
    """Each endpoint with how many deliveries wait and have failed (`waiting`, `failed`), counted up to COUNTED, and
    what it is told in words (`told`).
    """
    with connection.cursor() as cursor:
        cursor.execute(_NUMBERS, [[webhook.pk for webhook in webhooks], COUNTED + 1, COUNTED + 1])
        numbers = {pk: several for pk, *several in cursor.fetchall()}
    for webhook in webhooks:
        webhook.waiting, webhook.failed = numbers[webhook.pk]
        webhook.told = ", ".join(webhook.events) or "everything"
    return webhooks


def load(keys):
    """The deliveries of these keys, in their order, with what rows show."""
    found = Delivery.objects.select_related("webhook", "event").in_bulk(keys)
    return [found[key] for key in keys if key in found]


class Shape(NamedTuple):
    state: str
    ticks: bool
    ticked: bool
    named: bool
    sent: bool
    plan: bool


def delivery(row, page, ticks=False, named=True):
    """A delivery's row; `ticks`: it can be ticked, `named`: it says which endpoint it is for."""
    waits = row.state == Delivery.WAITING
    shape = Shape(row.state, ticks, ticks and "ticked" in page.request.GET, named, bool(row.attempts), waits)
    number = f"{row.attempts} attempt{'' if row.attempts == 1 else 's'}"
    values = {
        "pk": row.pk,
        "version": row.version,
        "url": row.get_absolute_url(),
        "what": row.what,
        "endpoint": str(row.webhook),
        "number": number,
        "said": said(row),
        "at": ago(row.delivered_at or row.at),
        "next_at": moment(row.next_at) if waits else "",
        **page.values,
    }
    return rows.draw(ROWS, "delivery", shape, values)


def said(row):
    """What the last try brought, in a sentence."""
    if row.state == Delivery.DELIVERED:
        return f"It answered {row.code}."
    return row.error or ("Nothing was tried yet." if not row.attempts else "There is no answer yet.")


def deliveries(several, page, **options):
    return rows.together(delivery(row, page, **options) for row in several)


def bring_up_to_date(request, seen, here):
    """For polls (console.live.watch): deliveries `{id: state}` that are in another state by now, and what to say."""
    if not request.user.has_perm("console.view_webhook") or respond.root_of(here) != "#item":
        return "", ""
    found = Delivery.objects.filter(pk__in=seen)
    moved = [each for each in found if each.state != seen[each.pk]]
    if not moved:
        return "", ""
    return respond.partial_at(request, here, oob=True), f"The delivery was {moved[0].state}."


WEBHOOK_CARD = respond.Card(
    model=ENDPOINT,
    summary="console/_webhook_summary.html",
    queryset=endpoints,
    list_url=lambda: reverse("console:webhooks"),
)
DELIVERY_CARD = respond.Card(
    model=DELIVERY,
    summary="console/_delivery_summary.html",
    queryset=lambda: Delivery.objects.select_related("webhook", "event"),
    list_url=deliveries_url,
)
