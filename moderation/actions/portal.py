"""What the portal does to what is its own: no button offers it, and no undo takes it back."""

import json

from django.db import connection
from django.utils import timezone

from console.verbs import verb
from moderation.models import Ban, Comment
from moderation.text import fold

COMMENT = "moderation.Comment"
RECORDED = ("username", "email", "bio")  # of a player; as when staff edit them
ITS_OWN = "The portal did this. Only the portal can take it back."
# the text that was there is kept, with what had been decided on it, and search finds the new one
_REWRITE = """
    WITH given AS (SELECT * FROM json_to_recordset(%s) AS row (id bigint, body text, folded text)),
    kept AS (
        INSERT INTO moderation_commentedit (comment_id, body, status)
        SELECT id, comment.body, status FROM moderation_comment AS comment JOIN given USING (id)
        WHERE comment.body <> given.body
    ),
    texts AS (
        INSERT INTO moderation_commenttext (comment_id, folded) SELECT id, folded FROM given
        ON CONFLICT (comment_id) DO UPDATE SET folded = excluded.folded
    )
    UPDATE moderation_comment AS comment SET body = given.body, fingerprint = NULL FROM given
    WHERE comment.id = given.id
"""


@verb(
    "comment.edit",
    label="Edit",
    past="took in the portal's edit of",
    model=COMMENT,
    permission="moderation.change_comment",
    legal=lambda comment: True,
    repeats=True,
    icon="pencil",
    by_hand=False,
    final=ITS_OWN,
)
def edit_comment(comments, act, told=None):
    """Gives them other texts and returns them to the queue; whom a ban turns away is rejected. `told` holds by
    external_id the `body`, the moment of the edit if it is dated, and the key of the `ban` if there is one.
    """
    told = {comment: (told or {}).get(comment.external_id, {}) for comment in comments}
    _rewrite({comment.pk: each["body"] for comment, each in told.items() if "body" in each})
    bans = Ban.objects.in_bulk([each["ban"] for each in told.values() if each.get("ban")])
    turned_away = {"blocked_by": lambda comment: bans.get(told[comment].get("ban"))}
    act.change(
        comments,
        status=lambda comment: Comment.REJECTED if told[comment].get("ban") else Comment.PENDING,
        edits=lambda comment: comment.edits + 1,
        edited_at=lambda comment: told[comment].get("edited_at") or comment.edited_at,
        **(turned_away if bans or any(comment.blocked_by_id for comment in comments) else {}),
    )


def _rewrite(bodies):
    given = [{"id": pk, "body": body, "folded": fold(body)} for pk, body in bodies.items()]
    with connection.cursor() as cursor:
        cursor.execute(_REWRITE, [json.dumps(given)])


@verb(
    "comment.delete",
    label="Delete",
    past="took in the portal's deletion of",
    model=COMMENT,
    permission="moderation.delete_comment",
    legal=lambda comment: comment.status != Comment.DELETED,
    icon="trash-2",
    by_hand=False,
    final=ITS_OWN,
)
def delete_comment(comments, act, told=None):
    """They wait for nobody any more. `told` holds by external_id when that was, for those that are dated."""
    told, now = told or {}, timezone.now()
    act.change(comments, status=Comment.DELETED, edited_at=lambda comment: told.get(comment.external_id) or now)


@verb(
    "player.update",
    label="Update",
    past="took in what the portal changed of",
    model="moderation.Player",
    permission="moderation.change_player",
    legal=lambda player: True,
    repeats=True,
    icon="pencil",
    by_hand=False,
    final=ITS_OWN,
)
def update_player(players, act, told=None, **fields):
    """Gives them these values of RECORDED fields, or each its own: `told` holds them by external_id."""
    told = {player: fields | (told or {}).get(player.external_id, {}) for player in players}
    names = [name for name in RECORDED if any(name in own for own in told.values())]
    changes = {name: lambda player, name=name: told[player].get(name, getattr(player, name)) for name in names}
    act.change(players, **changes)
