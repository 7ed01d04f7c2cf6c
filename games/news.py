"""What portals are told of games and builds: slugs, numbers and digests they know."""

from console import news
from games.models import Build, Game
from moderation.news import external_ids


def register():
    news.describer("games.game", of_games)
    news.describer("games.build", of_builds)


def of_games(events):
    """Which game, whose, and the build that players get of it now."""
    slugs = _slugs(events)
    builds = _builds(news.ids(events, "current_build"))
    authors = external_ids(news.ids(events, "author"))
    return {
        event.pk: {
            "game": slugs.get(event.payload["game"]),
            "author": authors.get(event.payload.get("author")),
            **_of_build(builds.get(event.payload.get("current_build"))),
        }
        for event in events
    }


def of_builds(events):
    """Which build of which game; `sha256` is that of the zip which was sent, `error` says why it failed."""
    slugs, builds = _slugs(events), _builds(news.ids(events, "build"))
    return {
        event.pk: {
            "game": slugs.get(event.payload.get("game")),
            **_of_build(build := builds.get(event.payload["build"])),
            "error": build.error or None if build else None,
        }
        for event in events
    }


def _of_build(build):
    return {"build": build.number if build else None, "sha256": build.sha256 if build else None}


def _slugs(events):
    return dict(Game.objects.filter(pk__in=news.ids(events, "game")).values_list("pk", "slug"))


def _builds(keys):
    return Build.objects.only("number", "sha256", "error").in_bulk(keys) if keys else {}
