"""Doors: whether a player, or somebody at an address, is banned just now. Intake, the API and sign-in ask here."""

from console import prepared
from console.clientip import parse
from moderation.models import Ban

SIGN_IN_REFUSED = (
    "Nobody can sign in from this network, because it is banned. Use another one, or ask a senior moderator."
)
_NOW = "statement_timestamp()"  # now() is when the transaction began
_IN_FORCE = f"lifted_at IS NULL AND NOT held AND starts_at <= {_NOW} AND (expires_at IS NULL OR expires_at > {_NOW})"
# a ban of the player decides; else the most specific entry on the address, at equal width the exception
_CHECK = f"""
    SELECT id FROM (
        (
            SELECT id, false AS allow, 1 AS place FROM moderation_ban WHERE player_id = %s AND {_IN_FORCE}
            ORDER BY expires_at DESC NULLS FIRST LIMIT 1
        )
        UNION ALL
        (
            SELECT id, allow, 2 FROM moderation_ban WHERE network >>= %s::inet AND {_IN_FORCE}
            ORDER BY masklen(network) DESC, allow DESC, id LIMIT 1
        )
    ) AS found
    WHERE NOT allow ORDER BY place LIMIT 1
"""
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


def check(ip=None, player=None):
    """The Ban in force on this player (a key) or this address (text), or None.

    A ban of the player comes first, then the most specific entry on the address; an exception lets in. One indexed
    statement. What is no address is nobody's.
    """
    address = parse(ip or "")
    with prepared.cursor() as cursor:
        cursor.execute(_CHECK, [player, str(address) if address else None])
        found = cursor.fetchone()
    return Ban.objects.select_related("player").get(pk=found[0]) if found else None


def at_sign_in(address):
    """For console.sign_ins: why nobody may sign in from this address, or ""."""
    return SIGN_IN_REFUSED if check(ip=address) else ""
