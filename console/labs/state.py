"""How flags and switches stand: one question to Redis for all of them, or one to the database while it does not know.

What Redis keeps is believed only while it bears the mark of the latest change: a reader who was slow cannot put back
how things stood before. Should Redis be away at the very moment of a change, others see that after KEPT_S at most.
"""

import json
import uuid
from datetime import datetime
from typing import NamedTuple

from django.core.cache import caches
from django.db import connection

from console.hot import HotCache

MARK, KEPT = "labs:mark", "labs:kept"
KEPT_S = 60
_ALL = """
    SELECT (
        SELECT json_object_agg(name, json_build_object(
            'stage', stage, 'groups', given_to, 'share', share, 'everyone', everyone, 'chosen', coalesce((
                SELECT json_object_agg(user_id, wanted) FROM console_choice
                WHERE flag_id = console_flag.id AND wanted IS NOT NULL
            ), '{}')
        )) FROM console_flag
    ), (SELECT json_object_agg(name, since) FROM console_switch WHERE active)
"""


class Facts(NamedTuple):
    """A flag. `chosen` maps the keys of people, as text, to what they chose."""

    stage: str
    groups: list
    share: int
    everyone: bool | None
    chosen: dict


class State(NamedTuple):
    """`flags` maps names to Facts, `switches` the names of those that are on to since when (a datetime or None)."""

    flags: dict
    switches: dict


def of(request):
    """The State for this request: the same from its beginning to its end."""
    if not hasattr(request, "labs_state"):
        request.labs_state = current()
    return request.labs_state


def current():
    hot = caches["hot"]
    found = hot.get_many([MARK, KEPT])
    mark, kept = found.get(MARK), found.get(KEPT)
    if kept and kept[0] == mark:
        return _state(kept[1])
    if mark is None:
        hot.add(MARK, mark := uuid.uuid4().hex, None)  # if somebody else was quicker, what we keep is not believed
    text = _read()
    hot.set(KEPT, (mark, text), KEPT_S)
    return _state(text)


def is_flipped(name):
    """Whether a switch is on, for whoever has no request."""
    return name in current().switches


def forget():
    """Something was changed. Redis is asked even if it did not answer just now."""
    HotCache.asleep_until = 0.0
    caches["hot"].set(MARK, uuid.uuid4().hex, None)


def _read():
    with connection.cursor() as cursor:
        cursor.execute(_ALL)
        return json.dumps([value or {} for value in cursor.fetchone()])


def _state(text):
    flags, switches = json.loads(text)
    on = {name: since and datetime.fromisoformat(since) for name, since in switches.items()}
    return State({name: Facts(**facts) for name, facts in flags.items()}, on)
