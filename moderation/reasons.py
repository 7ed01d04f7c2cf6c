"""Canned reasons: what their texts say of whom, and which are given most.

They are counted by a worker every few minutes and the numbers kept in Redis: a form never waits for that, and falls
back to the order that seniors gave while there are none.
"""

import re
from datetime import timedelta

from django.core.cache import caches
from django.db.models import Case, Count, Value, When
from django.utils import timezone

from console import ledger, verbs
from console.models import Entry
from moderation.models import Player, Reason

COUNTED_DAYS = 30
KEY = "moderation:reasons"
KEPT_S = 24 * 60 * 60
VARIABLES = {"player": "the player", "game": "the game"}  # and what they say where there is none, or are several
_VARIABLE = re.compile(rf"\{{({'|'.join(VARIABLES)})\}}")


def filled(text, row=None):
    """The text with its variables replaced by what the row (a comment, a player, a build) is about."""
    return _VARIABLE.sub(lambda found: _value(found[1], row), text)


def unknown(text):
    """What stands in braces and is no variable: the first of it, or ""."""
    left = _VARIABLE.sub("", text)
    found = re.search(r"\{[^{}]*\}|[{}]", left)
    return found[0] if found else ""


def _value(name, row):
    game = getattr(row, "game", None)
    player = row if isinstance(row, Player) else getattr(row, "player", None) or getattr(game, "author", None)
    about = {"player": player, "game": game}[name]
    return ledger.printed(about) if about else VARIABLES[name]


def offered(verb=""):
    """Reasons in use that are meant for this verb, the most given for it first, then in the order of the list."""
    given = (counts() or {}).get(verb, {})
    most = [When(code=code, then=Value(-number)) for code, number in given.items()]
    by_use = [Case(*most, default=Value(0))] if most else []
    return Reason.objects.meant_for(verb).order_by(*by_use, "position", "label")


def counts():
    """`{verb: {code: gestures in the last days}}`, or None while nobody has counted or Redis is away."""
    return caches["hot"].get(KEY)


def count():
    """Counts gestures of the whole team, not rows: a thousand comments rejected at once were one choice."""
    since = timezone.now() - timedelta(days=COUNTED_DAYS)
    given = Entry.objects.filter(at__gte=since).exclude(reason="").order_by().values_list("verb", "reason")
    found = {}
    for verb, code, number in given.annotate(number=Count("batch", distinct=True)):
        found.setdefault(verb, {})[code] = number
    caches["hot"].set(KEY, found, timeout=KEPT_S)
    return found


def total(counted, code):
    """How often the reason was given for anything, or None when nobody has counted."""
    return None if counted is None else sum(given.get(code, 0) for given in counted.values())


def verbs_that_ask():
    """`[(name, words)]` of the verbs whose form asks for a reason, the words with what they are done to."""
    asking = [verb for verb in verbs.every() if verb.form and "reason" in verb.form.base_fields]
    return [(verb.name, f"{ledger.plural(verbs.model_of(verb.model)).capitalize()}: {verb.label}") for verb in asking]
