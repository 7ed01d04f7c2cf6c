"""The pages about events in: what came, one event, where it comes from, and the verbs on both."""

import json

from django.urls import reverse

from console import ledger, masking, respond, rows, verbs
from console.base import DetailPage, ListPage, NewPage, VerbView, safe_next
from console.filters import ListFilter, choice, narrowed, status_tabs, text
from console.keyset import Order
from console.models import Received, Source
from console.received import actions, drawing
from console.received.actions import MANAGE, RECEIVED, SOURCE
from console.received.forms import SourceForm
from console.sharedsecret import show_once, shown_once
from console.staffpages import done_to
from console.tabs import TabsMixin
from console.templatetags.console import capped

VIEW = "console.view_webhook"
ALL = "all"


def sources():
    return Source.objects.exclude(made_at=None)


SOURCE_CARD = respond.Card(
    model=SOURCE,
    summary="console/_source_summary.html",
    queryset=sources,
    list_url=lambda: reverse("console:received"),
)
RECEIVED_CARD = respond.Card(
    model=RECEIVED,
    summary="console/_received_summary.html",
    queryset=lambda: Received.objects.select_related("source"),
    list_url=lambda: reverse("console:received"),
)


class ReceivedFilter(ListFilter):
    defaults = {"status": ALL, "order": "newest", "per": "25"}
    in_panel = ("about",)
    statuses = ((ALL, "All"), *Received.STATES)

    status = choice("State", statuses, method="by_status", empty_label=None)
    about = text("About", method="by_about")
    order = choice("Order", [("newest", "Newest")], method="keep", empty_label=None)
    per = choice("On a page", [(n, n) for n in ("25", "50", "100")], method="keep", empty_label=None)

    class Meta:
        model = Received
        fields = []

    @property
    def shown_status(self):
        return self.data.get("status") or ALL

    def by_status(self, queryset, name, value):
        return queryset if value == ALL else queryset.filter(state=value)

    def by_about(self, queryset, name, value):
        return queryset.filter(source__in=list(sources().values_list("pk", flat=True)), about=value)

    def keep(self, queryset, name, value):
        return queryset


class ReceivedPage(TabsMixin, ListPage):
    section = "portal"
    permission_required = VIEW
    template_name = "console/received.html"
    filterset_class = ReceivedFilter
    orders = (Order("newest", "Newest", "newest first", ("id",), descending=True),)

    def get_queryset(self):
        return Received.objects.all()

    def load(self, keys):
        found = RECEIVED_CARD.queryset().defer("data").in_bulk(keys)
        return [found[key] for key in keys if key in found]

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        query, filterset, total = context["query"], context["filter"], context["total"]
        status = filterset.shown_status
        return context | {
            "cards": drawing.events(context["rows"], rows.Page(self.request, context["here"])),
            "statuses": status_tabs(ReceivedFilter.statuses, query),
            "narrowed": narrowed(filterset, query),
            "found": f"{capped(total)} event{'' if total == 1 else 's'}" + (f" {status}" if status != ALL else ""),
            "empty": None if context["rows"] else NOTHING,
            "sources": list(sources().order_by("retired_at", "name", "pk")[:50]),
            "may_manage": self.request.user.has_perm(MANAGE),
        }


NOTHING = {
    "icon": "inbox",
    "heading": "No events here",
    "words": "What a source sends is listed here, and what came of it.",
}


class ReceivedEventPage(TabsMixin, DetailPage):
    section = "portal"
    permission_required = VIEW
    template_name = "console/received_event.html"

    def get_queryset(self):
        return RECEIVED_CARD.queryset()

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        event, user = self.object, self.request.user
        whole = masking.sees_whole(user)
        data = json.dumps(event.data, indent=2, ensure_ascii=False) if event.data is not None else ""
        return context | {
            "event": event,
            "data": masking.words(data, whole),
            "error": masking.words(event.error, whole),
            "offered": verbs.offered(RECEIVED, user),
            "done_to": done_to(event, user),
            "back": safe_next(self.request, RECEIVED_CARD.list_url()),
        }


class ReceivedVerb(VerbView):
    card = RECEIVED_CARD
    queryset = staticmethod(RECEIVED_CARD.queryset)


class SourcePage(TabsMixin, DetailPage):
    section = "portal"
    permission_required = VIEW
    template_name = "console/source.html"

    def get_queryset(self):
        return sources()

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        source, user = self.object, self.request.user
        return context | {
            "source": source,
            "secret": shown_once(self.request, source),
            "address": self.request.build_absolute_uri(reverse("api:events")),
            "latest": source.received.order_by("-pk").values_list("at", flat=True).first(),
            "offered": verbs.offered(SOURCE, user),
            "done_to": done_to(source, user),
        }


class NewSourcePage(TabsMixin, NewPage):
    section = "portal"
    permission_required = MANAGE
    template_name = "console/new_source.html"
    fresh = True

    def make_form(self, data=None):
        return SourceForm(data, by=self.request.user, initial={"version": 0})

    def get_context_data(self, **kwargs):
        here = SOURCE_CARD.list_url()
        return super().get_context_data(here=here, action=reverse("console:source_new"), **kwargs)

    def make(self, form, **sent):
        return actions.make_source(**sent, name=form.cleaned_data["name"])

    def succeed(self, outcome):
        (source,), already = outcome.done, "already " if outcome.replayed else ""
        if not outcome.replayed:
            show_once(self.request, source)
        respond.remember(self.request, f"The source {ledger.printed(source)} was {already}added.", None)
        return source.get_absolute_url()


class SourceVerb(VerbView):
    card = SOURCE_CARD
    queryset = staticmethod(sources)

    def succeed(self, outcome):
        if self.verb is actions.rotate and not outcome.replayed:
            show_once(self.request, outcome.done[0])
        return super().succeed(outcome)
