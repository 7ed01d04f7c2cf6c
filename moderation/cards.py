"""How comments and players are shown, and what answers do to lists that show them (console.respond.Card)."""

from django.db.models import Min
from django.urls import reverse

from console import verbs
from console.base import COUNTED
from console.filters import query_of
from console.flags import BULK_ACTIONS, KEY_LINE, is_on
from console.respond import Card
from console.templatetags.console import capped
from moderation import drawing, playerlist
from moderation.filters import ALL, CommentFilter
from moderation.models import Comment, Player, Reason

COMMENT, PLAYER = "moderation.Comment", "moderation.Player"
BULK_VERBS = ("comment.approve", "comment.reject", "player.ban")


def waiting():
    """How many comments are pending; stops counting behind 1,000."""
    return Comment.objects.filter(status=Comment.PENDING)[: COUNTED + 1].count()


def oldest():
    """Since when the oldest pending comment waits, or None."""
    return Comment.objects.filter(status=Comment.PENDING).aggregate(Min("created_at"))["created_at__min"]


def comments_url():
    return reverse("moderation:comments")


def status_of(url):
    """The status that the list at this address shows."""
    return query_of(url).get("status") or Comment.PENDING


def belongs(comment, url, user):
    """Whether the list at this address shows the comment."""
    query = query_of(url)
    if not set(query) - {"status", "order", "per"}:
        return status_of(url) in (ALL, comment.status)
    return CommentFilter(query, Comment.objects.filter(pk=comment.pk)).matches.exists()


def found_at(url, user):
    """How much the list at this address holds now, and that as a sentence; `(0, "")` when it makes no sense."""
    filterset = CommentFilter(query_of(url), Comment.objects.all())
    if not filterset.is_valid():
        return 0, ""
    total = filterset.matches.count(COUNTED)
    return total, found(total, filterset.shown_status)


def found(total, status):
    """How much there is, as a sentence without its order: "1,000+ comments wait"."""
    number = f"{capped(total)} comment{'' if total == 1 else 's'}"
    if status == Comment.PENDING:
        return f"{number} wait{'s' if total == 1 else ''}"
    return number if status == ALL else f"{number} {status}"


def offers(request):
    """What a comment's card needs beside the comment: its verbs, of its author's those that have a key, and the
    verbs for many at once, while that is switched on for the person.
    """
    on_author = [verb for verb in verbs.offered(PLAYER, request.user) if verb.key]
    offered = verbs.offered(COMMENT, request.user)
    bulk = [verb for verb in [*offered, *on_author] if verb.name in BULK_VERBS]
    if bulk and not is_on(request, BULK_ACTIONS):
        bulk = []
    return {"offered": offered, "on_author": on_author, "bulk": bulk}


def key_line(request, offered, on_author, **rest):
    """`[(key, what it does)]` on the list of comments, for those who have that line switched on and use keys."""
    if not (request.user.shortcuts and is_on(request, KEY_LINE)):
        return []
    own = [(verb.key, verb.label) for verb in [*offered, *on_author] if verb.key]
    return [("j", "Next"), ("k", "Previous"), *own, ("/", "Search"), ("?", "All keys")]


def page(request, url, ticked=False):
    """The list at this address, for the cards on it."""
    return drawing.CardPage(request, url, ticked=ticked, **offers(request))


def beside_players(request, player, gesture, url):
    """After a verb on a player (`gesture` None: after one that came too late): their cards on the list at `url`, out
    of band; None when only a fresh list will do.

    In the queue of what is pending, a ban that rejected their comments takes all of them away.
    """
    if url.partition("?")[0] != comments_url():
        return None
    on_pending = status_of(url) == Comment.PENDING
    if gesture and not on_pending and gesture.entries.filter(target_type=COMMENT.lower()).exists():
        return None
    gone = on_pending and not player.comments.filter(status=Comment.PENDING).exists()
    if gone:
        return drawing.gone(player)
    player = Player.objects.with_standing().get(pk=player.pk)
    return drawing.beside(player, page(request, url))


COMMENT_CARD = Card(
    model=COMMENT,
    summary="moderation/_comment_summary.html",
    queryset=Comment.objects.for_cards,
    list_url=comments_url,
    load=drawing.load,
    draw=drawing.card,
    page=page,
    belongs=belongs,
    found=found_at,
)
PLAYER_CARD = Card(
    model=PLAYER,
    summary="moderation/_player_summary.html",
    queryset=Player.objects.with_standing,
    list_url=playerlist.players_url,
    load=playerlist.load,
    draw=playerlist.draw,
    page=playerlist.page,
    belongs=playerlist.belongs,
    found=playerlist.found_at,
    beside=beside_players,
)
REASON_CARD = Card(
    model="moderation.Reason",
    summary="moderation/_reason_summary.html",
    queryset=Reason.objects.all,
    list_url=lambda: reverse("moderation:reasons"),
)
