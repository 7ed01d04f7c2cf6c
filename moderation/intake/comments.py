"""Comments as they come in: new ones, other texts of those that are there, and that some were deleted.

What was decided on a text says nothing of another: an edited comment returns to the queue. Whoever is banned by then is
turned away, with new texts and edited ones. A text older than the one that is there changes nothing; what was deleted
stays so, unless a text comes that the portal dates later.
"""

import json

from django.db import connection
from django.utils import timezone

from moderation.actions.portal import delete_comment, edit_comment
from moderation.doors import CHECK_MANY
from moderation.intake import cleaning, known
from moderation.intake.answers import BANNED, CREATED, DELETED, INVALID, UNCHANGED, UPDATED, batch, read, rounds
from moderation.models import Comment
from moderation.text import fold

NOBODY = "author or player is missing: there is no comment with this external_id yet"
BODILESS = "body is missing"

# what is there already stays as it is, a comment never comes without its text, and what was written by somebody who
# was banned by then, and still is, never waits for anybody
STORE = f"""
    WITH given AS (
        SELECT * FROM json_to_recordset(%s) AS row (
            external_id text, player_id bigint, game_id bigint, body text, created_at timestamptz,
            edited_at timestamptz, ip inet, folded text
        )
    ),
    asked AS (SELECT external_id AS key, player_id, ip, created_at AS at FROM given),
    banned AS ({CHECK_MANY}),
    new AS (
        INSERT INTO moderation_comment (external_id, player_id, game_id, body, status, blocked_by_id, created_at,
            edited_at, ip, report_count, version)
        SELECT external_id, player_id, game_id, body, CASE WHEN ban_id IS NULL THEN 'pending' ELSE 'rejected' END,
            ban_id, created_at, edited_at, ip, 0, 0
        FROM given LEFT JOIN banned ON key = external_id ORDER BY external_id
        ON CONFLICT (external_id) DO NOTHING
        RETURNING id, external_id, blocked_by_id
    ),
    texts AS (
        INSERT INTO moderation_commenttext (comment_id, folded)
        SELECT id, folded FROM new JOIN given USING (external_id)
    )
    SELECT external_id, id, blocked_by_id FROM new
"""
# what intake keeps on each player: number of comments, when they were last seen, in which game, from where
KEEP_TOTALS = """
    UPDATE moderation_player AS player SET
        comment_count = comment_count + comments,
        joined_at = least(joined_at, first_at),
        last_seen_at = greatest(last_seen_at, last_at),
        recent_game_id = CASE WHEN last_seen_at >= last_at THEN recent_game_id ELSE last_game_id END,
        last_ip = CASE WHEN last_seen_at >= last_at THEN player.last_ip ELSE coalesce(new.last_ip, player.last_ip) END
    FROM (
        SELECT player_id, count(*) AS comments, min(created_at) AS first_at, max(created_at) AS last_at,
            (array_agg(game_id ORDER BY created_at DESC, id DESC))[1] AS last_game_id,
            (array_agg(ip ORDER BY created_at DESC, id DESC))[1] AS last_ip
        FROM moderation_comment WHERE id = ANY(%s) GROUP BY player_id
    ) AS new
    WHERE player.id = player_id
"""
BANNED_NOW = f"""
    WITH asked AS (
        SELECT id AS key, player_id, ip, statement_timestamp() AS at FROM moderation_comment WHERE id = ANY(%s)
    )
    {CHECK_MANY}
"""


def clean(values):
    """The fields of a row; `player` is the portal's id of the author, `name` what to call them when they are new."""
    author, player = cleaning.text(values, "author"), cleaning.text(values, "player")
    fields = {
        "external_id": cleaning.needed(values, "external_id"),
        "player": player or (f"author:{author}" if author else ""),
        "name": author or player,
        "body": cleaning.text(values, "body", strip=False),
        "deleted": cleaning.yes(values, "deleted"),
        "created_at": cleaning.past(values, "created_at", cleaning.AT_MOST),
        "edited_at": cleaning.past(values, "edited_at"),
        "game": cleaning.slug(values),
        "ip": cleaning.address(values),
    }
    if not fields["body"].strip() and not fields["deleted"]:
        raise cleaning.BadRow(BODILESS)
    return fields


def take(rows):
    """Takes rows as they were sent. Returns an Answer for each."""
    answers, good = read(rows, clean)
    settle(good)
    return answers


def settle(rows):
    """Takes Rows, and settles their answers. One whose fields have `only_new` leaves alone what is there."""
    while rows:  # what somebody else stored in the same moment is theirs, and looked at anew
        rows = _take(rows)


@batch
def _take(rows):
    """Returns the rows that have to come once more."""
    named = {row.fields["player"]: row.fields["name"] for row in rows if row.fields["player"] and not gone(row)}
    there = known.authors(row.id for row in rows)
    names = {row.fields["player"] for row in rows if row.id not in there} & set(named)
    players = known.players({each: named[each] for each in names})
    erased = known.lock({*players.values(), *there.values()})
    games = known.games({row.fields["game"] for row in rows if row.id not in there and not gone(row)} - {""})
    again = []
    for each in rounds(rows):
        again += _round(each, players, games, erased)
    return again


def gone(row):
    return row.fields["deleted"]


def _round(rows, players, games, erased):
    """Rows of which none is about the same comment as another. Returns those that came too late."""
    there = Comment.objects.filter(external_id__in=[row.id for row in rows])
    there = {comment.external_id: comment for comment in there.select_for_update().order_by("pk")}
    again = _new([row for row in rows if row.id not in there], players, games)
    changed = [row for row in rows if row.id in there]
    _delete([row for row in changed if gone(row)], there)
    _edit([row for row in changed if not gone(row)], there, erased)
    return again


def _new(rows, players, games):
    for row in rows:
        if gone(row):
            row.answer.settle(UNCHANGED)  # nothing is remembered of what was never here
        elif row.fields["player"] not in players:
            row.answer.settle(INVALID, NOBODY)
    rows = [row for row in rows if not row.answer.status]
    if not rows:
        return []
    with connection.cursor() as cursor:
        cursor.execute(STORE, [json.dumps([_stored(row.fields, players, games) for row in rows], default=str)])
        new = {external_id: (pk, ban) for external_id, pk, ban in cursor.fetchall()}
    _keep_totals([pk for pk, _ in new.values()])
    for row in rows:
        if row.id in new:
            row.answer.settle(BANNED if new[row.id][1] else CREATED)
    return [row for row in rows if row.id not in new]


def _keep_totals(keys):
    with connection.cursor() as cursor:
        cursor.execute(KEEP_TOTALS, [keys])


def _stored(fields, players, games):
    return {
        **{name: fields[name] for name in ("external_id", "body", "ip", "edited_at")},
        "created_at": fields["created_at"] or timezone.now(),
        "player_id": players[fields["player"]],
        "game_id": games.get(fields["game"]),
        "folded": fold(fields["body"]),
    }


def _delete(rows, there):
    deleting = []
    for row in rows:
        is_over = _is_over(row.fields, there[row.id])
        row.answer.settle(UNCHANGED if is_over else DELETED)
        if not is_over:
            deleting.append(there[row.id])
    if deleting:
        told = {row.id: row.fields["edited_at"] for row in rows}
        delete_comment(deleting, by=None, told=told)


def _is_over(fields, comment):
    """Whether it is deleted already, or was brought back since."""
    at, newest = fields["edited_at"], comment.edited_at
    return comment.status == Comment.DELETED or bool(at and newest and at < newest)


def _edit(rows, there, erased):
    """What somebody wrote whose data was erased does not come back."""
    editing = []
    for row in rows:
        comment = there[row.id]
        is_other = comment.player_id not in erased and _is_other(row.fields, comment)
        row.answer.settle(UPDATED if is_other else UNCHANGED)
        if is_other:
            editing.append(row)
    if not editing:
        return
    comments = [there[row.id] for row in editing]
    bans = _banned(comments)
    told = {
        row.id: {
            "body": row.fields["body"],
            "edited_at": row.fields["edited_at"],
            "ban": bans.get(there[row.id].pk),
        }
        for row in editing
    }
    edit_comment(comments, by=None, told=told)
    for row in editing:
        if told[row.id]["ban"]:
            row.answer.settle(BANNED)


def _is_other(fields, comment):
    """Whether a row brings a text that is not there yet, and is not older than the one that is."""
    at, newest = fields["edited_at"], comment.edited_at
    if fields.get("only_new"):
        return False
    if comment.status == Comment.DELETED:
        return bool(at and newest and at > newest)
    if fields["body"] == comment.body:
        return False
    if newest is None:
        return True
    # one without a date of its own that says when the comment was written is that comment, sent once more
    return at >= newest if at else fields["created_at"] is None


def _banned(comments):
    """`{key: key of the ban}` of those whose authors, or their addresses, are banned now."""
    with connection.cursor() as cursor:
        cursor.execute(BANNED_NOW, [[comment.pk for comment in comments]])
        return dict(cursor.fetchall())
