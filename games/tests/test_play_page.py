"""The page on which staff try a build."""

import re

import pytest

from games import preview
from games.models import Finding
from games.testing import make_build


def test_the_page_frames_that_build_and_nothing_else(rita, build):
    response = rita.get(f"/manage/games/builds/{build.pk}/play/")
    origin = f"http://{build.prefix.hex}.play.localhost:8000"
    assert f"frame-src {origin};" in response["Content-Security-Policy"] + ";"
    (frame,) = re.findall(r"<iframe[^>]*>", response.text)
    assert 'sandbox="allow-scripts allow-pointer-lock"' in frame
    assert f'src="{origin}/' in frame
    assert "frame-src" not in rita.get("/manage/")["Content-Security-Policy"]


def test_the_page_shows_what_the_game_did(rita, build):
    words = "A script failed: <b>https://evil.example/</b>"
    Finding.objects.create(build=build, source=Finding.PLAY, code="script_error", sentence=words)
    Finding.objects.create(build=build, source=Finding.ARCHIVE, code="x", sentence="from the zip")
    page = rita.get(f"/manage/games/builds/{build.pk}/play/").text
    assert "A script failed: &lt;b&gt;" in page
    assert "from the zip" not in page
    assert page.index("</iframe>") < page.index('id="findings"')


@pytest.mark.parametrize(
    ("state", "words"),
    [("stored", "still being processed"), ("failed", "This build was failed before"), ("ready", "files were removed")],
)
def test_the_page_says_why_there_is_nothing_to_play(rita, state, words):
    build = make_build(state=state, swept_at="2026-11-21T00:00Z" if state == "ready" else None)
    response = rita.get(f"/manage/games/builds/{build.pk}/play/")
    assert words in response.text
    assert "<iframe" not in response.text
    assert "frame-src" not in response["Content-Security-Policy"]


def test_the_pages_fragment_is_the_same(rita, build, monkeypatch):
    monkeypatch.setattr(preview.time, "time", lambda: 1_800_000_000)
    url = f"/manage/games/builds/{build.pk}/play/"
    assert rita.get(url, htmx=True).text.strip() in rita.get(url).text
