"""Canned reasons: the list, one of them, a new one, and the verbs on them."""

import uuid

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from console import ledger, respond, verbs
from console.base import KEY_REUSED, OUT_OF_DATE, ConsoleView, DetailPage, VerbView, safe_next
from console.htmx import wants_partial
from moderation import actions, reasons
from moderation.cards import REASON_CARD
from moderation.models import Reason
from moderation.reasonforms import NewReasonForm
from moderation.timeline import told

VIEW = "moderation.view_reason"
TAKEN = "There is a reason with this code already. Choose another code, or edit that one."


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


class NewReasonPage(ConsoleView):
    """GET shows the form, POST makes the reason."""

    permission_required = "moderation.add_reason"
    template_name = "moderation/new_reason.html"

    def make_form(self, data=None):
        initial = {"version": 0, "next": safe_next(self.request, REASON_CARD.list_url())}
        return NewReasonForm(data, by=self.request.user, initial=initial)

    def get_context_data(self, **kwargs):
        kwargs.setdefault("form", self.make_form())
        here = safe_next(self.request, REASON_CARD.list_url())
        return super().get_context_data(here=here, action=reverse("moderation:new_reason"), **kwargs)

    def post(self, request, *args, **kwargs):
        form = self.make_form(request.POST)
        if not form.is_valid():
            broken = {"version", "idempotency_key"} & set(form.errors)
            return self.refuse(self.fresh_form(OUT_OF_DATE) if broken else form)
        fields = {name: form.cleaned_data[name] for name in ("code", "label", "text", "verbs", "position")}
        try:
            outcome = actions.add_reason(
                by=request.user, key=form.cleaned_data["idempotency_key"], origin=self.origin, **fields
            )
        except actions.CodeTaken:
            form.add_error("code", TAKEN)
            return self.refuse(form)
        except ledger.KeyReused:
            return self.refuse(self.fresh_form(KEY_REUSED))
        said = f"The reason “{fields['label']}” was {'already ' if outcome.replayed else ''}added."
        respond.remember(request, said, None if outcome.replayed else outcome.gesture)
        here = safe_next(request, REASON_CARD.list_url())
        if wants_partial(request):
            response = HttpResponse()
            response["HX-Redirect"] = here
            return response
        return HttpResponseRedirect(here, status=303)

    def fresh_form(self, words):
        """What was typed, with hidden fields made anew; `words` say why."""
        data = self.request.POST.copy()
        data["version"], data["idempotency_key"] = "0", str(uuid.uuid4())
        form = self.make_form(data)
        form.add_error(None, words)
        return form

    def refuse(self, form):
        response = self.render_to_response(self.get_context_data(form=form))
        response.status_code = 422
        return response


class ReasonVerb(VerbView):
    queryset = staticmethod(Reason.objects.all)
    card = REASON_CARD
