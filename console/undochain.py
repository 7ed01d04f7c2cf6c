"""A gesture, what it undoes, what undid it, and so on: each is undone once at most, so this is one line of links."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from console import telling, verbs
from console.models import Gesture, User

MOST = 100  # links either way; people who undo each other more often than that have other worries
_LINKS = f"""
    WITH RECURSIVE back (id, undoes_id, place) AS (
        SELECT id, undoes_id, 0 FROM console_gesture WHERE id = %s
        UNION ALL
        SELECT earlier.id, earlier.undoes_id, place - 1 FROM console_gesture AS earlier
        JOIN back ON earlier.id = back.undoes_id WHERE place > -{MOST}
    ), ahead (id, place) AS (
        SELECT id, 0 FROM console_gesture WHERE id = %s
        UNION ALL
        SELECT later.id, place + 1 FROM console_gesture AS later
        JOIN ahead ON later.undoes_id = ahead.id WHERE place < {MOST}
    ), links AS (SELECT id, place FROM back UNION SELECT id, place FROM ahead)
    SELECT gesture.id, gesture.at, gesture.verb, gesture.actor_id, gesture.undoes_id,
        staff.username, staff.first_name, staff.last_name,
        (SELECT min(entry.id) FROM console_entry AS entry WHERE entry.batch_id = gesture.id)
    FROM links JOIN console_gesture AS gesture ON gesture.id = links.id
    LEFT JOIN console_user AS staff ON staff.id = gesture.actor_id
    ORDER BY links.place
"""


@dataclass
class Link:
    """A gesture in a chain; `undone_by` is the next link, when there is one."""

    gesture: Gesture
    entry_id: int
    is_current: bool
    undone_by: "Link | None" = None

    @property
    def at(self) -> datetime:
        return self.gesture.at

    @property
    def who(self):
        return self.gesture.actor.display_name if self.gesture.actor else "The system"

    @property
    def declared(self):
        return verbs.get(self.gesture.verb)

    @property
    def did(self):
        return "undid that" if self.gesture.undoes_id else telling.past_of(self.gesture.verb)


@dataclass
class Chain:
    links: list[Link]

    @property
    def current(self):
        return next(link for link in self.links if link.is_current)

    @property
    def gesture(self):
        """The gesture at hand, which knows all those it goes back to."""
        return self.current.gesture


def chain_of(gesture):
    """The Chain around a gesture, by one query; the first link is what was done at first."""
    with connection.cursor() as cursor:
        cursor.execute(_LINKS, [gesture.pk, gesture.pk])
        found = cursor.fetchall()
    links = []
    for pk, at, verb, actor_id, undoes_id, username, first_name, last_name, entry_id in found:
        actor = User(pk=actor_id, username=username, first_name=first_name, last_name=last_name) if actor_id else None
        each = Gesture.from_db("default", ["id", "at", "verb", "undoes_id"], [pk, at, verb, undoes_id])
        each.actor = actor
        if links:
            each.undoes = links[-1].gesture
        links.append(Link(each, entry_id, pk == gesture.pk))
        if len(links) > 1:
            links[-2].undone_by = links[-1]
    return Chain(links)
