"""What a player's page tells: measures taken, what they did per day, addresses they used and who else did.

Each part is one statement, however much there is of it: of many comments the newest are looked at.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from django.db import connection
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.http import urlencode

from console import masking, prepared, verbs
from console.charts import OTHERS, Series, stacked
from console.decisions import TONES
from moderation.models import Ban, Comment, Player, Strike

DAYS = 30
LATEST = 1000  # comments that are looked at for addresses and decisions
NAME = "coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username)"


@dataclass(frozen=True)
class Panel:
    """What another app adds to the page: a partial that gets `panel`, which is `load(player)`, for those who may."""

    partial: str
    load: Callable
    permission: str


_panels = []


def register(panel):
    _panels.append(panel)


def panels(player, user):
    """`[{partial, panel}]` for this person."""
    seen = [each for each in _panels if user.has_perm(each.permission)]
    return [{"partial": each.partial, "panel": each.load(player)} for each in seen]


_RECORD = f"""
    (SELECT 'ban' AS kind, b.id, b.reason AS code, coalesce(r.label, b.reason) AS words, b.starts_at AS at,
        b.expires_at AS until, b.lifted_at AS ended, 0::bigint AS number, '' AS who
    FROM moderation_ban b LEFT JOIN moderation_reason r ON r.code = b.reason
    WHERE b.player_id = %(player)s ORDER BY b.starts_at DESC LIMIT 20)
    UNION ALL
    (SELECT 'strike', s.id, s.reason, coalesce(r.label, s.reason), s.created_at, s.expires_at, s.withdrawn_at,
        s.weight, ''
    FROM moderation_strike s LEFT JOIN moderation_reason r ON r.code = s.reason
    WHERE s.player_id = %(player)s ORDER BY s.created_at DESC LIMIT 20)
    UNION ALL
    (SELECT 'note', n.id, '', n.text, n.created_at, NULL, NULL, 0, coalesce({NAME}, 'The system')
    FROM moderation_note n LEFT JOIN console_user u ON u.id = n.author_id
    WHERE n.player_id = %(player)s AND n.withdrawn_at IS NULL ORDER BY n.id DESC LIMIT 20)
    UNION ALL
    (SELECT 'comment', 0, c.status, '', date_trunc('day', c.created_at, 'UTC'), NULL, NULL, count(*), ''
    FROM moderation_comment c WHERE c.player_id = %(player)s AND c.created_at >= %(since)s GROUP BY 3, 5)
    UNION ALL
    (SELECT 'decision', 0, e.verb, '', date_trunc('day', e.at, 'UTC'), NULL, NULL, count(*), '' FROM (
        (SELECT verb, at FROM console_entry
        WHERE target_type = 'moderation.player' AND target_id = %(player)s AND at >= %(since)s LIMIT %(latest)s)
        UNION ALL
        (SELECT e.verb, e.at FROM (
            SELECT id FROM moderation_comment WHERE player_id = %(player)s
            ORDER BY created_at DESC, id DESC LIMIT %(latest)s
        ) latest
        JOIN console_entry e ON e.target_type = 'moderation.comment' AND e.target_id = latest.id
        WHERE e.at >= %(since)s AND e.verb LIKE 'comment.%%')
    ) e GROUP BY 3, 5)
"""


def record(player, whole=True):
    """What was done about the player: bans, strikes, notes (newest first), and the pictures of the last days. Addresses
    in notes are masked unless `whole`.
    """
    today = timezone.now().astimezone(UTC).date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    since = datetime(days[0].year, days[0].month, days[0].day, tzinfo=UTC)
    with prepared.cursor() as cursor:
        cursor.execute(_RECORD, {"player": player.pk, "since": since, "latest": LATEST})
        found = [SimpleNamespace(**dict(zip(COLUMNS, row, strict=True))) for row in cursor.fetchall()]
    kinds = defaultdict(list)
    for row in found:
        kinds[row.kind].append(row)
    for note in kinds["note"]:
        note.words = masking.words(note.words, whole)
    return {
        "bans": [_with(Ban(pk=b.id, starts_at=b.at, expires_at=b.until, lifted_at=b.ended), b) for b in kinds["ban"]],
        "strikes": [
            _with(Strike(pk=s.id, created_at=s.at, expires_at=s.until, withdrawn_at=s.ended, weight=s.number), s)
            for s in kinds["strike"]
        ],
        "notes": kinds["note"],
        "charts": [_comments(days, kinds["comment"]), _decisions(days, kinds["decision"])],
    }


COLUMNS = ("kind", "id", "code", "words", "at", "until", "ended", "number", "who")


def _with(row, found):
    row.because = found.words
    return row


def _comments(days, rows):
    looks = (
        (Comment.APPROVED, "ok"),
        (Comment.PENDING, "other-1"),
        (Comment.REJECTED, "danger"),
        (Comment.DELETED, "other-2"),
    )
    series = [Series(status.capitalize(), tone, _numbers(days, rows, status)) for status, tone in looks]
    return stacked("Comments per day", [f"{day:%d %b}" for day in days], series)


def _decisions(days, rows):
    """As on the dashboard: one series for each verb that was used."""
    used = [verb for verb in verbs.every() if any(row.code == verb.name for row in rows)]
    plain = [verb for verb in used if verb.tone not in TONES]
    series = [
        Series(
            verb.label, TONES.get(verb.tone) or f"other-{plain.index(verb) % OTHERS}", _numbers(days, rows, verb.name)
        )
        for verb in used
    ]
    return stacked("Decisions per day", [f"{day:%d %b}" for day in days], series)


def _numbers(days, rows, code):
    counted = {row.at.astimezone(UTC).date(): row.number for row in rows if row.code == code}
    return [counted.get(day, 0) for day in days]


_ADDRESSES = """
    SELECT ip, sum(times)::bigint AS times, min(first) AS first, max(last) AS last FROM (
        SELECT ip, count(*) AS times, min(created_at) AS first, max(created_at) AS last FROM (
            SELECT ip, created_at FROM moderation_comment WHERE player_id = %(player)s
            ORDER BY created_at DESC, id DESC LIMIT %(latest)s
        ) latest WHERE ip IS NOT NULL GROUP BY ip
        UNION ALL
        SELECT last_ip, 0, last_seen_at, last_seen_at FROM moderation_player
        WHERE id = %(player)s AND last_ip IS NOT NULL
    ) used GROUP BY ip ORDER BY max(last) DESC NULLS LAST, ip LIMIT 20
"""
# bounded for an address that thousands share: of each network so many of its comments and players are looked at
_OTHERS = """
    WITH networks AS (
        SELECT DISTINCT CASE WHEN family(ip) = 4 THEN ip ELSE host(network(set_masklen(ip, 64)))::inet END AS first,
            CASE WHEN family(ip) = 4 THEN ip ELSE host(broadcast(set_masklen(ip, 64)))::inet END AS last
        FROM unnest(%(addresses)s::inet[]) AS ip WHERE masklen(ip) IN (32, 128)
    ), seen AS (
        SELECT found.player_id, found.ip, found.at FROM networks CROSS JOIN LATERAL (
            (SELECT c.player_id, c.ip, c.created_at AS at FROM moderation_comment c
            WHERE networks.first = networks.last AND c.ip = networks.first AND c.created_at > %(since)s
            ORDER BY c.ip DESC, c.created_at DESC LIMIT %(bound)s)
            UNION ALL
            (SELECT c.player_id, c.ip, c.created_at FROM moderation_comment c
            WHERE networks.first < networks.last AND c.ip BETWEEN networks.first AND networks.last
                AND c.created_at > %(since)s LIMIT %(bound)s)
            UNION ALL
            (SELECT p.id, p.last_ip, p.seen_or_joined_at FROM moderation_player p
            WHERE p.last_ip BETWEEN networks.first AND networks.last LIMIT %(bound)s)
        ) found WHERE found.player_id <> %(player)s
    ), newest AS (
        SELECT DISTINCT ON (player_id) player_id, ip, at FROM seen ORDER BY player_id, at DESC
    )
    SELECT p.id, p.username, p.is_active, newest.ip, newest.at, EXISTS (
        SELECT 1 FROM moderation_ban b WHERE b.player_id = p.id AND b.lifted_at IS NULL AND b.starts_at <= %(now)s
            AND (b.expires_at IS NULL OR b.expires_at > %(now)s)
    ) FROM (SELECT * FROM newest ORDER BY at DESC, player_id LIMIT 20) newest
    JOIN moderation_player p ON p.id = newest.player_id ORDER BY newest.at DESC, p.id
"""
BOUND, OTHERS_DAYS = 500, 90


def addresses(player, user, here, whole):
    """Those the player used of late, newest first, and the others who did; masked unless `whole`. Of the others, what
    the player used too is shown with it.
    """
    everywhere = masking.sees_whole(user)
    with connection.cursor() as cursor:
        cursor.execute(_ADDRESSES, {"player": player.pk, "latest": LATEST})
        used = [
            {"address": ip, "times": times, "first": first, "last": last, "ban": ban_network_url(user, ip, here)}
            for ip, times, first, last in cursor.fetchall()
        ]
        now = timezone.now()
        given = {"addresses": [each["address"] for each in used], "player": player.pk, "now": now}
        cursor.execute(_OTHERS, given | {"since": now - timedelta(days=OTHERS_DAYS), "bound": BOUND})
        others = [_other(*row) for row in cursor.fetchall()] if used else []
    known = {each["address"] for each in used} if whole else set()
    for other in others:
        other["address"] = masking.address(other["address"], everywhere or other["address"] in known)
    for each in used:
        each["address"] = masking.address(each["address"], whole)
    return {"addresses": used, "others": others}


def _other(pk, username, is_active, ip, at, is_banned):
    player = Player(pk=pk, username=username, is_active=is_active)
    player.ban_in_force = pk if is_banned else None
    return {"player": player, "address": ip, "at": at}


def ban_network_url(user, address, here):
    """The form that bans this address, for those who may ban networks; "" for others."""
    if not user.has_perm("moderation.ban_network"):
        return ""
    try:
        form = reverse("moderation:ban_new")
    except NoReverseMatch:
        form = "/manage/bans/new/"
    return f"{form}?{urlencode({'network': address, 'next': here})}"
