"""A game without a cover is shown by its first frame, where a browser is set up; the game gets nothing out of that."""

import os
import shlex
import shutil
import socket
import threading
import time

import pytest
from PIL import Image

from games import firstframe, pictures, samples
from games.tests.images import lay_out, opened

needs_browser = pytest.mark.xdist_group("screenshots")  # one browser at a time


@pytest.fixture
def chromium(settings, monkeypatch):
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    path = os.environ.get("ATTENDANT_CHROMIUM") or next(filter(None, found), "")
    if not path:
        pytest.skip("needs a Chromium of the system")
    # machines for tests seldom let an ordinary user have Chromium's own sandbox
    settings.PICTURE_BROWSER = f"{shlex.quote(path)} --no-sandbox"
    monkeypatch.setattr(firstframe, "TIMEOUT_S", 150)  # a busy machine may take long; what is drawn is tested here
    return settings.PICTURE_BROWSER


@needs_browser
def test_the_first_frame_of_a_game_without_cover_is_its_picture(chromium, tmp_path):
    lay_out(tmp_path, samples.files("star-hopper"))
    picture = pictures.make(tmp_path, "Star Hopper")
    assert (picture.origin, picture.findings) == (pictures.SCREENSHOT, [pictures.NO_COVER])
    colours = opened(picture).getcolors(480 * 300)
    assert len(colours) > 500
    assert sorted(path.name for path in tmp_path.iterdir()) == ["files", "screenshot.png", "thumbnail.webp"]


@needs_browser
def test_a_blank_first_frame_counts_as_none(chromium, tmp_path):
    lay_out(tmp_path, {"index.html": b"<body style='background: #fff'>"})
    assert pictures.make(tmp_path, "Blank").origin == pictures.TILE


@needs_browser
def test_a_game_that_never_comes_to_rest_is_ended(chromium, tmp_path, monkeypatch):
    monkeypatch.setattr(firstframe, "TIMEOUT_S", 3)
    lay_out(tmp_path, {"index.html": b"<script>for (;;);</script>"})
    began = time.monotonic()
    assert pictures.make(tmp_path, "Endless").origin == pictures.TILE
    assert time.monotonic() - began < 10
    assert not (tmp_path / "browser").exists()


ATTEMPTS = """<img src="http://ADDRESS/img"><iframe src="http://ADDRESS/frame"></iframe><script>
  fetch("http://ADDRESS/fetch").catch(() => 0);
  navigator.sendBeacon("http://ADDRESS/beacon");
  try { new WebSocket("ws://ADDRESS/socket"); } catch { }
  window.open("http://ADDRESS/window");
  document.body.style.background = "lime";
</script>"""


@needs_browser
@pytest.mark.parametrize("page", [ATTEMPTS, '<script>location = "http://ADDRESS/away"</script>'])
def test_a_game_reaches_nothing_but_its_own_files(chromium, tmp_path, silent_server, page):
    address, asked = silent_server
    lay_out(tmp_path, {"index.html": f"<body>{page.replace('ADDRESS', address)}".encode()})
    firstframe.take(chromium, tmp_path)
    assert asked == []
    if page == ATTEMPTS:
        with Image.open(tmp_path / firstframe.NAME) as image:
            assert image.convert("RGB").getpixel((900, 550)) == (0, 255, 0), "all was tried"


@pytest.fixture
def silent_server():
    """Something else that listens on this machine, and what it was sent."""
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    asked.append(connection.recv(200))

        threading.Thread(target=listen, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}", asked
        server.shutdown(socket.SHUT_RDWR)


def test_without_a_working_browser_there_is_still_the_tile(tmp_path, settings):
    lay_out(tmp_path, {"index.html": b""})
    for path in ("/nowhere/chromium", "/bin/false"):
        settings.PICTURE_BROWSER = path
        assert pictures.make(tmp_path, "Quiet").origin == pictures.TILE
