"""How games and builds are shown, and what answers do to lists and pages that show them (console.respond.Card)."""

from urllib.parse import urlsplit

from django.urls import reverse

from console import respond, verbs
from console.base import COUNTED
from console.filters import query_of
from console.respond import Card
from console.templatetags.console import capped
from games import drawing
from games.actions import BUILD, GAME
from games.filters import ACTIVE, ALL, GameFilter
from games.models import Build, Game


def games_url():
    return reverse("games:games")


def belongs(game, url, user):
    """Whether the list at this address shows the game."""
    return GameFilter(query_of(url), Game.objects.filter(pk=game.pk)).matches.exists()


def found_at(url, user):
    filterset = GameFilter(query_of(url), Game.objects.all())
    if not filterset.is_valid():
        return 0, ""
    total = filterset.matches.count(COUNTED)
    return total, found(total, filterset.shown_status)


def found(total, status):
    """How much there is, as a sentence without its order: "12 games published"."""
    number = f"{capped(total)} game{'' if total == 1 else 's'}"
    return number if status in (ACTIVE, ALL) else f"{number} {status}"


def page(request, url):
    """The list at this address, for the rows on it."""
    on_build = [verb for verb in verbs.offered(BUILD, request.user) if verb.name in ("build.retry", "build.cancel")]
    return drawing.GamesPage(request, url, verbs.offered(GAME, request.user), on_build)


def bring_up_to_date(request, seen, here):
    """For polls (console.live.watch): builds `{id: state}` that are in another state by now, and what is said of it."""
    if not request.user.has_perm("games.view_game"):
        return "", ""
    builds = Build.objects.filter(pk__in=seen).select_related("game").order_by("pk")
    moved = [build for build in builds if build.state != seen[build.pk]]
    if not moved:
        return "", ""
    if urlsplit(here).path == games_url():
        on = page(request, here)
        rows = drawing.load(list(dict.fromkeys(build.game_id for build in moved)))
        html = "".join(drawing.game(row, on, oob=True) for row in rows)
    else:
        html = respond.partial_at(request, here, oob=True) if respond.root_of(here) == "#item" else ""
    return html, " ".join(filter(None, map(_spoken, moved)))


def _spoken(build):
    if build.state == Build.READY:
        return f"{build.game.title} is ready to review."
    if build.state == Build.FAILED:
        return f"{build.game.title} failed: {build.error}"
    return ""


def authored(player):
    """The newest games of a player, for the page about them."""
    return list(player.games.order_by("-touched_at", "-pk")[:10])


GAME_CARD = Card(
    model=GAME,
    summary="games/_game_summary.html",
    queryset=lambda: Game.objects.for_rows(),
    list_url=games_url,
    load=drawing.load,
    draw=drawing.game,
    page=page,
    belongs=belongs,
    found=found_at,
)
BUILD_CARD = Card(
    model=BUILD,
    summary="games/_build_summary.html",
    queryset=lambda: Build.objects.select_related("game"),
    list_url=games_url,
)
