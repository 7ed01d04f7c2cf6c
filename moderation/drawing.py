"""Comments and their authors as they are drawn: a card's shape and its values, and the statement that loads many."""

from collections import namedtuple
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from django.utils import timezone

from console import prepared, rows
from console.templatetags.console import ago, moment, number
from console.text import lay_open, lay_open_name
from moderation.difference import both
from moderation.models import Comment, Player
from moderation.models.comments import CARD_REPORTS

ROWS = "moderation/_rows.jinja"
SHOWN = 700  # characters of a text on a card


class CardPage(rows.Page):
    """A list of cards: the verbs it offers on comments and on their authors, and for many at once those that a box
    to tick is for (`bulk`); `ticked` when all are.
    """

    def __init__(self, request, here, offered=(), on_author=(), bulk=(), ticked=False):
        super().__init__(request, here)
        self.offered, self.on_author, self.bulk, self.ticked = offered, on_author, bulk, ticked


class AuthorShape(NamedTuple):
    strikes: bool
    banned: str  # "", "until" or "for good"
    verbs: tuple | None  # None where none are offered at all
    oob: bool


class CardShape(NamedTuple):
    status: str
    reports: int  # none, one or several
    game: bool
    said: int
    was: str  # what had been decided on the earlier text; "" where there is none to show
    tick: str  # "", "off" or "on"
    conflict: bool
    oob: bool
    verbs: tuple
    author: AuthorShape


class ChipsShape(NamedTuple):
    status: str
    reports: int


def card(row, page, conflict="", oob=False):
    """A comment's card (for_cards, or CommentOnCard) on a list."""
    player, said, was = row.player, row.said, row.was
    before, body = both(was.body, row.body, SHOWN) if was else ("", lay_open(row.body, SHOWN))
    shape = CardShape(
        row.status,
        min(row.report_count, 2),
        row.game is not None,
        len(said),
        was.status if was else "",
        (page.bulk and ("on" if page.ticked else "off")) or "",
        bool(conflict),
        oob,
        rows.legal(page.offered, row),
        author_shape(player, page),
    )
    pk = row.pk
    values = {
        "pk": pk,
        "version": row.version,
        "url": row.get_absolute_url(),
        "place": f"#comment-{pk}",
        "name": lay_open_name(player.username),
        "game": row.game.title if row.game else "",
        "written": ago(row.created_at),
        "reports": row.report_count,
        "body": body,
        "before": before,
        "conflict": conflict,
        **{f"said_{place}": lay_open(report.words, 300) for place, report in enumerate(said)},
        **author_values(player),
        **page.values,
    }
    return rows.draw(ROWS, "card", shape, values)


def cards(found, page):
    return rows.together(card(row, page) for row in found)


def chips(row):
    return rows.draw(ROWS, "chips", ChipsShape(row.status, min(row.report_count, 2)), {"reports": row.report_count})


def author_shape(player, page=None, oob=False):
    banned = (player.is_banned and ("until" if player.banned_until else "for good")) or ""
    verbs = rows.legal(page.on_author, player) if page and page.on_author else None
    return AuthorShape(bool(player.active_strikes), banned, verbs, oob)


def author_values(player):
    return {
        "author_pk": player.pk,
        "author_version": player.version,
        "author_url": player.get_absolute_url(),
        "author_place": f"#player-{player.pk}",
        "joined": ago(player.joined_at),
        "approved": number(player.approved),
        "rejected": number(player.rejected),
        "strikes": player.active_strikes,
        "until": moment(player.banned_until) if player.banned_until else "",
    }


def author(player):
    """Who wrote it (with_standing, or Author): how long they are here, and how they behaved."""
    return rows.draw(ROWS, "author", author_shape(player), author_values(player))


def author_actions(player, page):
    return rows.draw(ROWS, "author_actions", author_shape(player, page), author_values(player) | page.values)


def gone(player):
    """Out of band: what they have pending leaves the list."""
    return rows.draw(ROWS, "gone", (), {"author_pk": player.pk})


def beside(player, page):
    """Out of band, what every card of the player on a list shows of them."""
    values = author_values(player) | page.values
    return rows.draw(ROWS, "beside", author_shape(player, page, oob=True), values)


@dataclass(slots=True)
class Author:
    """The author on a card, with what Player.objects.with_standing() knows."""

    pk: int
    version: int
    username: str
    joined_at: datetime
    approved: int
    rejected: int
    active_strikes: int
    ban_in_force: int | None
    banned_until: datetime | None

    _meta = Player._meta
    is_banned = property(lambda self: self.ban_in_force is not None)
    get_absolute_url = Player.get_absolute_url


@dataclass(slots=True)
class CommentOnCard:
    """What a card shows: like a Comment from `for_cards`, at a tenth of its cost."""

    pk: int
    version: int
    status: str
    body: str
    created_at: datetime
    report_count: int
    game: object  # with a title, or None
    player: Author
    said: list
    was: object  # the earlier text that was decided on: body and status, or None

    _meta = Comment._meta
    get_absolute_url = Comment.get_absolute_url


Titled, Said, Was = namedtuple("Titled", "title"), namedtuple("Said", "words"), namedtuple("Was", "body status")

# what PlayerQuerySet.with_standing and CommentQuerySet.for_cards say, by one statement
_CARDS = """
    SELECT c.id, c.version, c.status, c.body, extract(epoch FROM c.created_at)::float8, c.report_count, g.title,
        said.words, was.body, was.status, p.id, p.version, p.username,
        extract(epoch FROM p.joined_at)::float8, tally.approved, tally.rejected, strikes.number, ban.id,
        ban.expires_at
    FROM unnest(%(keys)s::bigint[]) WITH ORDINALITY AS wanted (id, place)
    JOIN moderation_comment c ON c.id = wanted.id
    JOIN moderation_player p ON p.id = c.player_id
    LEFT JOIN games_game g ON g.id = c.game_id
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE m.status = 'approved') AS approved,
            count(*) FILTER (WHERE m.status = 'rejected') AS rejected
        FROM moderation_comment m WHERE m.player_id = p.id
    ) tally
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(s.weight), 0) AS number FROM moderation_strike s
        WHERE s.player_id = p.id AND s.withdrawn_at IS NULL AND s.expires_at > %(now)s
    ) strikes
    LEFT JOIN LATERAL (
        SELECT b.id, b.expires_at FROM moderation_ban b
        WHERE b.player_id = p.id AND b.lifted_at IS NULL AND b.starts_at <= %(now)s
            AND (b.expires_at IS NULL OR b.expires_at > %(now)s)
        ORDER BY b.expires_at DESC NULLS FIRST LIMIT 1
    ) ban ON true
    CROSS JOIN LATERAL (
        SELECT CASE WHEN c.report_count > 0 THEN ARRAY(
            SELECT r.words FROM moderation_report r WHERE r.comment_id = c.id AND r.words <> ''
            ORDER BY r.id DESC LIMIT %(reports)s
        ) END AS words
    ) said
    LEFT JOIN LATERAL (
        SELECT e.body, e.status FROM moderation_commentedit e
        WHERE c.edits > 0 AND c.status = 'pending' AND e.comment_id = c.id AND e.status <> 'pending'
        ORDER BY e.id DESC LIMIT 1
    ) was ON true
    ORDER BY wanted.place
"""


def load(keys):
    """CommentOnCard for each of these primary keys, in their order; one that is gone is left out."""
    now = timezone.now()
    given = {"keys": keys, "now": now, "reports": CARD_REPORTS}
    with prepared.cursor() as cursor:
        cursor.execute(_CARDS, given)
        return [_read(*row) for row in cursor.fetchall()]


def _read(pk, version, status, body, written, reports, title, said, before, decided, author, author_version, *rest):
    name, joined, *standing = rest
    author = Author(author, author_version, name, _at(joined), *standing)
    words = [Said(each) for each in said or ()]
    was = Was(before, decided) if decided else None
    return CommentOnCard(pk, version, status, body, _at(written), reports, title and Titled(title), author, words, was)


def _at(seconds):
    """Seconds cross from the database several times as fast as moments; a ban may last until the calendar ends."""
    return datetime.fromtimestamp(seconds, UTC)
