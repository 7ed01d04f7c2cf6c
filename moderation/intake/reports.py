"""Reports as they come in. A player's report of a comment counts once, however often and under whatever id it comes."""

import json

from django.db import connection
from django.utils import timezone

from moderation.intake import cleaning, known
from moderation.intake.answers import CREATED, INVALID, UNCHANGED, batch, read, rounds
from moderation.models import Comment

UNKNOWN = "there is no comment with this external_id; send the comment first"
_STORE = """
    WITH given AS (
        SELECT DISTINCT ON (comment_id, coalesce(player_id, -place)) * FROM json_to_recordset(%s) AS row (
            place bigint, external_id text, comment_id bigint, player_id bigint, words text, created_at timestamptz
        ) ORDER BY comment_id, coalesce(player_id, -place), place
    ),
    new AS (
        INSERT INTO moderation_report (external_id, comment_id, player_id, words, created_at)
        SELECT external_id, comment_id, player_id, words, created_at FROM given WHERE NOT EXISTS (
            SELECT FROM moderation_report AS other
            WHERE other.comment_id = given.comment_id AND other.player_id = given.player_id
        ) ORDER BY external_id
        ON CONFLICT (external_id) DO NOTHING RETURNING external_id, comment_id
    ),
    counted AS (
        UPDATE moderation_comment SET report_count = report_count + number
        FROM (SELECT comment_id, count(*) AS number FROM new GROUP BY comment_id) AS more WHERE id = comment_id
    )
    SELECT external_id FROM new
"""


def clean(values):
    """The fields of a row: `comment` is the external_id of a comment, `player` the portal's id of who reported it."""
    return {
        "external_id": cleaning.needed(values, "external_id"),
        "comment": cleaning.needed(values, "comment"),
        "player": cleaning.text(values, "player"),
        "words": cleaning.text(values, "words", strip=False),
        "created_at": cleaning.past(values, "created_at", cleaning.AT_MOST),
    }


def take(rows):
    """Takes rows as they were sent. Returns an Answer for each."""
    answers, good = read(rows, clean)
    settle(good)
    return answers


@batch
def settle(rows):
    """Takes Rows, and settles their answers."""
    players = {row.fields["player"] for row in rows} - {""}
    players = known.players({each: each for each in players})
    there = known.authors(row.fields["comment"] for row in rows)
    known.lock({*players.values(), *there.values()})  # what refers to them is checked at the end, with comments locked
    comments = Comment.objects.filter(external_id__in={row.fields["comment"] for row in rows})
    # locked: their numbers rise, and nobody else counts the same report meanwhile
    comments = dict(comments.select_for_update(no_key=True).order_by("pk").values_list("external_id", "pk"))
    for each in rounds(rows):
        _round(each, players, comments)


def _round(rows, players, comments):
    for row in rows:
        is_known = row.fields["comment"] in comments
        row.answer.settle(CREATED if is_known else INVALID, None if is_known else UNKNOWN)
    rows = [row for row in rows if row.answer.status == CREATED]
    if not rows:
        return
    given = [
        {
            "place": place,
            "external_id": row.id,
            "comment_id": comments[row.fields["comment"]],
            "player_id": players.get(row.fields["player"]),
            "words": row.fields["words"],
            "created_at": row.fields["created_at"] or timezone.now(),
        }
        for place, row in enumerate(rows, start=1)
    ]
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [json.dumps(given, default=str)])
        new = {external_id for (external_id,) in cursor.fetchall()}
    for row in rows:
        row.answer.settle(CREATED if row.id in new else UNCHANGED)
