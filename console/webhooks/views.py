"""The pages about events out: endpoints, one of them, their deliveries, one of them, and the verbs on both."""

import json

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse

from console import ledger, news, respond, rows, verbs
from console.base import ConsoleView, DetailPage, ListPage, NewPage, VerbView, safe_next
from console.bulk import BulkView
from console.filters import ListFilter, choice, narrowed, status_tabs
from console.forms import VerbForm
from console.keyset import Order
from console.models import Delivery, Event, Gesture, Webhook
from console.sharedsecret import show_once, shown_once
from console.staffpages import done_to
from console.tabs import TabsMixin
from console.templatetags.console import capped
from console.webhooks import actions, drawing, sending
from console.webhooks.actions import MANAGE
from console.webhooks.drawing import DELIVERY_CARD, WEBHOOK_CARD
from console.webhooks.forms import NewForm

VIEW = "console.view_webhook"
LATEST = 8  # deliveries on an endpoint's own page


class WebhooksPage(TabsMixin, ConsoleView):
    section = "portal"
    permission_required = VIEW
    template_name = "console/webhooks.html"
    root = "#results"

    def get_context_data(self, **kwargs):
        return super().get_context_data(
            webhooks=drawing.with_numbers(list(drawing.endpoints().order_by("name", "id"))),
            may_manage=self.request.user.has_perm(MANAGE),
            here=self.request.get_full_path(),
            **kwargs,
        )


class WebhookPage(TabsMixin, DetailPage):
    section = "portal"
    permission_required = VIEW
    template_name = "console/webhook.html"

    def get_queryset(self):
        return drawing.endpoints()

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        (webhook,), user = drawing.with_numbers([self.object]), self.request.user
        told = webhook.deliveries.exclude(event=None).select_related("webhook", "event")
        page = rows.Page(self.request, context["here"])
        return context | {
            "webhook": webhook,
            "offered": verbs.offered(actions.ENDPOINT, user),
            "secret": shown_once(self.request, webhook),
            "test": webhook.deliveries.filter(event=None).order_by("-id").first(),
            "latest": drawing.deliveries(told.order_by("-id")[:LATEST], page, named=False),
            "done_to": done_to(webhook, user),
            "back": safe_next(self.request, WEBHOOK_CARD.list_url()),
        }


class NewWebhookPage(TabsMixin, NewPage):
    section = "portal"
    permission_required = MANAGE
    template_name = "console/new_webhook.html"
    fresh = True

    def make_form(self, data=None):
        return NewForm(data, by=self.request.user, initial={"version": 0})

    def get_context_data(self, **kwargs):
        here = WEBHOOK_CARD.list_url()
        return super().get_context_data(here=here, action=reverse("console:webhook_new"), **kwargs)

    def make(self, form, **sent):
        return actions.add_webhook(**sent, **{name: form.cleaned_data[name] for name in ("name", "url", "events")})

    def succeed(self, outcome):
        (webhook,), already = outcome.done, "already " if outcome.replayed else ""
        if not outcome.replayed:
            show_once(self.request, webhook)
        respond.remember(self.request, f"The endpoint {ledger.printed(webhook)} was {already}added.", None)
        return webhook.get_absolute_url()


class WebhookVerb(VerbView):
    card = WEBHOOK_CARD
    queryset = staticmethod(drawing.endpoints)

    def prepare(self):
        super().prepare()
        if not self.object.is_there:
            raise Http404("There is no such endpoint.")

    def succeed(self, outcome):
        if self.verb is actions.rotate and not outcome.replayed:
            show_once(self.request, outcome.done[0])
        if self.verb is actions.test and not outcome.replayed:
            return self.answer(None, self.tried(outcome.done[0]))
        return super().succeed(outcome)

    def tried(self, webhook):
        """Sends the test, and says what came of it."""
        answer = sending.send_now(webhook.deliveries.filter(event=None).latest("pk"))
        about = ledger.describe(webhook)
        if answer is None:
            return f"The test of {about} is on its way."
        return f"{about} answered {answer.code}." if answer.code else f"The test of {about} failed. {answer.error}"


class DeliveryFilter(ListFilter):
    defaults = {"status": "all", "order": "newest", "per": "25"}
    in_panel = ("webhook",)
    statuses = (("all", "All"), *Delivery.STATES)

    status = choice("State", statuses, method="by_status", empty_label=None)
    webhook = choice("Endpoint", lambda: endpoint_choices(), field_name="webhook_id")
    order = choice("Order", [("newest", "Newest")], method="keep", empty_label=None)
    per = choice("On a page", [(n, n) for n in ("25", "50", "100")], method="keep", empty_label=None)

    class Meta:
        model = Delivery
        fields = []

    @property
    def shown_status(self):
        return self.data.get("status") or "all"

    def by_status(self, queryset, name, value):
        return queryset if value == "all" else queryset.filter(state=value)

    def keep(self, queryset, name, value):
        return queryset


def endpoint_choices():
    return [(str(pk), name) for pk, name in drawing.endpoints().order_by("name").values_list("pk", "name")]


class DeliveriesPage(TabsMixin, ListPage):
    section = "portal"
    permission_required = VIEW
    template_name = "console/deliveries.html"
    filterset_class = DeliveryFilter
    orders = (Order("newest", "Newest", "newest first", ("id",), descending=True),)

    def get_queryset(self):
        return Delivery.objects.all()

    def load(self, keys):
        return drawing.load(keys)

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        query, filterset, total = context["query"], context["filter"], context["total"]
        may_manage = self.request.user.has_perm(MANAGE)
        page = rows.Page(self.request, context["here"])
        status = filterset.shown_status
        return context | {
            "cards": drawing.deliveries(context["rows"], page, ticks=may_manage),
            "statuses": status_tabs(DeliveryFilter.statuses, query),
            "narrowed": narrowed(filterset, query),
            "found": f"{capped(total)} deliver{'y' if total == 1 else 'ies'}"
            + (f" {status}" if status != "all" else ""),
            "empty": None if context["rows"] else NOTHING,
            "bulk": [actions.replay] if may_manage else [],
        }


NOTHING = {
    "icon": "send",
    "heading": "No deliveries here",
    "words": "What endpoints are told is listed here for 30 days, about half a minute after it was decided.",
}


class DeliveryPage(TabsMixin, DetailPage):
    section = "portal"
    permission_required = VIEW
    template_name = "console/delivery.html"

    def get_queryset(self):
        return DELIVERY_CARD.queryset()

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        delivery = self.object
        told = news.described([delivery.event])[0] if delivery.event else sending.ping(delivery)
        return context | {
            "delivery": delivery,
            "log": delivery.log.select_related("replayed_by").order_by("-number")[:50],
            "payload": json.dumps(told, indent=2, ensure_ascii=False),
            "offered": verbs.offered(actions.DELIVERY, self.request.user),
            "may_manage": self.request.user.has_perm(MANAGE),
            "back": safe_next(self.request, f"{DELIVERY_CARD.list_url()}?webhook={delivery.webhook_id}"),
        }


class DeliveryVerb(VerbView):
    card = DELIVERY_CARD
    queryset = staticmethod(DELIVERY_CARD.queryset)


class DeliveriesBulk(BulkView):
    permission_required = VIEW
    fresh = True
    offered = (actions.replay.name,)
    card = DELIVERY_CARD


class EventReplayPage(TabsMixin, NewPage):
    """An event, told again to every endpoint that was told of it."""

    section = "portal"
    permission_required = MANAGE
    template_name = "console/event_replay.html"
    fresh = True

    def prepare(self):
        self.event = get_object_or_404(Event.objects.exclude(dispatched_at=None), pk=self.kwargs["pk"])

    @property
    def deliveries(self):
        there = Webhook.objects.filter(removed_at=None, is_active=True).exclude(added_at=None)
        found = self.event.deliveries.filter(webhook__in=there).exclude(state=Delivery.WAITING)
        return list(found.select_related("webhook").order_by("webhook__name", "pk"))

    def make_form(self, data=None):
        return VerbForm(data, by=self.request.user, initial={"version": 0})

    def get_context_data(self, **kwargs):
        return super().get_context_data(
            event=self.event,
            deliveries=self.deliveries,
            payload=json.dumps(news.described([self.event])[0], indent=2, ensure_ascii=False),
            here=safe_next(self.request, DELIVERY_CARD.list_url()),
            action=reverse("console:event_replay", args=[self.event.pk]),
            **kwargs,
        )

    def make(self, form, **sent):
        deliveries = self.deliveries
        if not deliveries and not Gesture.objects.filter(actor=sent["by"], idempotency_key=sent["key"]).exists():
            raise ledger.Conflict("Nothing was sent: there is no endpoint that could be told of it again.")
        return actions.replay(deliveries, asked={"event": str(self.event.pk)}, **sent)

    def succeed(self, outcome):
        already = "already " if outcome.replayed else ""
        respond.remember(self.request, f"{self.event.name} is {already}on its way again.", None)
        return safe_next(self.request, DELIVERY_CARD.list_url())
