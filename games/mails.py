"""What the author of a game is told by mail: that it is published or not any more, and that a build failed."""

from collections import defaultdict

from games.models import Build, Game
from moderation.mails import samples
from moderation.mails.drawing import harmless
from moderation.mails.outcomes import QUOTED, about, why, words_of
from moderation.mails.topics import Part, Topic, register

PUBLISHED, TAKEN_DOWN, FAILED = "published", "taken down", "failed"


def setup():
    register(Topic("game", "game", of_games, look_at_games, 30))
    register(Topic("build", "game", of_builds, look_at_builds, 35))
    title = {"quotes": ["Neon Drift"]}
    failed = Part("build_failed", {"title": "Neon Drift", "build": 3}, ["There is no index.html in the zip."])
    taken = Part("game_unpublished", {"number": 1, "reason": ""}, **title)
    samples.add(
        samples.Sample(
            "Game published", "game", "A game was published.", Part("game_published", {"number": 1}, **title)
        ),
        samples.Sample("Game taken down", "game", "A game was unpublished, or archived.", taken),
        samples.Sample("Build failed", "game", "A build could not be processed.", failed),
    )


def of_games(events):
    return [
        (event.payload["author"], event.target_id, event.name == "game.published", event)
        for event in about(events, "games.game")
        if event.payload.get("author")
    ]


def look_at_games(player, notices):
    """Another build of a game that is published is no news: its author knows."""
    games = Game.objects.filter(author=player).in_bulk([notice.target for notice in notices])
    published, down = [], []
    for notice in notices:
        game = games.get(notice.target)
        if game is None:
            continue
        if game.status == Game.PUBLISHED and notice.said != PUBLISHED:
            notice.now = PUBLISHED
            published.append(game)
        elif game.status != Game.PUBLISHED and notice.said == PUBLISHED:
            notice.now = TAKEN_DOWN
            down.append(game)
    parts = [_titles("game_published", published)] if published else []
    return parts + list(_taken_down(down))


def _taken_down(games):
    known = why("games.game", [game.pk for game in games], "status", Game.DRAFT)
    by_reason = defaultdict(list)
    for game in games:
        by_reason[known.get(game.pk, ("", False))[0]].append(game)
    words = words_of(by_reason)
    for code, several in by_reason.items():
        yield _titles("game_unpublished", several, reason=words.get(code, ""))


def _titles(kind, games, **context):
    number = len(games)
    titles = [game.title for game in games[:QUOTED]]
    return Part(kind, {"number": number, **context}, titles, max(0, number - QUOTED))


def of_builds(events):
    """By the game's author as it is now: a build's event does not name them."""
    failed = {event.target_id: event for event in about(events, "games.build") if event.name == "build.failed"}
    if not failed:
        return []
    builds = Build.objects.filter(pk__in=failed, game__author__isnull=False)
    return [(author, pk, True, failed[pk]) for pk, author in builds.values_list("pk", "game__author")]


def look_at_builds(player, notices):
    builds = Build.objects.filter(game__author=player).select_related("game")
    builds = builds.in_bulk([notice.target for notice in notices if not notice.said])
    for notice in notices:
        build = builds.get(notice.target)
        if build and build.state == Build.FAILED:
            notice.now = FAILED
            yield Part("build_failed", {"title": harmless(build.game.title), "build": build.number}, [build.error])
