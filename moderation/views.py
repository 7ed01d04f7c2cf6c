"""The comment queue, one comment, the filter panel, and the verbs on them."""

from django.http import HttpResponseRedirect
from django.utils.http import urlencode

from console import verbs
from console.base import (
    ConsoleView,
    DetailPage,
    ListPage,
    VerbView,
    in_dialog,
    safe_next,
    with_params,
)
from console.bulk import BulkView
from console.filters import FilterPanel, narrowed
from console.flags import BULK_ACTIONS
from console.htmx import wants_partial
from console.keyset import Order
from console.ledger import Conflict
from console.masking import sees_whole
from console.text import lay_open
from moderation import drawing, masking, suggestions
from moderation.cards import (
    BULK_VERBS,
    COMMENT,
    COMMENT_CARD,
    PLAYER,
    comments_url,
    found,
    key_line,
    offers,
    query_of,
)
from moderation.difference import both
from moderation.filters import ALL, CommentFilter
from moderation.lookups import LookupView
from moderation.models import Comment
from moderation.text import fold
from moderation.timeline import told
from moderation.widgets import let_ask

VIEW = "moderation.view_comment"
EARLIER = 20  # texts on a comment's page


class CommentsPage(ListPage):
    permission_required = VIEW
    template_name = "moderation/comments.html"
    filterset_class = CommentFilter
    orders = (
        Order("oldest", "Oldest", "oldest first", ("created_at", "id")),
        Order("newest", "Newest", "newest first", ("created_at", "id"), descending=True),
        Order("reported", "Reported", "most reported first", ("report_count", "created_at", "id"), descending=True),
    )

    def get_queryset(self):
        return Comment.objects.all()

    def load(self, keys):
        return drawing.load(keys)

    def get_context_data(self, **kwargs):
        offered = offers(self.request)
        context = super().get_context_data(**kwargs) | offered
        query, status = context["query"], context["filter"].shown_status
        page = drawing.CardPage(self.request, context["here"], ticked="ticked" in self.request.GET, **offered)
        context["cards"] = drawing.cards(context["rows"], page)
        context["statuses"], context["key_line"] = CommentFilter.statuses, key_line(self.request, **offered)
        context["narrowed"] = narrowed(context["filter"], query)
        kept = (*CommentFilter.in_panel, "per")  # what a search or another status must not throw away
        context["kept"] = [(name, value) for name in kept for value in query.getlist(name)]
        if context["filter"].is_valid():
            context["found"] = found(context["total"], status)
            context["empty"] = None if context["rows"] else self.nothing(query, status)
        else:
            context["found"], context["empty"] = "Nothing was looked for", UNCLEAR
        return context

    def render_to_response(self, context, **kwargs):
        """A mistake in the panel opens the panel again, with what was typed and what is wrong."""
        if in_dialog(self.request) and wants_partial(self.request) and not context["filter"].is_valid():
            panel = PanelPage()
            panel.setup(self.request)
            response = panel.render_to_response(panel.get_context_data())
            response.status_code = 422
            response["HX-Retarget"], response["HX-Reswap"] = "#dialog-body", "innerHTML"
            return response
        return super().render_to_response(context, **kwargs)

    def nothing(self, query, status):
        """What an empty list says, with the first other spelling that finds something."""
        said = empty(query, status)
        for meant, changes in meant_by(query):
            for wider in ({}, {"status": ALL}):
                again = with_params(query, **changes, **wider)
                if CommentFilter(again, Comment.objects.all()).matches.exists():
                    return {**said, "meant": meant, "meant_href": f"?{again.urlencode()}"}
        return said


def meant_by(query):
    """`(words, changes of the query)` for what somebody may have meant, the likeliest first."""
    for field in ("q", "player", "game"):
        for spelling in suggestions.spellings(field, query.get(field, "")):
            yield spelling, {field: spelling}
    for title in suggestions.titles(query.get("q", "")):
        yield f"the game {title}", {"q": "", "game": title}


UNCLEAR = {
    "icon": "search",
    "heading": "This filter makes no sense",
    "words": "What is wrong with it is said above.",
    "href": "?",
    "action": "Show what waits",
}


def empty(query, status):
    """What an empty list says: heading, words, and the one way on (href and action), if there is one."""
    words = query.get("q", "")
    if len(words) == 1 or (words and len(fold(words)) < 3):
        return {
            "icon": "search",
            "heading": "Type a little more",
            "words": "Comments are searched from three characters, players from the first two of their name.",
        }
    if words:
        state = "comment" if status == ALL else f"{status} comment"
        wider = with_params(query, status="" if status == ALL else ALL, q="" if status == ALL else words)
        return {
            "icon": "search",
            "heading": f"No match for “{words}”",
            "words": f"No {state} holds these words, and no player has them in the name.",
            "href": f"?{wider.urlencode()}",
            "action": "Clear search" if status == ALL else "Search all comments",
        }
    if any(name in query for name in CommentFilter.in_panel):
        return {
            "icon": "inbox",
            "heading": "Nothing matches these filters",
            "words": "Remove one of them above, or all of them.",
            "href": "?" if status == Comment.PENDING else f"?status={status}",
            "action": "Remove all filters",
        }
    if status == Comment.PENDING:
        return {
            "icon": "coffee",
            "heading": "Nothing waits",
            "words": "Every comment has been looked at. A good moment for a break.",
        }
    return {
        "icon": "inbox",
        "heading": "Nothing here",
        "words": "No comment is in this state.",
        "href": "?",
        "action": "Show what waits",
    }


class PanelPage(FilterPanel):
    permission_required = VIEW
    template_name = "moderation/panel.html"
    filterset_class = CommentFilter

    def fit(self, form):
        let_ask(form, self.request.user)


class SuggestView(ConsoleView):
    """Names to choose from while somebody types into `game` or `player`: the options of a datalist."""

    permission_required = VIEW
    template_name = "moderation/suggest.html"
    limit, limit_on = "search", ("GET", "HEAD")

    def get(self, request, *args, **kwargs):
        if not wants_partial(request):
            return HttpResponseRedirect(comments_url(), status=303)
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs):
        field = "game" if "game" in self.request.GET else "player"
        typed = self.request.GET.get(field, "").replace("\0", "")
        return super().get_context_data(names=suggestions.names(field, typed), **kwargs)


class OptionsView(LookupView):
    permission_required = VIEW
    limit, limit_on = "search", ("GET", "HEAD")


class CommentPage(DetailPage):
    permission_required = VIEW
    template_name = "moderation/comment.html"

    def get_queryset(self):
        return Comment.objects.for_cards()

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs) | offers(self.request)
        comment = self.object
        back, was = safe_next(self.request, comments_url()), comment.was
        others = comment.player.comments.exclude(pk=comment.pk).select_related("game")
        return context | {
            "row": comment,
            "player": comment.player,
            "was": was,
            "now": both(was.body, comment.body)[1] if was else lay_open(comment.body),
            "earlier": earlier(comment),
            "turned_away_by": turned_away_by(comment, self.request.user),
            "on_player": [v for v in verbs.offered(PLAYER, self.request.user) if not v.key and v.name != masking.VERB],
            "back": back,
            "following": following(comment, back),
            "reports": comment.reports.select_related("player").order_by("-pk")[:50],
            "recent": others.order_by("-created_at", "-pk")[:8],
            "entries": told(self.request.user, comment, comment.player),
        }


def earlier(comment):
    """Its earlier texts, the newest first, each with `marked`: what the text after it lacks is marked in it."""
    found = list(comment.earlier.order_by("-pk")[:EARLIER]) if comment.edits else []
    after = comment.body
    for each in found:
        each.marked, after = both(each.body, after)[0], each.body
        each.said = "Nobody had decided on it" if each.status == Comment.PENDING else f"It was {each.status}"
    return found


def turned_away_by(comment, user):
    """The ban that did, in words for this person; "" if none did."""
    ban = comment.blocked_by
    return f"the {ban.kind} {ban.shown(sees_whole(user))}" if ban else ""


def following(comment, url):
    """The address of the comment after this one on the list at `url`, or "" when it was the last."""
    query = query_of(url)
    filterset = CommentFilter(query, Comment.objects.all())
    if url.partition("?")[0] != comments_url() or not filterset.is_valid():
        return ""
    order = next((o for o in CommentsPage.orders if o.name == query.get("order")), CommentsPage.orders[0])
    keys, _ = filterset.matches.page(order, order.cursor(comment), 1)
    return f"{Comment(pk=keys[0]).get_absolute_url()}?{urlencode({'next': url})}" if keys else ""


class CommentVerb(VerbView):
    queryset = staticmethod(Comment.objects.for_cards)
    card = COMMENT_CARD


class CommentsBulk(BulkView):
    """Ticked comments; a verb on players is done to those who wrote them."""

    permission_required = VIEW
    flag = BULK_ACTIONS
    offered = BULK_VERBS
    card = COMMENT_CARD

    def targets(self, seen):
        if self.verb.model == COMMENT:
            return seen, []
        comments = list(Comment.objects.filter(pk__in=seen).select_related("player").order_by("pk"))
        moved = [comment for comment in comments if comment.version != seen[comment.pk]]
        left_out = [Conflict("It has changed since you ticked it.", comment) for comment in moved]
        return {c.player_id: c.player.version for c in comments if c not in moved}, left_out
