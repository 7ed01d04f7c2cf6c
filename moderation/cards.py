"""How comments and players are shown, and what answers do to lists that show them (console.respond.Card)."""

from urllib.parse import urlsplit

from django.db.models import Min
from django.http import QueryDict
from django.template.loader import render_to_string
from django.urls import reverse

from console import verbs
from console.base import COUNTED
from console.respond import Card
from console.templatetags.console import capped
from moderation.filters import ALL, CommentFilter
from moderation.models import Comment, Player

COMMENT, PLAYER = "moderation.Comment", "moderation.Player"


def waiting():
    """How many comments are pending; stops counting behind 1,000."""
    return Comment.objects.filter(status=Comment.PENDING)[: COUNTED + 1].count()


def oldest():
    """Since when the oldest pending comment waits, or None."""
    return Comment.objects.filter(status=Comment.PENDING).aggregate(Min("created_at"))["created_at__min"]


def comments_url():
    return reverse("moderation:comments")


def query_of(url):
    return QueryDict(urlsplit(url).query)


def status_of(url):
    """The status that the list at this address shows."""
    return query_of(url).get("status") or Comment.PENDING


def belongs(comment, url):
    """Whether the list at this address shows the comment, as far as its status says."""
    return status_of(url) in (ALL, comment.status)


def found_at(url):
    """How much the list at this address holds now, as its sentence; "" when the address makes no sense."""
    filterset = CommentFilter(query_of(url), Comment.objects.all())
    if not filterset.is_valid():
        return ""
    total = filterset.qs.order_by()[: COUNTED + 1].count()
    return found(total, filterset.shown_status)


def found(total, status):
    """How much there is, as a sentence without its order: "1,000+ comments wait"."""
    number = f"{capped(total)} comment{'' if total == 1 else 's'}"
    if status == Comment.PENDING:
        return f"{number} wait{'s' if total == 1 else ''}"
    return number if status == ALL else f"{number} {status}"


def offers(user):
    """The verbs on a comment's card: its own, and of its author's those that have a key."""
    on_author = verbs.offered(PLAYER, user)
    return {"offered": verbs.offered(COMMENT, user), "on_author": [verb for verb in on_author if verb.key]}


def beside_players(request, player, gesture, url):
    """After a verb on a player: their cards on the list at `url`, out of band; None when only a fresh list will do.

    In the queue of what is pending, a ban that rejected their comments takes all of them away.
    """
    if url.partition("?")[0] != comments_url():
        return None
    rejected = gesture.entries.filter(target_type=COMMENT.lower()).exists()
    if rejected and status_of(url) != Comment.PENDING:
        return None
    player = Player.objects.with_standing().get(pk=player.pk)
    context = {"player": player, "gone": rejected, "on_author": offers(request.user)["on_author"], "here": url}
    return render_to_string("moderation/_player_beside.html", context, request)


COMMENT_CARD = Card(
    model=COMMENT,
    summary="moderation/_comment_summary.html",
    queryset=Comment.objects.for_cards,
    list_url=comments_url,
    template="moderation/_comment_card.html",
    offers=offers,
    belongs=belongs,
    found=found_at,
)
PLAYER_CARD = Card(
    model=PLAYER,
    summary="moderation/_player_summary.html",
    queryset=Player.objects.with_standing,
    list_url=comments_url,
    beside=beside_players,
)
