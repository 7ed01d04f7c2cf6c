"""What somebody may have meant: names while they type, and another spelling when nothing was found."""

from django.contrib.postgres.search import TrigramSimilarity
from django.core.cache import caches
from django.db import connection
from django.db.models.functions import Upper

from moderation.filters import games, players_named
from moderation.models import Player
from moderation.text import fold

OFFERED = 10
RECENT, KEPT_S = 1000, 300  # words are taken from the newest texts; with all of them this would cost seconds

_WORDS = """
    WITH recent AS (SELECT folded FROM moderation_commenttext ORDER BY comment_id DESC LIMIT %s),
    words AS (SELECT DISTINCT regexp_split_to_table(folded, '[^[:alnum:]]+') AS word FROM recent)
    SELECT array_agg(word) FROM words WHERE length(word) BETWEEN 3 AND 30
"""
_CLOSEST = """
    SELECT word FROM unnest(%s::text[]) AS word WHERE similarity(word, %s) >= 0.4
    ORDER BY similarity(word, %s) DESC, word LIMIT 1
"""


def names(field, typed):
    """Up to ten names to offer for a text field ("game" or "player"), from two characters on."""
    typed = typed.strip()
    if not 2 <= len(typed) <= 200:
        return []
    if field == "game":
        found = games().filter(title__icontains=typed).order_by("title").values_list("title", flat=True)
    else:
        found = players_named(typed).order_by("username").values_list("username", flat=True)
    return list(dict.fromkeys(found[:OFFERED]))


def spellings(field, typed):
    """Other spellings of what was typed in `q`, `game` or `player`, the likeliest first."""
    typed = typed.strip()
    if len(fold(typed)) < 3:
        return []
    close = []
    if field in ("q", "player"):
        close += _similar(Player.objects, "username", typed)
    if field == "game":
        close += _similar(games(), "title", typed)
    if field == "q":
        words = _respelled(fold(typed))
        close += [" ".join(words), *sorted(set(words) - set(fold(typed).split()), key=len, reverse=True)]
    return [word for word in dict.fromkeys(close) if word and word != typed]


def titles(typed):
    """Games whose title is like what was looked for in bodies."""
    return _similar(games(), "title", typed.strip()) if len(typed.strip()) > 2 else []


def _similar(manager, name, typed):
    close = manager.annotate(upper=Upper(name)).filter(upper__trigram_similar=typed.upper())
    close = close.annotate(score=TrigramSimilarity("upper", typed.upper())).order_by("-score", name)
    return list(close.values_list(name, flat=True)[:2])


def _recent_words():
    with connection.cursor() as cursor:
        cursor.execute(_WORDS, [RECENT])
        return cursor.fetchone()[0] or []


def _respelled(typed):
    """The words, each that nobody wrote lately replaced by the closest one that somebody did."""
    respelled, known = [], caches["hot"].get_or_set("recent-words", _recent_words, KEPT_S)
    with connection.cursor() as cursor:
        for word in typed.split()[:5]:
            cursor.execute(_CLOSEST, [known, word, word])
            found = cursor.fetchone()
            respelled.append(found[0] if found and len(word) > 2 else word)
    return respelled
