"""Pages of games, with long names and much to say, in every look: what test_looks asks of all pages."""

import pytest
from playwright.sync_api import expect

from e2e.test_looks import LONG, LOOKS, SIZES, is_good
from games import actions
from games.models import Build, Finding, Game, StageRun
from games.testing import make_build, make_game
from moderation.testing import make_player

PAGES = {
    "list": "/manage/games/?status=all",
    "empty": "/manage/games/?q=zzzzzz",
    "wrong filter": "/manage/games/?status=nonsense&tag=x",
    "panel": "/manage/games/panel/?from=2026-02-02&to=2026-02-01",
    "game": "/manage/games/{game}/",
    "live build": "/manage/games/builds/{live}/",
    "failed build": "/manage/games/builds/{failed}/",
    "processing build": "/manage/games/builds/{processing}/",
    "play": "/manage/games/builds/{failed}/play/",
    "reject": "/manage/games/builds/{ready}/reject/",
    "changes": "/manage/games/builds/{ready}/request_changes/",
    "retry": "/manage/games/builds/{failed}/retry/",
    "unpublish": "/manage/games/{game}/unpublish/",
    "upload": "/manage/games/upload/?game=nothing",
}


@pytest.fixture
def keys(rita):
    game = make_game(title=f"The {LONG} Game", description=f"{LONG}\nhttps://x.example/{LONG}")
    game.author = make_player(username=LONG)
    game.save()
    game.tags.add("racing", LONG[:40])
    live = make_build(game=game, zip_name=f"{LONG}.zip", files=[[f"{LONG}/a.js", 10, 1], ["index.html", 1, 1]])
    actions.publish(game, by=rita)
    ready = make_build(game=game, current=False, files=[[f"{LONG}/b.js", 10, 1], ["index.html", 9, 2]])
    failed = make_build(Build.FAILED, error=f"{LONG} is broken.", reached=Build.INSPECTED)
    Game.objects.filter(pk=failed.game_id).update(status=Game.FAILED)
    for level in (Finding.ERROR, Finding.WARNING, Finding.NOTE):
        text = f"{LONG} is wrong. Do something."
        Finding.objects.create(build=failed, source="play", code=f"odd_{level}", level=level, path=LONG, sentence=text)
    for attempt in (1, 2):
        StageRun.objects.create(
            build=failed,
            name="unpacked",
            attempt=attempt,
            worker=LONG,
            outcome="failed",
            error=LONG,
            ended_at=failed.uploaded_at,
        )
    processing = make_build(Build.UNPACKED)
    builds = {"live": live, "ready": ready, "failed": failed, "processing": processing}
    return {"game": game.pk, **{name: build.pk for name, build in builds.items()}}


@pytest.mark.slow
@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_every_page_of_games(open_as, rita, keys, theme, size, allowed):
    allowed.add(422)
    page = open_as(rita, PAGES["list"], color_scheme=theme, viewport=SIZES[size])
    for name, path in PAGES.items():
        page.goto(path.format(**keys))
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        for summary in page.locator("#main summary").all():
            summary.click()
        is_good(page, name)
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#form-errors")).to_be_focused()
    is_good(page)
