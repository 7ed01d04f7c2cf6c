"""The list of games, one game, one build, its picture, and the verbs on them."""

from django.core.cache import caches
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404

from console import jobs, live, verbs
from console.base import ConsoleView, DetailPage, ListPage, VerbView, safe_next
from console.filters import FilterPanel, narrowed
from console.keyset import Order
from games import comparing, drawing
from games.actions import BUILD, GAME
from games.cards import BUILD_CARD, GAME_CARD, found, games_url, page
from games.filters import GameFilter
from games.forms import STAGE_LABELS
from games.models import Build, Game
from moderation.timeline import told

VIEW = "games.view_game"
COMPARED = 8  # builds of a game that are compared with the one before; lists of files are long
AWAY = "games:storage-away"
DELAYED = "Processing is delayed: nobody has taken up the work that waits. Nothing is lost; it goes on by itself."


class GamesPage(ListPage):
    permission_required = VIEW
    template_name = "games/games.html"
    filterset_class = GameFilter
    orders = (
        Order("newest", "Newest", "newest first", ("touched_at", "id"), descending=True),
        Order("oldest", "Oldest", "oldest first", ("touched_at", "id")),
        Order("title", "Title", "by title", ("title", "id")),
    )

    def get_queryset(self):
        return Game.objects.all()

    def load(self, keys):
        return drawing.load(keys)

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        query, filterset, rows = context["query"], context["filter"], context["rows"]
        kept = (*GameFilter.in_panel, "per")
        processing = any(row.newest and row.newest.is_processing for row in rows)
        valid = filterset.is_valid()
        return context | {
            "cards": drawing.games(rows, page(self.request, context["here"])),
            "statuses": GameFilter.statuses,
            "narrowed": narrowed(filterset, query),
            "kept": [(name, value) for name in kept for value in query.getlist(name)],
            "found": found(context["total"], filterset.shown_status) if valid else "Nothing was looked for",
            "empty": None if rows else (empty(query) if valid else UNCLEAR),
            "may_upload": self.request.user.has_perm("games.upload_game"),
            "delayed": DELAYED if processing and is_delayed() else "",
        }


UNCLEAR = {
    "icon": "search",
    "heading": "This filter makes no sense",
    "words": "What is wrong with it is said above.",
    "href": "?",
    "action": "Show all games",
}


def is_delayed():
    return live.version() is None or jobs.are_delayed()


def empty(query):
    """What an empty list says, and the one way on."""
    if query.get("q"):
        words = query["q"]
        return {
            "icon": "search",
            "heading": f"No game is called “{words}”",
            "words": "Titles are searched from three characters anywhere, with fewer at their start.",
            "href": "?status=all",
            "action": "Show all games",
        }
    if query:
        return {
            "icon": "gamepad-2",
            "heading": "Nothing matches these filters",
            "words": "Remove one of them above, or all of them.",
            "href": "?",
            "action": "Show all games",
        }
    return {"icon": "gamepad-2", "heading": "No games yet", "words": "What publishers upload is listed here."}


class GamesPanel(FilterPanel):
    permission_required = VIEW
    template_name = "games/panel.html"
    filterset_class = GameFilter


class GamePage(DetailPage):
    permission_required = VIEW
    template_name = "games/game.html"

    def get_queryset(self):
        return Game.objects.for_rows()

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        game = self.object
        builds = list(game.builds.select_related("uploaded_by").order_by("-number")[:200])
        for build in builds:
            build.game = game
        return context | {
            "game": game,
            "on_game": verbs.offered(GAME, self.request.user),
            "builds": comparing.with_changes(builds[:COMPARED]) + builds[COMPARED:],
            "processing": [build for build in builds if build.is_processing],
            "back": safe_next(self.request, games_url()),
            "entries": told(self.request.user, game, *builds[:10]),
            "may_upload": self.request.user.has_perm("games.upload_game"),
        }


class BuildPage(DetailPage):
    permission_required = VIEW
    template_name = "games/build.html"

    def get_queryset(self):
        return Build.objects.select_related("game__author", "uploaded_by", "job")

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        build = self.object
        before = Build.objects.filter(game=build.game, number__lt=build.number, unpacked__gt=0).order_by("-number")
        return context | {
            "build": build,
            "game": build.game,
            "on_build": verbs.offered(BUILD, self.request.user),
            "on_game": [v for v in verbs.offered(GAME, self.request.user) if v.name == "game.publish"],
            "stages": stages_of(build),
            "findings": build.findings.order_by("-level", "pk"),
            "may_upload": self.request.user.has_perm("games.upload_game"),
            "changes": comparing.changes(before.first(), build) if build.unpacked else None,
            "back": safe_next(self.request, build.game.get_absolute_url()),
            "entries": told(self.request.user, build),
            "delayed": DELAYED if build.is_processing and is_delayed() else "",
        }


def stages_of(build):
    """Each stage with its label, how it stands, and every try at it."""
    runs = {}
    for run in build.log.order_by("pk"):
        runs.setdefault(run.name, []).append(run)
    behind = Build.PROCESSING.index(build.state if build.is_processing else build.reached)
    done = build.state in (Build.READY, Build.REJECTED, Build.SUPERSEDED)
    said = []
    for place, name in enumerate(Build.STAGES):
        tries = runs.get(name, [])
        outcome = "done" if done or place < behind else tries[-1].outcome if tries else "waiting"
        if outcome == "done" and not done and place >= behind:
            outcome = "waiting"  # done once, and to be done again
        said.append({"name": name, "label": STAGE_LABELS[name], "outcome": outcome, "runs": tries})
    return said


class PicturePage(ConsoleView):
    """A build's picture, from the storage: WebP of our own making."""

    permission_required = VIEW

    def get(self, request, *args, **kwargs):
        build = get_object_or_404(Build.objects.exclude(thumbnail=""), pk=self.kwargs["pk"])
        if caches["hot"].get(AWAY):
            raise Http404("The storage is away.")
        try:
            picture = default_storage.open(build.thumbnail)
        except Exception as error:  # each kind of storage has errors of its own
            if not isinstance(error, FileNotFoundError):
                caches["hot"].set(AWAY, True, timeout=10)  # so that a page of pictures does not wait for each
            raise Http404("The storage does not give it.") from error
        response = FileResponse(picture, content_type="image/webp")
        response["Cache-Control"] = "private, max-age=3600"
        return response


class GameVerb(VerbView):
    card = GAME_CARD
    queryset = staticmethod(GAME_CARD.queryset)


class BuildVerb(VerbView):
    card = BUILD_CARD
    queryset = staticmethod(BUILD_CARD.queryset)
