"""What of a player can be erased, and erasing it: in every place where it is kept, by set-based SQL.

Gone are name, e-mail, bio, address and portal id of the player; text, earlier texts, search text and address of their
comments; words of the reports they made and of those on their comments; notes about them, and those on their bans;
what events of the portal said of them; what they were told by mail and when; every personal value that the ledger
points at and that is about the player, their comments, bans, strikes or notes; and the note of every gesture that
touched any of these. Such a note may be about others as well, and goes all the same: it may name this one. So does the
filter of an export when somebody looked for them by their name, mail, address or portal id.

What others wrote elsewhere, backups, and exports that were taken before are out of reach.
"""

from urllib.parse import parse_qs

from django.db import connection, connections
from django.db.models import Q

from console import personal
from console.models import Entry, Personal

SAID = "Erased on request."
TABLES = "player", "comment", "commentedit", "commenttext", "report", "note", "ban", "notice", "mailing"

_COMMENTS = "(SELECT id FROM moderation_comment WHERE player_id = ANY(%(players)s))"
_NAMES = "(SELECT external_id FROM moderation_player WHERE id = ANY(%(players)s))"
_COMMENT_NAMES = "(SELECT external_id FROM moderation_comment WHERE player_id = ANY(%(players)s))"
_HANGING_ON = "\n".join(
    f"UNION ALL SELECT 'moderation.{name}', id FROM moderation_{name} WHERE player_id = ANY(%(players)s)"
    for name in ("comment", "ban", "strike", "note")
)
_PERSONAL = f"""
    console_personal WHERE subject IN (
        WITH about AS (SELECT 'moderation.player' AS kind, unnest(%(players)s::bigint[]) AS id {_HANGING_ON})
        SELECT kind || ':' || id FROM about
        UNION SELECT 'gesture:' || batch_id FROM console_entry
        JOIN about ON target_type = about.kind AND target_id = about.id
    )
"""
_COUNTED = {
    ("comment", "comments"): "FROM moderation_comment WHERE player_id = ANY(%(players)s)",
    ("earlier text", "earlier texts"): f"FROM moderation_commentedit WHERE comment_id IN {_COMMENTS}",
    ("report", "reports"): f"""
        FROM moderation_report WHERE words <> '' AND (player_id = ANY(%(players)s) OR comment_id IN {_COMMENTS})""",
    ("note", "notes"): "FROM moderation_note WHERE player_id = ANY(%(players)s)",
    ("ban's note", "bans' notes"): "FROM moderation_ban WHERE player_id = ANY(%(players)s) AND note <> ''",
    ("value kept for the ledger", "values kept for the ledger"): f"FROM {_PERSONAL}",
}
_STATEMENTS = [
    # as verbs lock them
    "SELECT id FROM moderation_comment WHERE player_id = ANY(%(players)s) ORDER BY id FOR UPDATE",
    """UPDATE moderation_comment SET body = %(said)s, ip = NULL, fingerprint = NULL, version = version + 1
        WHERE player_id = ANY(%(players)s)""",
    f"DELETE FROM moderation_commentedit WHERE comment_id IN {_COMMENTS}",
    f"UPDATE moderation_commenttext SET folded = '' WHERE comment_id IN {_COMMENTS}",
    f"""UPDATE moderation_report SET words = ''
        WHERE words <> '' AND (player_id = ANY(%(players)s) OR comment_id IN {_COMMENTS})""",
    # what it said, what was wrong with that in its own words, and of whom it was
    f"""UPDATE console_received SET data = NULL, error = '',
        about = CASE WHEN type LIKE 'player.%%' THEN '' ELSE about END
        WHERE (data IS NOT NULL OR error <> '' OR type LIKE 'player.%%') AND (
        data ->> 'player' IN {_NAMES} OR 'author:' || (data ->> 'author') IN {_NAMES}
        OR (type LIKE 'player.%%' AND about IN {_NAMES})
        OR (type LIKE 'comment.%%' AND about IN {_COMMENT_NAMES})
        OR (type LIKE 'report.%%' AND data ->> 'comment' IN {_COMMENT_NAMES})
    )""",
    "UPDATE moderation_note SET text = %(said)s WHERE player_id = ANY(%(players)s)",
    "UPDATE moderation_ban SET note = '' WHERE player_id = ANY(%(players)s) AND note <> ''",
    "DELETE FROM moderation_notice WHERE player_id = ANY(%(players)s)",
    "DELETE FROM moderation_mailing WHERE player_id = ANY(%(players)s)",
    f"DELETE FROM {_PERSONAL}",
    """UPDATE moderation_player AS player SET email = '', bio = '', last_ip = NULL, username = 'erased player ' || id,
        external_id = 'erased-' || id || CASE WHEN EXISTS (
            SELECT FROM moderation_player AS other
            WHERE other.external_id = 'erased-' || player.id AND other.id <> player.id
        ) THEN '-' || gen_random_uuid() ELSE '' END
        WHERE id = ANY(%(players)s) RETURNING id, external_id, username""",
]


def found(player):
    """What there is to erase beside the player's own row, in words: ["3 comments", "1 report"]."""
    with connection.cursor() as cursor:
        said = []
        for (one, many), source in _COUNTED.items():
            cursor.execute(f"SELECT count(*) {source}", {"players": [player.pk]})
            (number,) = cursor.fetchone()
            said += [f"{number:,} {one if number == 1 else many}"] if number else []
    return said


def erase(players):
    """Erases it, of locked players, which are brought up to date in place; that they have changed is the verb's."""
    _erase_filters(players)
    with connection.cursor() as cursor:
        for statement in _STATEMENTS:
            cursor.execute(statement, {"players": [player.pk for player in players], "said": SAID})
        named = {pk: names for pk, *names in cursor.fetchall()}
    for player in players:
        player.external_id, player.username = named[player.pk]
        player.email, player.bio, player.last_ip = "", "", None


def _erase_filters(players):
    """Filters of exports are kept as notes of their gestures: few, and no index knows what is in them."""
    kept = Personal.objects.filter(subject__in=[personal.subject(player) for player in players])
    known = {value for player in players for value in (player.username, player.email, player.last_ip)}
    known |= {player.external_id for player in players} | set(kept.values_list("value", flat=True))
    known = {value.casefold() for value in known if value}
    exports = Entry.objects.filter(Q(target_type="console.export") & ~Q(note="")).values("note")
    named = [
        ref
        for ref, query in Personal.objects.filter(ref__in=exports).values_list("ref", "value")
        if _names(query, known)
    ]
    Personal.objects.filter(ref__in=named).delete()


def _names(query, known):
    """Whether a query string looks for one of these; a short one only as a whole, since it is in much else."""
    given = [value.casefold() for values in parse_qs(query).values() for value in values]
    return any(one == value or (len(one) > 3 and one in value) for one in known for value in given)


def forget():
    """Lets go of what the database itself still holds of it: dead rows, and samples in its statistics."""
    tables = ", ".join([*(f"moderation_{name}" for name in TABLES), "console_personal", "console_received"])
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"VACUUM (ANALYZE) {tables}")
