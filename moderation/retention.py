"""What is let go of after a while of players' addresses: the part that says which household, never all of it.

A comment's address, and the last one of a player, become their network (203.0.113.0/24, 2001:db8:12::/48; as wide as
what is shown to roles that see no whole address): spam from one neighbourhood can still be told. A ban of an address
that is over keeps the network that the address was in, and says so.

Of texts: what a comment said before it was edited, and what one said that was deleted at the portal.
"""

from django.conf import settings

from console.masking import KEPT
from console.retention import Rule, register
from moderation.models.comments import LET_GO

_WHOLE = "masklen({0}) IN (32, 128)"  # as the indexes comment_whole_address and player_whole_address say it
_KEPT = f"CASE family({{0}}) WHEN 4 THEN {KEPT[4]} ELSE {KEPT[6]} END"
_NETWORK = f"network(set_masklen({{0}}, {_KEPT}))::inet"

# the oldest first, locked in the order in which verbs lock them; what somebody else holds is left for tomorrow
_SHORTEN = """
    WITH old AS (SELECT id FROM {table} WHERE {whole} AND {at} < %(before)s ORDER BY {at} LIMIT %(most)s),
    mine AS (SELECT id FROM {table} WHERE id IN (SELECT id FROM old) ORDER BY id FOR UPDATE SKIP LOCKED)
    UPDATE {table} AS row SET {column} = {network} FROM mine WHERE row.id = mine.id
"""
_BANS = f"""
    WITH mine AS (
        SELECT id FROM moderation_ban WHERE NOT shortened AND masklen(network) > {_KEPT.format("network")}
            AND (lifted_at < %(before)s OR expires_at < %(before)s)
        ORDER BY id LIMIT %(most)s FOR UPDATE SKIP LOCKED
    ), labels AS (
        DELETE FROM console_personal USING mine WHERE subject = 'moderation.ban:' || mine.id AND kind = 'label'
    )
    UPDATE moderation_ban AS row SET network = {_NETWORK.format("network")}, shortened = true, version = version + 1
    FROM mine WHERE row.id = mine.id
"""
_EARLIER = """
    DELETE FROM moderation_commentedit WHERE id IN (
        SELECT id FROM moderation_commentedit WHERE at < %(before)s ORDER BY at LIMIT %(most)s
    )
"""
_DELETED = f"""
    WITH mine AS (
        SELECT id FROM moderation_comment WHERE status = 'deleted' AND body <> '{LET_GO}' AND edited_at < %(before)s
        ORDER BY id LIMIT %(most)s FOR UPDATE SKIP LOCKED
    ), texts AS (
        UPDATE moderation_commenttext SET folded = '' FROM mine WHERE comment_id = mine.id
    ), earlier AS (
        DELETE FROM moderation_commentedit USING mine WHERE comment_id = mine.id
    )
    UPDATE moderation_comment AS row SET body = '{LET_GO}', fingerprint = NULL, version = version + 1
    FROM mine WHERE row.id = mine.id
"""


def _shorten(table, column, at):
    forms = {"whole": _WHOLE.format(column), "network": _NETWORK.format(column)}
    return _SHORTEN.format(table=table, column=column, at=at, **forms)


def ready():
    register(
        Rule(
            "addresses of comments shortened",
            lambda: settings.COMMENT_ADDRESS_DAYS,
            _shorten("moderation_comment", "ip", "created_at"),
        ),
        Rule(
            "last addresses of players shortened",
            lambda: settings.COMMENT_ADDRESS_DAYS,
            _shorten("moderation_player", "last_ip", "seen_or_joined_at"),
        ),
        Rule("earlier texts of comments", lambda: settings.EARLIER_TEXT_DAYS, _EARLIER),
        Rule("texts of deleted comments", lambda: settings.DELETED_TEXT_DAYS, _DELETED),
        Rule("bans of addresses shortened", lambda: settings.BAN_ADDRESS_DAYS, _BANS),
    )
