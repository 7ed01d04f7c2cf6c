"""The list of players, one player, and the verbs on them."""

from datetime import UTC, datetime

from django.http import Http404
from django.utils.http import urlencode

from console import masking, verbs
from console.base import DetailPage, ListPage, VerbView, in_dialog, safe_next
from console.exporting.sources import Source
from console.exports import ExportView
from console.filters import FilterPanel, narrowed
from console.htmx import wants_partial
from console.keyset import Order
from moderation import masking as shown_to
from moderation import playerlist, profile
from moderation.cards import COMMENT, PLAYER, PLAYER_CARD, comments_url
from moderation.events import events
from moderation.models import Player
from moderation.playerfilter import PlayerFilter
from moderation.playerlist import players_url

VIEW = "moderation.view_player"
EXPORT = "moderation.export_player"


def _order(name, phrase, field, descending=True):
    return Order(name, name.capitalize(), phrase, (field, "id"), descending)


class PlayersPage(ListPage):
    permission_required = VIEW
    template_name = "moderation/players.html"
    filterset_class = PlayerFilter
    orders = (
        _order("joined", "newest first", "joined_at"),
        _order("oldest", "longest here first", "joined_at", descending=False),
        _order("seen", "seen last first", "seen_or_joined_at"),
        _order("unseen", "unseen for longest first", "seen_or_joined_at", descending=False),
        _order("comments", "most comments first", "comment_count"),
        _order("strikes", "most strikes first", "strikes"),
    )

    def get_queryset(self):
        return Player.objects.all()

    def load(self, keys):
        return playerlist.load(keys)

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        query, filterset, rows = context["query"], context["filter"], context["rows"]
        kept = (*PlayerFilter.in_panel, "per")
        valid = filterset.is_valid()
        return context | {
            "cards": playerlist.players(rows, playerlist.page(self.request, context["here"])),
            "statuses": PlayerFilter.statuses,
            "may_export": self.request.user.has_perm(EXPORT),
            "narrowed": narrowed(filterset, query),
            "kept": [(name, value) for name in kept for value in query.getlist(name)],
            "found": playerlist.found(context["total"], filterset.shown_status) if valid else "Nothing was looked for",
            "empty": None if rows else (empty(query, filterset.sees_whole) if valid else UNCLEAR),
            "looks_for": "name, e-mail, address, id" if filterset.sees_whole else "name, network, id",
        }

    def render_to_response(self, context, **kwargs):
        """A mistake in the panel opens the panel again, with what was typed and what is wrong."""
        if in_dialog(self.request) and wants_partial(self.request) and not context["filter"].is_valid():
            panel = PlayersPanel()
            panel.setup(self.request)
            response = panel.render_to_response(panel.get_context_data())
            response.status_code = 422
            response["HX-Retarget"], response["HX-Reswap"] = "#dialog-body", "innerHTML"
            return response
        return super().render_to_response(context, **kwargs)


UNCLEAR = {
    "icon": "search",
    "heading": "This filter makes no sense",
    "words": "What is wrong with it is said above.",
    "href": "?",
    "action": "Show all players",
}


SEARCHED = (
    "Names and e-mail addresses are searched from three characters anywhere, ids whole, and networks as they are "
    "written: 203.0.113.7, 203.0.113. or 203.0.113.0/24."
)
SEARCHED_MASKED = (
    "Names are searched from three characters anywhere, ids whole, and networks as they are written: 203.0.113. or "
    "203.0.113.0/24. Your role sees no whole addresses or e-mails, so it cannot search them."
)


def empty(query, whole=True):
    """What an empty list says, and the one way on."""
    words = query.get("q", "")
    if len(words) == 1:
        heading = "Type a little more"
        words = f"Names{' and e-mail addresses' if whole else ''} are searched from their first two characters."
    elif words:
        heading = f"Nobody is found by “{words}”"
        words = SEARCHED if whole else SEARCHED_MASKED
    elif query:
        heading, words = "Nothing matches these filters", "Remove one of them above, or all of them."
    else:
        return {"icon": "users", "heading": "No players yet", "words": "The portal tells of its players as they come."}
    return {"icon": "search", "heading": heading, "words": words, "href": "?", "action": "Show all players"}


class PlayersSource(Source):
    name, url = "players", "moderation:players_export"
    permission = EXPORT
    page = PlayersPage
    noun = "players"
    columns = (
        ("Player", "pk"),
        ("Portal's id", "external_id"),
        ("Username", "username"),
        ("E-mail", "email"),
        ("State", "state"),
        ("Banned until (UTC)", lambda row: (row.banned_until or "for good") if row.is_banned else ""),
        ("Joined (UTC)", "joined_at"),
        ("Last seen (UTC)", "last_seen_at"),
        ("Last address", "last_ip"),
        ("Last played", "game"),
        ("Comments", "comment_count"),
        ("Strikes weigh", "active_strikes"),
        ("Strikes ever", "strikes"),
    )

    def get_queryset(self):
        return Player.objects.all()

    def load(self, keys):
        return playerlist.load(keys)

    def cells(self, row):
        whole = self.filterset.sees_whole
        row.email, row.last_ip = masking.email(row.email, whole), masking.address(row.last_ip, whole)
        return super().cells(row)


class PlayersExport(ExportView):
    permission_required = EXPORT
    source_class = PlayersSource


class PlayersPanel(FilterPanel):
    permission_required = VIEW
    template_name = "moderation/players_panel.html"
    filterset_class = PlayerFilter


TABS = (("", "Overview"), ("comments", "Comments"), ("addresses", "Addresses"), ("timeline", "Timeline"))


class PlayerPage(DetailPage):
    """Who they are, what they did, what was done about it; a tab at a time, so that each is short and quick."""

    permission_required = VIEW
    template_name = "moderation/player.html"

    def get_queryset(self):
        return Player.objects.with_standing().select_related("recent_game")

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        tab = self.request.GET.get("tab", "")
        context["tab"] = tab if tab in dict(TABS) else ""
        user = self.request.user
        self.whole = masking.sees_whole(user)
        shown_until = None if self.whole else shown_to.shown_until(user, self.object)
        self.shown = self.whole or shown_until is not None
        offered = verbs.offered(PLAYER, user)
        back = safe_next(self.request, players_url())
        return context | {
            "player": self.object,
            "on_player": [verb for verb in offered if verb.name != shown_to.VERB],
            "reveal": [verb for verb in offered if verb.name == shown_to.VERB and not self.shown],
            "shown_until": shown_until,
            "may_export": user.has_perm(EXPORT),
            "email": masking.email(self.object.email, self.shown),
            "last_ip": masking.address(self.object.last_ip, self.shown),
            "on_comment": verbs.offered(COMMENT, user),
            "back": back,
            "back_label": "Comments" if back.partition("?")[0] == comments_url() else "Players",
            "tabs": [(name, label, _query(self.request, tab=name)) for name, label in TABS],
            **getattr(self, f"_{context['tab'] or 'overview'}")(context["here"]),
        }

    def _overview(self, here):
        told, more = events(self.object, self.request.user, 10)
        return {
            **profile.record(self.object, self.whole),
            "recent": self._latest()[:5],
            "events": told,
            "earlier": _query(self.request, tab="timeline") if more else "",
            "panels": profile.panels(self.object, self.request.user),
        }

    def _comments(self, here):
        return {"recent": self._latest()[:20]}

    def _addresses(self, here):
        return profile.addresses(self.object, self.request.user, here, self.shown)

    def _timeline(self, here):
        before = self.request.GET.get("before", "")
        told, more = events(self.object, self.request.user, 50, _moment(before))
        earlier = _query(self.request, tab="timeline", before=told[-1].at.isoformat()) if more else ""
        return {"events": told, "earlier": earlier}

    def _latest(self):
        return self.object.comments.select_related("game").order_by("-created_at", "-pk")


def _query(request, **params):
    """The query string of this page with another tab; where Back leads is kept."""
    kept = {"next": request.GET["next"]} if request.GET.get("next") else {}
    return f"?{urlencode({name: value for name, value in (params | kept).items() if value})}"


def _moment(text):
    """The moment from a link of ours; what is none of ours is a 404."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC) if text else None
    except (ValueError, OverflowError):
        raise Http404("There is no such page of the timeline.") from None


class PlayerVerb(VerbView):
    queryset = staticmethod(Player.objects.with_standing)
    card = PLAYER_CARD
