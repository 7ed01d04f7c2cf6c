"""Canned reasons: the list, one of them, a new one, and the verbs on them."""

from django.urls import reverse

from console import respond, verbs
from console.base import ConsoleView, DetailPage, NewPage, VerbView, safe_next
from moderation import actions, reasons
from moderation.cards import REASON_CARD
from moderation.models import Reason
from moderation.reasonforms import NewReasonForm
from moderation.timeline import told

VIEW = "moderation.view_reason"


def described(reason, counted, words):
    """What the list and the page say of a reason: for which decisions, and how often it was given lately."""
    reason.meant = ", ".join(words.get(name, name) for name in reason.verbs) or "everything"
    reason.given = reasons.total(counted, reason.code)
    return reason


class ReasonsPage(ConsoleView):
    permission_required = VIEW
    template_name = "moderation/reasons.html"
    root = "#results"

    def get_context_data(self, **kwargs):
        counted, words = reasons.counts(), dict(reasons.verbs_that_ask())
        found = Reason.objects.order_by("-is_active", "position", "label")
        return super().get_context_data(
            reasons=[described(reason, counted, words) for reason in found],
            days=reasons.COUNTED_DAYS,
            may_add=self.request.user.has_perm("moderation.add_reason"),
            here=self.request.get_full_path(),
            **kwargs,
        )


class ReasonPage(DetailPage):
    permission_required = VIEW
    template_name = "moderation/reason.html"

    def get_queryset(self):
        return Reason.objects.all()

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        reason = described(self.object, reasons.counts(), dict(reasons.verbs_that_ask()))
        return context | {
            "reason": reason,
            "offered": verbs.offered(actions.REASON, self.request.user),
            "days": reasons.COUNTED_DAYS,
            "back": safe_next(self.request, REASON_CARD.list_url()),
            "entries": told(self.request.user, reason),
        }


class NewReasonPage(NewPage):
    permission_required = "moderation.add_reason"
    template_name = "moderation/new_reason.html"

    @property
    def here(self):
        return safe_next(self.request, REASON_CARD.list_url())

    def make_form(self, data=None):
        return NewReasonForm(data, by=self.request.user, initial={"version": 0, "next": self.here})

    def get_context_data(self, **kwargs):
        return super().get_context_data(here=self.here, action=reverse("moderation:new_reason"), **kwargs)

    def make(self, form, **sent):
        fields = {name: form.cleaned_data[name] for name in ("code", "label", "text", "verbs", "position")}
        return actions.add_reason(**sent, **fields)

    def succeed(self, outcome):
        said = f"The reason “{outcome.done[0].label}” was {'already ' if outcome.replayed else ''}added."
        respond.remember(self.request, said, None if outcome.replayed else outcome.gesture)
        return self.here


class ReasonVerb(VerbView):
    queryset = staticmethod(Reason.objects.all)
    card = REASON_CARD
