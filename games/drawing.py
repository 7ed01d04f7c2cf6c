"""Games and builds as they are drawn: shapes and values for games/_rows.jinja, and what loads many of them."""

from typing import NamedTuple

from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.safestring import SafeString

from console import rows
from console.templatetags.console import ago
from console.text import lay_open, lay_open_name
from games.models import Build, Game

ROWS = "games/_rows.jinja"


class GamesPage(rows.Page):
    """A list of games: the verbs it offers on them, and on the newest build of each."""

    def __init__(self, request, here, offered=(), on_build=()):
        super().__init__(request, here)
        self.offered, self.on_build = offered, on_build


class GameShape(NamedTuple):
    status: str
    build: str  # the state of the newest build, when it says more than the game's status; "" otherwise
    picture: bool
    author: bool
    tags: int
    numbered: bool
    watched: bool
    conflict: bool
    oob: bool
    verbs: tuple
    on_build: tuple


def load(keys):
    """The games of these keys, in their order, each with its newest build as `newest`."""
    games = Game.objects.for_rows().prefetch_related("tags").in_bulk(keys)
    found = [games[key] for key in keys if key in games]
    builds = Build.objects.in_bulk([game.newest_build_id for game in found if game.newest_build_id])
    for game in found:
        game.newest = builds.get(game.newest_build_id)
        if game.newest:
            game.newest.game = game
    return found


def game(row, page, conflict="", oob=False):
    """A game's row on a list (loaded by `load`)."""
    build, tags = row.newest, list(row.tags.all())[:5]
    shape = GameShape(
        status=row.status,
        build=_worth_saying(row, build),
        picture=bool(row.thumbnail),
        author=row.author is not None,
        tags=len(tags),
        numbered=build is not None,
        watched=build is not None and build.is_processing,
        conflict=bool(conflict),
        oob=oob,
        verbs=rows.legal(page.offered, row),
        on_build=rows.legal(page.on_build, build) if build else (),
    )
    values = {
        "pk": row.pk,
        "version": row.version,
        "url": row.get_absolute_url(),
        "place": f"#game-{row.pk}",
        "title": lay_open(row.title, 200),
        "initial": lay_open(row.title, 1),
        "picture": picture_url(row.current_build_id),
        "author": lay_open_name(row.author.username) if row.author else "",
        "conflict": conflict,
        "touched": ago(row.touched_at),
        **{f"tag_{number}": tag.name for number, tag in enumerate(tags)},
        **(_build_values(build) if build else {}),
        **page.values,
    }
    return rows.draw(ROWS, "game", shape, values)


def _worth_saying(row, build):
    """The newest build's state where the game's status does not tell it."""
    if build is None or build.pk == row.current_build_id:
        return ""
    return "waiting" if build.state == Build.READY and row.status == Game.PUBLISHED else build.state


def _build_values(build):
    return {
        "build_pk": build.pk,
        "build_version": build.version,
        "build_url": build.get_absolute_url(),
        "build_place": f"#game-{build.game_id}",
        "number": build.number,
        "state": build.state,
        "size": filesizeformat(build.size),
        "error": lay_open(build.error, 300),
    }


def games(found, page):
    return rows.together(game(row, page) for row in found)


class StateShape(NamedTuple):
    state: str


def status_chip(row):
    """The chip of a game's status or a build's state."""
    state = row.status if isinstance(row, Game) else row.state
    return rows.draw(ROWS, "chip", StateShape(state), {})


def picture_url(build_pk):
    """Where the console shows a build's picture; it never changes under the same address."""
    return SafeString(reverse("games:picture", args=[build_pk])) if build_pk else ""
