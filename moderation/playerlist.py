"""The rows of the list of players: their shape and values, and the statement that loads many."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.urls import reverse
from django.utils import timezone

from console import masking, prepared, rows, verbs
from console.base import COUNTED
from console.filters import query_of
from console.templatetags.console import ago, capped, moment, number
from console.text import lay_open_name, lay_open_plain
from moderation.models import Player
from moderation.playerfilter import ALL, PlayerFilter

ROWS = "moderation/_rows.jinja"
OFFERED = ("player.ban", "player.unban", "player.warn")


class PlayersPage(rows.Page):
    """A list of players: the verbs it offers; `searched` when rows show what a search may have found them by."""

    def __init__(self, request, here, offered=(), searched=False):
        super().__init__(request, here)
        self.offered, self.searched = offered, searched


class RowShape(NamedTuple):
    state: str
    banned: str  # "", "until" or "for good"
    weighs: bool
    strikes: int  # none, one or several
    comments: int
    game: bool
    seen: bool
    email: bool
    address: bool
    conflict: bool
    oob: bool
    verbs: tuple


@dataclass(slots=True)
class Row:
    """What a row shows: like a Player from `with_standing`, with the title of the recent game."""

    pk: int
    version: int
    username: str
    email: str
    last_ip: str | None
    is_active: bool
    joined_at: datetime
    last_seen_at: datetime | None
    comment_count: int
    strikes: int
    active_strikes: int
    ban_in_force: int | None
    banned_until: datetime | None
    game: str | None
    external_id: str

    _meta = Player._meta
    is_banned = property(lambda self: self.ban_in_force is not None)
    state = Player.state
    get_absolute_url = Player.get_absolute_url


_ROWS = """
    SELECT p.id, p.version, p.username, p.email, p.last_ip, p.is_active, p.joined_at,
        p.last_seen_at, p.comment_count, p.strikes, strikes.weight, ban.id, ban.expires_at, g.title,
        p.external_id
    FROM unnest(%(keys)s::bigint[]) WITH ORDINALITY AS wanted (id, place)
    JOIN moderation_player p ON p.id = wanted.id
    LEFT JOIN games_game g ON g.id = p.recent_game_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(s.weight), 0) AS weight FROM moderation_strike s
        WHERE s.player_id = p.id AND s.withdrawn_at IS NULL AND s.expires_at > %(now)s
    ) strikes
    LEFT JOIN LATERAL (
        SELECT b.id, b.expires_at FROM moderation_ban b
        WHERE b.player_id = p.id AND b.lifted_at IS NULL AND b.starts_at <= %(now)s
            AND (b.expires_at IS NULL OR b.expires_at > %(now)s)
        ORDER BY b.expires_at DESC NULLS FIRST LIMIT 1
    ) ban ON true
    ORDER BY wanted.place
"""


def load(keys):
    """A Row for each of these primary keys, in their order; one that is gone is left out."""
    with prepared.cursor() as cursor:
        cursor.execute(_ROWS, {"keys": keys, "now": timezone.now()})
        return [Row(*row) for row in cursor.fetchall()]


def draw(row, page, conflict="", oob=False):
    """A player's row (loaded by `load`) on a list."""
    shape = RowShape(
        state=row.state,
        banned=(row.is_banned and ("until" if row.banned_until else "for good")) or "",
        weighs=row.active_strikes > 0,
        strikes=min(row.strikes, 2),
        comments=min(row.comment_count, 2),
        game=row.game is not None,
        seen=row.last_seen_at is not None,
        email=page.searched and bool(row.email),
        address=page.searched and bool(row.last_ip),
        conflict=bool(conflict),
        oob=oob,
        verbs=rows.legal(page.offered, row),
    )
    values = {
        "pk": row.pk,
        "version": row.version,
        "url": row.get_absolute_url(),
        "place": f"#player-{row.pk}",
        "name": lay_open_name(row.username),
        "email": lay_open_plain(masking.email(row.email, page.sees_whole)),
        "address": masking.address(row.last_ip, page.sees_whole),
        "until": moment(row.banned_until) if row.banned_until else "",
        "weight": int(row.active_strikes),
        "strikes": number(row.strikes),
        "comments": number(row.comment_count),
        "joined": ago(row.joined_at),
        "seen": ago(row.last_seen_at),
        "game": row.game or "",
        "conflict": conflict,
        **page.values,
    }
    return rows.draw(ROWS, "player", shape, values)


def players(found, page):
    return rows.together(draw(row, page) for row in found)


def players_url():
    return reverse("moderation:players")


def page(request, url):
    """The list at this address, for the rows on it."""
    offered = [verb for verb in verbs.offered(Player._meta.label, request.user) if verb.name in OFFERED]
    return PlayersPage(request, url, offered, searched="q" in query_of(url))


def belongs(player, url, user):
    """Whether the list at this address shows the player."""
    return PlayerFilter(query_of(url), Player.objects.filter(pk=player.pk), by=user).matches.exists()


def found_at(url, user):
    """How much the list at this address holds now, and that as a sentence."""
    filterset = PlayerFilter(query_of(url), Player.objects.all(), by=user)
    if not filterset.is_valid():
        return 0, ""
    total = filterset.matches.count(COUNTED)
    return total, found(total, filterset.shown_status)


def found(total, status):
    """How many there are, as a sentence without its order: "12 players banned"."""
    said = f"{capped(total)} player{'' if total == 1 else 's'}"
    return said if status == ALL else f"{said} {status}"
