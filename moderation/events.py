"""One timeline of everything about a player: their arrival, reports, decisions on them, their comments and games."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from console import masking, prepared, verbs
from console.undo import may_undo
from moderation.models import Player
from moderation.models.shared import stem
from moderation.profile import LATEST, NAME

_EVENTS = """
    WITH latest AS (
        SELECT id FROM moderation_comment WHERE player_id = %(player)s
        ORDER BY created_at DESC, id DESC LIMIT %(latest)s
    ), lines AS (
        (SELECT e.id, e.target_type, e.target_id FROM console_entry e
        WHERE e.target_type = 'moderation.player' AND e.target_id = %(player)s AND e.at < %(before)s
        ORDER BY e.id DESC LIMIT %(most)s)
        UNION ALL
        (SELECT e.id, e.target_type, e.target_id FROM latest
        JOIN console_entry e ON e.target_type = 'moderation.comment' AND e.target_id = latest.id
        WHERE e.at < %(before)s ORDER BY e.id DESC LIMIT %(most)s)
        UNION ALL
        (SELECT e.id, e.target_type, e.target_id FROM {games} g
        JOIN console_entry e ON e.target_type = %(game)s AND e.target_id = g.id
        WHERE g.author_id = %(player)s AND e.at < %(before)s ORDER BY e.id DESC LIMIT %(most)s)
    ), gestures AS (
        SELECT e.batch_id, min(lines.id) AS id, count(*) AS number FROM lines JOIN console_entry e ON e.id = lines.id
        GROUP BY e.batch_id
    )
    (SELECT 'entry' AS kind, e.at, e.id, e.verb, e.target_type, e.target_id, gestures.number,
        coalesce({name}, '') AS who, e.actor_id, coalesce(r.label, e.reason) AS because,
        coalesce(p.value, '') AS words,
        EXISTS (SELECT 1 FROM console_gesture u WHERE u.undoes_id = e.batch_id) AS undone
    FROM gestures JOIN console_entry e ON e.id = gestures.id
    LEFT JOIN console_user u ON u.id = e.actor_id
    LEFT JOIN moderation_reason r ON r.code = e.reason
    LEFT JOIN console_personal p ON p.ref = e.note AND e.note <> '')
    UNION ALL
    (SELECT 'received', r.created_at, r.id, '', '', r.comment_id, 1, '', NULL, '', r.words, false
    FROM latest JOIN moderation_report r ON r.comment_id = latest.id
    WHERE r.created_at < %(before)s ORDER BY r.created_at DESC LIMIT %(most)s)
    UNION ALL
    (SELECT 'made', r.created_at, r.id, '', '', r.comment_id, 1, '', NULL, '', r.words, false
    FROM moderation_report r WHERE r.player_id = %(player)s AND r.created_at < %(before)s
    ORDER BY r.created_at DESC LIMIT %(most)s)
    UNION ALL
    (SELECT 'joined', p.joined_at, p.id, '', '', p.id, 1, '', NULL, '', '', false
    FROM moderation_player p WHERE p.id = %(player)s AND p.joined_at < %(before)s)
    ORDER BY at DESC, kind, id DESC LIMIT %(most)s
"""


@dataclass
class Event:
    """Something that happened; of a decision on many things at once `number` says on how many of the player's."""

    kind: str
    at: datetime
    id: int
    verb: str
    target_type: str
    target_id: int
    number: int
    who: str
    actor_id: int | None
    because: str
    words: str
    undone: bool
    undo_url: str = ""
    undoes_id: int | None = None  # for may_undo, which is asked of decisions only, never of undos

    @property
    def declared(self):
        return verbs.get(self.verb)

    @property
    def on(self):
        """What it was about when that is not the player: "comment" or "game"."""
        noun = self.target_type.rpartition(".")[2]
        return "" if noun == "player" else noun

    @property
    def others(self):
        return self.number - 1

    @property
    def comment_url(self):
        return f"{stem('moderation:comment')}{self.target_id}/"


def events(player, user, most, before=None):
    """`(the newest events before a moment, whether there are more)`."""
    games = Player._meta.get_field("games").related_model._meta
    sql = _EVENTS.format(games=games.db_table, name=NAME)
    given = {"player": player.pk, "latest": LATEST, "most": most + 1, "game": games.label_lower}
    with prepared.cursor() as cursor:
        cursor.execute(sql, given | {"before": before or "infinity"})
        found = [Event(*row) for row in cursor.fetchall()]
    whole = masking.sees_whole(user)
    for event in found:
        if event.kind == "entry":
            event.words = masking.words(event.words, whole)
        event.undo_url = _undo_url(event, user)
    return found[:most], len(found) > most


def _undo_url(event, user):
    if event.undone or not event.declared or not may_undo(user, event):
        return ""
    return reverse("console:undo", args=[event.id])
