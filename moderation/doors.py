"""Doors: whether a player, or somebody at an address, is banned just now. Intake, the API and sign-in ask here."""

from console import prepared
from console.clientip import parse
from moderation.models import Ban

SIGN_IN_REFUSED = (
    "Nobody can sign in from this network, because it is banned. Use another one, or ask a senior moderator."
)
_NOW = "statement_timestamp()"  # now() is when the transaction began
_IN_FORCE = f"lifted_at IS NULL AND NOT held AND starts_at <= {_NOW} AND (expires_at IS NULL OR expires_at > {_NOW})"


def _checking(player):
    """A ban of the player decides; else the most specific entry on the address, at equal width the exception.

    What is asked about stands in subqueries: of a bare parameter PostgreSQL thinks it should see the value first, and
    plans anew every time, which takes three times as long as to answer.
    """
    return f"""
    SELECT {prepared.columns_of(Ban, "ban")} FROM (
        (
            SELECT id, false AS allow, 1 AS place FROM moderation_ban WHERE player_id = {player} AND {_IN_FORCE}
            ORDER BY expires_at DESC NULLS FIRST LIMIT 1
        )
        UNION ALL
        (
            SELECT id, allow, 2 FROM moderation_ban WHERE network >>= (SELECT %s::inet) AND {_IN_FORCE}
            ORDER BY masklen(network) DESC, allow DESC, id LIMIT 1
        )
    ) AS found JOIN moderation_ban ban ON ban.id = found.id
    WHERE NOT found.allow ORDER BY found.place LIMIT 1
"""


_CHECK = _checking("(SELECT %s::bigint)")
ASK = _checking("(SELECT id FROM moderation_player WHERE external_id = %s)")  # as portals know them
# the same for many at once: of the rows of `asked` (key, player_id, ip, at), those that are turned away
CHECK_MANY = f"""
    SELECT asked.key, coalesce(of_player.id, of_network.id) AS ban_id FROM asked
    LEFT JOIN LATERAL (
        SELECT id FROM moderation_ban WHERE moderation_ban.player_id = asked.player_id AND {_IN_FORCE}
        AND starts_at <= asked.at ORDER BY expires_at DESC NULLS FIRST LIMIT 1
    ) AS of_player ON true
    LEFT JOIN LATERAL (
        SELECT id, allow FROM moderation_ban WHERE network >>= asked.ip AND {_IN_FORCE}
        AND starts_at <= asked.at ORDER BY masklen(network) DESC, allow DESC, id LIMIT 1
    ) AS of_network ON true
    WHERE of_player.id IS NOT NULL OR NOT of_network.allow
"""

_ASK_MANY = f"""
    WITH asked AS (
        SELECT key, player.id AS player_id, ip, statement_timestamp() AS at
        FROM unnest(%s::inet[], %s::text[]) WITH ORDINALITY AS given (ip, outside, key)
        LEFT JOIN moderation_player player ON player.external_id = given.outside
    ), found AS ({CHECK_MANY})
    SELECT asked.key, found.ban_id FROM asked LEFT JOIN found USING (key) ORDER BY asked.key
"""


def check(ip=None, player=None):
    """The Ban in force on this player (a key) or this address (text), or None.

    A ban of the player comes first, then the most specific entry on the address; an exception lets in. One indexed
    statement, asked of the database every time: a ban works at once in all processes. What is no address is nobody's.
    """
    address = parse(ip or "")
    ban, _ = prepared.load(Ban, _CHECK, [player, str(address) if address else None])
    return ban


def ask_many(questions):
    """The same for portals, of each of these dicts in their order: two statements, however many. `ip` is an address
    as `parse` writes it, `player` an external_id. Of one alone ASK gives the row, if any.
    """
    with prepared.cursor() as cursor:
        cursor.execute(_ASK_MANY, [[asked.get(name) for asked in questions] for name in ("ip", "player")])
        found = [ban for _, ban in cursor.fetchall()]
    bans = Ban.objects.in_bulk(filter(None, found))
    return [bans.get(ban) for ban in found]


def at_sign_in(address):
    """For console.signins: why nobody may sign in from this address, or ""."""
    return SIGN_IN_REFUSED if check(ip=address) else ""
