"""The list of bans, one ban, the form that bans a network, and the verbs on bans."""

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.urls import reverse

from console import ledger, masking, respond, telling, verbs
from console.base import (
    ConsoleView,
    DetailPage,
    ListPage,
    NewPage,
    VerbView,
    safe_next,
)
from console.clientip import client_ip
from console.filters import FilterPanel, narrowed
from console.htmx import wants_partial
from console.keyset import Order
from moderation import bandrawing as drawing
from moderation import networks, reach
from moderation.actions import BAN, ban_network, lay
from moderation.bancards import BAN_CARD, bans_url, found, page
from moderation.banfilters import ENDING, BanFilter
from moderation.banforms import NetworkBanForm
from moderation.lengths import until
from moderation.models import Ban
from moderation.timeline import told

VIEW, LAY = "moderation.view_ban", "moderation.ban_network"
LOOK_FIRST = "This is what the ban would touch. Look at it, then send the form again."


class BansPage(ListPage):
    permission_required = VIEW
    template_name = "moderation/bans.html"
    filterset_class = BanFilter
    orders = (
        Order("newest", "Newest", "newest first", ("starts_at", "id"), descending=True),
        Order("oldest", "Oldest", "oldest first", ("starts_at", "id")),
        Order("ending", "Ending", "in the order in which they end", ("expires_at", "id")),
    )

    def get_queryset(self):
        return Ban.objects.all()

    def load(self, keys):
        return drawing.load(keys)

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        query, filterset, rows = context["query"], context["filter"], context["rows"]
        valid = filterset.is_valid()
        kept = (*BanFilter.in_panel, "per")
        return context | {
            "cards": drawing.bans(rows, page(self.request, context["here"])),
            "statuses": BanFilter.statuses,
            "narrowed": narrowed(filterset, query),
            "kept": [(name, value) for name in kept for value in query.getlist(name)],
            "found": found(context["total"], filterset.shown_status) if valid else "Nothing was looked for",
            "empty": None if rows else (empty(query, filterset.shown_status) if valid else UNCLEAR),
            "may_lay": self.request.user.has_perm(LAY),
        }


UNCLEAR = {
    "icon": "search",
    "heading": "This filter makes no sense",
    "words": "What is wrong with it is said above.",
    "href": "?",
    "action": "Show bans in force",
}


def empty(query, status):
    """What an empty list says, and the one way on."""
    if query.get("q"):
        words = query["q"]
        return {
            "icon": "search",
            "heading": f"No ban for “{words}” here",
            "words": "Names of players and addresses are searched; an address finds the networks around it, too.",
            "href": "?status=all",
            "action": "Show all bans",
        }
    said = {
        Ban.WAITING: ("clock", "Nothing waits", "Bans that need a second person, or begin later, are listed here."),
        ENDING: ("history", "Nothing ends within a day", "A ban that nobody touches ends by itself."),
    }
    icon, heading, words = said.get(status, ("ban", "No bans here", "Players and networks that are banned are listed."))
    return {"icon": icon, "heading": heading, "words": words}


class BansPanel(FilterPanel):
    permission_required = VIEW
    template_name = "moderation/bans_panel.html"
    filterset_class = BanFilter


class BanPage(DetailPage):
    permission_required = VIEW
    template_name = "moderation/ban.html"

    def get_queryset(self):
        return drawing.loaded()

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        ban, user = self.object, self.request.user
        offered = drawing.offered_on(ban, verbs.offered(BAN, user), user)
        return context | {
            "ban": ban,
            "whom": ban.shown(masking.sees_whole(user)),
            "note": masking.words(ban.note, masking.sees_whole(user)),
            "on_ban": offered,
            "reason": telling.reasons().get(ban.reason, ban.reason),
            "own": ban.asked_by_id == user.pk,
            "back": safe_next(self.request, bans_url()),
            "entries": told(user, ban),
        }


class BanVerb(VerbView):
    queryset = staticmethod(Ban.objects.for_rows)
    card = BAN_CARD


class ReachView(ConsoleView):
    """What a ban of the network that somebody types would touch: asked for while they type."""

    permission_required = LAY
    template_name = "moderation/reach_live.html"
    limit, limit_on = "search", ("GET", "HEAD")

    def get(self, request, *args, **kwargs):
        if not wants_partial(request):
            target = NewBanPage.address(request.GET)
            return HttpResponseRedirect(target, status=303)
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs):
        return super().get_context_data(**foretold(self.request), **kwargs)


def foretold(request, data=None):
    """For the form of a ban of a network: its `reach`, the `network` as it was read and what to `know` of that, or
    what is `wrong` with it. Empty while nothing was typed.
    """
    data = request.GET if data is None else data
    typed = data.get("network", "").strip()[:80]
    if not typed:
        return {}
    try:
        network = networks.read(typed)
    except ValueError as error:
        return {"wrong": str(error)}
    wrong = "" if data.get("allow") else networks.against(network, request.user, client_ip(request))
    if wrong:
        return {"wrong": wrong}
    try:
        end = until(data.get("expires") or "7d")
    except ValueError:
        end = None
    return {
        "network": networks.printed(network),
        "shown": str(network),
        "know": networks.taken_as(typed, network),
        "reach": reach.of_network(network, end),
        "around": list(Ban.objects.in_force().filter(network__meets=network).order_by("pk")[:5]),
    }


class NewBanPage(NewPage):
    """GET shows the reach of the network in its address, too; POST lays the ban once that was seen."""

    permission_required = LAY
    template_name = "moderation/new_ban.html"
    fresh = True

    @staticmethod
    def address(query):
        return f"{reverse('moderation:ban_new')}?{query.urlencode()}"

    def make_form(self, data=None):
        given = {name: self.request.GET[name] for name in ("network", "reason", "expires") if name in self.request.GET}
        initial = {"version": 0, "next": self.next, **given}
        return NetworkBanForm(data, by=self.request.user, verb=lay, client=client_ip(self.request), initial=initial)

    def prepare(self):
        self.next = safe_next(self.request, "")

    def get_context_data(self, **kwargs):
        data = self.request.POST if self.request.method == "POST" else self.request.GET
        back = self.next or bans_url()
        return super().get_context_data(**foretold(self.request, data), here=back, back=back, **kwargs)

    def look_first(self, form):
        """A form that a browser sends says what reach it showed; who sends none saw it elsewhere."""
        data = form.cleaned_data
        if "shown" in self.request.POST and data["shown"] != str(data["network"]) and not data["allow"]:
            return self.refuse(form, 200, first=LOOK_FIRST)
        return None

    def make(self, form, **sent):
        data = form.cleaned_data
        return ban_network(data["network"], reason=data["reason"], note=data["note"], **sent, **form.extra)

    def succeed(self, outcome):
        ban = outcome.done[0]
        if outcome.replayed:
            messages.success(self.request, f"This was done before: {ban} is {ban.state}.")
        else:
            along = ledger.taken_along(outcome.gesture, BAN)
            respond.remember(self.request, f"{said_of(ban)} {along}".strip(), outcome.gesture)
        return self.next or ban.get_absolute_url()


def said_of(ban):
    """What laying it did, in a sentence."""
    whom = networks.printed(ban.network)
    if ban.allow:
        return f"{whom} is let through."
    if ban.held:
        return f"The ban of {whom} waits for another senior moderator. Nobody is banned yet."
    return f"{whom} was banned." if ban.state == Ban.ACTIVE else f"{whom} will be banned."
