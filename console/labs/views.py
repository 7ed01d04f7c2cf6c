"""Labs: what is new and who has it, and what can be paused; staff choose for themselves, operators for all."""

from django.shortcuts import get_object_or_404
from django.urls import reverse

from console import flags, ledger, respond, verbs
from console.base import ConsoleView, DetailPage, NewPage, VerbView, safe_next
from console.forms import VerbForm
from console.labs import actions, drawing
from console.labs.drawing import FLAG_CARD, SWITCH_CARD, labs_url
from console.models import Flag, Switch
from console.staffpages import done_to

ENTER, VIEW = "console.enter_console", "console.view_flag"


class LabsPage(ConsoleView):
    permission_required = ENTER
    template_name = "console/labs.html"
    root = "#results"

    def get_context_data(self, **kwargs):
        user, every = self.request.user, drawing.lines(self.request)
        return super().get_context_data(
            mine=[line for line in every if line.piece.self_service],
            every=every if user.has_perm(VIEW) else [],
            switches=drawing.switches() if user.has_perm(VIEW) else [],
            here=self.request.get_full_path(),
            **kwargs,
        )


class ChoicePage(NewPage):
    """One's own choice about a piece: the button on Labs posts here; GET asks once more."""

    permission_required = actions.JOIN
    template_name = "console/choice.html"
    wanted = True

    def prepare(self):
        self.flag = get_object_or_404(Flag, pk=self.kwargs["pk"])

    def make_form(self, data=None):
        mine = self.flag.choices.filter(user=self.request.user).first()
        initial = {"version": mine.version if mine else 0, "next": safe_next(self.request, labs_url())}
        return VerbForm(data, by=self.request.user, initial=initial)

    def get_context_data(self, **kwargs):
        name = "console:flag_join" if self.wanted else "console:flag_leave"
        return super().get_context_data(
            flag=self.flag,
            verb=actions.join if self.wanted else actions.leave,
            action=reverse(name, args=[self.flag.pk]),
            here=safe_next(self.request, labs_url()),
            **kwargs,
        )

    def make(self, form, **sent):
        return actions.choose(self.flag, self.wanted, seen=form.cleaned_data["version"], **sent)

    def succeed(self, outcome):
        past = f"already {outcome.verb.past}" if outcome.replayed else outcome.verb.past
        words = outcome.verb.tells.format(row=ledger.describe(outcome.done[0]), past=past)
        respond.remember(self.request, words, None if outcome.replayed else outcome.gesture)
        return safe_next(self.request, labs_url())


class FlagPage(DetailPage):
    permission_required = VIEW
    template_name = "console/flag.html"

    def get_queryset(self):
        return Flag.objects.all()

    def get_context_data(self, **kwargs):
        context, user = super().get_context_data(**kwargs), self.request.user
        flag = self.object
        return context | {
            "flag": flag,
            "piece": flag.piece,
            "decision": flags.decide(flag.facts, flag.name, user),
            "reach": drawing.reach(flag, self.request.GET.get("after", "")),
            "later": "after" in self.request.GET,
            "health": drawing.health(flag.name),
            "offered": verbs.offered(actions.FLAG, user),
            "done_to": done_to(flag, user),
        }


class SwitchPage(DetailPage):
    permission_required = VIEW
    template_name = "console/switch.html"

    def get_queryset(self):
        return Switch.objects.all()

    def get_context_data(self, **kwargs):
        context, user = super().get_context_data(**kwargs), self.request.user
        offered = verbs.offered(actions.SWITCH, user)
        return context | {"switch": self.object, "offered": offered, "done_to": done_to(self.object, user)}


class FlagVerb(VerbView):
    queryset = staticmethod(Flag.objects.all)
    card = FLAG_CARD


class SwitchVerb(VerbView):
    queryset = staticmethod(Switch.objects.all)
    card = SWITCH_CARD
