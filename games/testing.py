"""Factories for tests of this app and those above it."""

import itertools

from games.models import Game

_numbers = itertools.count(1)


def make_game(**kwargs):
    number = next(_numbers)
    return Game.objects.create(
        **{"title": f"Neon Drift {number}", "slug": f"neon-drift-{number}", "status": "published"} | kwargs
    )
