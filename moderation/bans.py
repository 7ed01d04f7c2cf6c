"""The list of bans, one ban, the form that bans a network, and the verbs on bans."""

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.urls import reverse

from console import ledger, respond, telling, verbs
from console.base import (
    KEY_REUSED,
    OUT_OF_DATE,
    ConsoleView,
    DetailPage,
    ListPage,
    VerbView,
    clean_query,
    in_dialog,
    safe_next,
)
from console.clientip import client_ip
from console.filters import narrowed
from console.htmx import wants_partial
from console.keyset import Order
from moderation import ban_drawing as drawing
from moderation import networks, reach
from moderation.actions import BAN, ban_network, lay
from moderation.ban_cards import BAN_CARD, bans_url, found, page
from moderation.ban_filters import ENDING, BanFilter
from moderation.ban_forms import NetworkBanForm
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


class BansPanel(ConsoleView):
    """Every filter there is, as a page, or as the body of the dialog."""

    permission_required = VIEW
    template_name = "moderation/bans_panel.html"

    def get_context_data(self, **kwargs):
        filterset = BanFilter(self.request.GET, Ban.objects.all(), request=self.request, whole=True)
        filterset.form.is_valid()
        query = clean_query(self.request.GET, BanFilter.defaults)
        return super().get_context_data(filter=filterset, query=query, in_dialog=in_dialog(self.request), **kwargs)


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


class NewBanPage(ConsoleView):
    """GET shows the form, and the reach of the network in its address; POST lays the ban once that was seen."""

    permission_required = LAY
    template_name = "moderation/new_ban.html"

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
        kwargs.setdefault("form", self.make_form())
        data = self.request.POST if self.request.method == "POST" else self.request.GET
        back = self.next or bans_url()
        return super().get_context_data(**foretold(self.request, data), here=back, back=back, **kwargs)

    def post(self, request, *args, **kwargs):
        form = self.make_form(request.POST)
        if not form.is_valid():
            broken = "version" in form.errors or "idempotency_key" in form.errors
            return self.refuse(self.fresh_form(OUT_OF_DATE) if broken else form)
        data = form.cleaned_data
        # a form that a browser sends says what it showed; who sends none saw it elsewhere
        if "shown" in request.POST and data["shown"] != str(data["network"]) and not data["allow"]:
            return self.refuse(form, 200, first=LOOK_FIRST)
        try:
            outcome = ban_network(
                data["network"],
                by=request.user,
                key=data["idempotency_key"],
                origin=self.origin,
                reason=data["reason"],
                note=data["note"],
                **form.extra,
            )
        except ledger.Conflict as conflict:
            return self.refuse(self.fresh_form(conflict.message), 409)
        except ledger.KeyReused:
            return self.refuse(self.fresh_form(KEY_REUSED))
        return self.succeed(outcome)

    def succeed(self, outcome):
        ban = outcome.done[0]
        if outcome.replayed:
            messages.success(self.request, f"This was done before: {ban} is {ban.state}.")
        else:
            along = ledger.taken_along(outcome.gesture, BAN)
            respond.remember(self.request, f"{said_of(ban)} {along}".strip(), outcome.gesture)
        return HttpResponseRedirect(self.next or ban.get_absolute_url(), status=303)

    def fresh_form(self, words):
        """What was typed, with hidden fields made anew; `words` say why."""
        data, fresh = self.request.POST.copy(), self.make_form()
        for name in ("version", "idempotency_key"):
            data[name] = str(fresh[name].value())
        form = self.make_form(data)
        form.add_error(None, words)
        return form

    def refuse(self, form, status=422, **context):
        response = self.render_to_response(self.get_context_data(form=form, **context))
        response.status_code = status
        return response


def said_of(ban):
    """What laying it did, in a sentence."""
    whom = networks.printed(ban.network)
    if ban.allow:
        return f"{whom} is let through."
    if ban.held:
        return f"The ban of {whom} waits for another senior moderator. Nobody is banned yet."
    return f"{whom} was banned." if ban.state == Ban.ACTIVE else f"{whom} will be banned."
