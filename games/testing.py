"""Factories for tests of this app and those above it."""

import itertools
import uuid

from games.models import Build, Game
from games.pipeline import keep_going

_numbers = itertools.count(1)


def make_game(**kwargs):
    number = next(_numbers)
    values = {"title": f"Neon Drift {number}", "slug": f"drift-{number}", "status": Game.DRAFT} | kwargs
    return Game.objects.create(**values)


def make_build(state=Build.READY, game=None, current=None, **kwargs):
    """A build with its row only. One that is ready becomes its game's own unless told not to (`current`)."""
    game = game or make_game(status=Game.PROCESSING if state in Build.PROCESSING else Game.DRAFT)
    number = next(_numbers)
    values = {
        "number": game.builds.count() + 1,
        "zip": f"{uuid.uuid4().hex}.zip",
        "zip_name": "neon.zip",
        "sha256": f"{number:064x}",
        "size": 1_234_567,
        "unpacked": 2_345_678,
        "reached": state if state in Build.PROCESSING else Build.RECEIVED,
        "files": [["index.html", 120, 1], ["js/main.js", 4000, 2]],
    } | kwargs
    build = Build.objects.create(game=game, state=state, **values)
    keep_going([build])
    if current if current is not None else state == Build.READY:
        game.current_build = build
        game.save()
    return build
