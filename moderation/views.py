"""The comment queue, one comment, and the verbs on it."""

from urllib.parse import urlsplit

from django.db.models import Min
from django.http import QueryDict
from django.urls import reverse

from console import ledger, personal, verbs
from console.base import COUNTED, DetailPage, ListPage, VerbView, safe_next, with_params
from console.keyset import Order
from console.respond import Card
from console.templatetags.console import capped
from moderation.filters import ALL, CommentFilter
from moderation.models import Comment
from moderation.text import fold


def waiting():
    """How many comments are pending; stops counting behind 1,000."""
    return Comment.objects.filter(status=Comment.PENDING)[: COUNTED + 1].count()


def oldest():
    """Since when the oldest pending comment waits, or None."""
    return Comment.objects.filter(status=Comment.PENDING).aggregate(Min("created_at"))["created_at__min"]


def belongs(comment, url):
    """Whether the list at this address shows the comment, as far as its status says."""
    status = QueryDict(urlsplit(url).query).get("status") or Comment.PENDING
    return status in (ALL, comment.status)


def found_at(url):
    """How much the list at this address holds now, as its sentence; "" when the address makes no sense."""
    filterset = CommentFilter(QueryDict(urlsplit(url).query), Comment.objects.all())
    if not filterset.is_valid():
        return ""
    total = filterset.qs.order_by()[: COUNTED + 1].count()
    return found(total, filterset.shown_status)


def item_context(comment):
    """What the item page shows besides the comment: reports, and what the ledger says."""
    entries = list(ledger.entries_on(comment)[:50])
    words = personal.reveal(entry.note for entry in entries)
    for entry in entries:
        entry.words = words.get(entry.note, "")
        entry.declared = verbs.get(entry.verb)
    return {
        "object": comment,
        "entries": entries,
        "reports": comment.reports.select_related("player").order_by("-id")[:50],
    }


CARD = Card(
    model="moderation.Comment",
    template="moderation/_comment_card.html",
    summary="moderation/_comment_summary.html",
    queryset=Comment.objects.for_cards,
    list_url=lambda: reverse("moderation:comments"),
    belongs=belongs,
    found=found_at,
    page="moderation/_comment.html",
    page_context=item_context,
)


class CommentsPage(ListPage):
    permission_required = "moderation.view_comment"
    template_name = "moderation/comments.html"
    filterset_class = CommentFilter
    orders = (
        Order("oldest", "Oldest", "oldest first", ("created_at", "id")),
        Order("newest", "Newest", "newest first", ("created_at", "id"), descending=True),
        Order(
            "reported",
            "Reported",
            "most reported first",
            ("report_count", "created_at", "id"),
            descending=True,
        ),
    )

    def get_queryset(self):
        return Comment.objects.for_cards()

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        context["offered"] = verbs.offered("moderation.Comment", self.request.user)
        context["statuses"] = [*Comment.STATUSES, (ALL, "All")]
        if context["filter"].is_valid():
            context["found"] = found(context["total"], context["filter"].shown_status)
            context["empty"] = empty(context["query"], context["filter"].shown_status)
        else:
            context["found"], context["empty"] = "Nothing was looked for", UNCLEAR
        return context


UNCLEAR = {
    "icon": "search",
    "heading": "This filter makes no sense",
    "words": "One of its parts is not on offer. What it was is named above.",
    "href": "?",
    "action": "Show what waits",
}


def found(total, status):
    """How much there is, as a sentence without its order: "1,000+ comments wait"."""
    number = f"{capped(total)} comment{'' if total == 1 else 's'}"
    if status == Comment.PENDING:
        return f"{number} wait{'s' if total == 1 else ''}"
    return number if status == ALL else f"{number} {status}"


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
            "href": f"?{wider}",
            "action": "Clear search" if status == ALL else "Search all comments",
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


class CommentPage(DetailPage):
    permission_required = "moderation.view_comment"
    template_name = "moderation/comment.html"

    def get_queryset(self):
        return Comment.objects.for_cards()

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        offered = verbs.offered("moderation.Comment", self.request.user)
        back = safe_next(self.request, CARD.list_url())
        return {**context, "offered": offered, "row": self.object, "back": back, **item_context(self.object)}


class CommentVerb(VerbView):
    queryset = staticmethod(Comment.objects.for_cards)
    card = CARD
