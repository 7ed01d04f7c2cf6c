"""Games in a real browser: a hostile one gets nowhere, in the frame and in a tab of its own; good ones play."""

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import hostile_games as games
import pytest
from playwright.sync_api import expect

from games.models import Finding
from games.tests.builds import make_playable
from moderation.models import Comment
from moderation.testing import make_comment

# what Chromium says in its console when it stops something
STOPPED = {
    "Connecting to '",
    "Loading ",
    "Framing '",
    "Fetch API cannot load ",
    "Fetching content from '",
    "Blocked ",
    "Ignored call to ",
    "Download is disallowed",
    "Unsafe attempt to initiate navigation",
    "Permissions policy violation",
    "An iframe which has both allow-scripts and allow-same-origin",  # said of what the game frames itself
    "A bad HTTP response code (404) was received",  # a service worker's script
    404,
}


@pytest.fixture
def elsewhere():
    """A web server that no game may reach; yields its address and what it was asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self):
            self.raw_requestline = self.rfile.readline()
            asked.append(self.raw_requestline)
            self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with socket.create_connection(server.server_address) as connection:  # it does count
        connection.sendall(b"GET / HTTP/1.1\r\n")
        connection.recv(1)
    assert asked.pop()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()


def play(page, build):
    page.goto(f"/manage/games/builds/{build.pk}/play/")
    return page.locator("iframe").element_handle().content_frame()


def own_tab(page):
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open in its own tab").click()
    return opened.value


def refresh_until(page, words):
    """Findings come a moment after what they tell."""
    deadline = time.monotonic() + 8
    while not Finding.objects.filter(sentence__startswith=words).exists():
        assert time.monotonic() < deadline, words
        page.wait_for_timeout(100)
    page.bring_to_front()
    page.get_by_role("link", name="Refresh findings").click()
    expect(page.locator("#findings").get_by_text(words).first).to_be_visible()


def watch(context, console):
    """What happens that no game may make happen: dialogs, downloads, pages, and answers of the console to a game."""
    happened = []

    def on_page(page):
        happened.append(f"page {page.url}")
        watch_page(page)

    def watch_page(page):
        page.on("dialog", lambda dialog: (happened.append("dialog"), dialog.dismiss()))
        page.on("download", lambda download: happened.append("download"))

    def answered(response):
        if response.url.startswith(console) and not response.frame.url.startswith(console):
            happened.append(f"{response.frame.url} reached {response.url}")

    for page in context.pages:
        watch_page(page)
    context.on("page", on_page)
    context.on("response", answered)
    return happened


def assert_nothing_came_of_it(tried, framed):
    refused = {"worker", "fullscreen", "place"} | ({"cookie", "parent", "frame", "top"} if framed else set())
    for name, came in tried.items():
        if name in refused or name.split()[0] in ("fetch", "post", "xhr", "socket"):
            assert came.startswith("refused"), (name, came)
    assert framed or tried["cookie"] == ""
    assert (tried["opener"], tried["open"], tried["dialogs"]) == ("null", "null", ",false,")


@pytest.mark.parametrize("where", ["frame", "tab"])
def test_a_hostile_game_gets_nowhere(open_as, lea, base_url, elsewhere, allowed, guard, where):
    allowed.update(STOPPED)
    address, asked = elsewhere
    comment = make_comment()
    build = make_playable(games.hostile(base_url, address, f"/manage/comments/{comment.pk}/approve/"))
    page = open_as(lea, "/manage/")
    game = play(page, build)
    if where == "tab":
        game.wait_for_function("window.tried", timeout=20_000)
        game = guard(own_tab(page))
    happened = watch(page.context, base_url)
    game.wait_for_function("window.tried", timeout=20_000)
    assert_nothing_came_of_it(game.evaluate("window.tried"), framed=where == "frame")
    if where == "frame":  # a game may leave its frame behind, but for nowhere else
        game.evaluate("address => { setTimeout(() => { location = address }) }", address)
    page.wait_for_timeout(500)  # what was sent, would have come by now
    assert (happened, asked) == ([], [])
    assert Comment.objects.get().status == comment.status
    assert page.url.endswith("/play/")
    refresh_until(page, "The game wanted to reach 127.0.0.1 (connect-src). It was not allowed to.")
    page.goto("/manage/")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def test_a_game_with_modules_and_sound_plays_in_the_frame(open_as, lea):
    build = make_playable(games.MODULES)
    page = open_as(lea, "/manage/")
    game = play(page, build)
    game.wait_for_function("window.sound")
    assert game.evaluate("[window.pixel, window.sound]") == ["1,200,30,255", 0.5]
    began = game.evaluate("performance.timeOrigin")
    refresh_until(page, "First picture after")
    assert game.evaluate("performance.timeOrigin") == began
    assert page.evaluate("document.activeElement.textContent") == "Refresh findings"


def test_a_game_that_saves_is_told_so_in_the_frame_and_saves_in_its_own_tab(open_as, lea):
    page = open_as(lea, "/manage/")
    game = play(page, make_playable(games.SAVING))
    expect(game.locator("#score")).to_have_text("Cannot save")
    refresh_until(page, "The game wanted to save (localStorage).")
    tab = own_tab(page)
    expect(tab.locator("#score")).to_have_text("Score 7")
    tab.reload()
    expect(tab.locator("#score")).to_have_text("Score 14")


@pytest.mark.slow
def test_the_console_answers_while_a_game_keeps_its_processor_busy(open_as, lea):
    page = open_as(lea, "/manage/")
    game = play(page, make_playable(games.BUSY))
    page.wait_for_timeout(400)
    began = time.monotonic()
    page.get_by_role("link", name="Preferences").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    answered = time.monotonic() - began
    game.evaluate("1")  # cannot be had before the game is done
    assert answered < time.monotonic() - began - 1


def test_without_javascript_the_page_says_the_same(open_as, lea):
    build = make_playable(games.SAVING)
    Finding.objects.create(build=build, source=Finding.PLAY, code="storage", sentence="It wanted to save.")
    page = open_as(lea, f"/manage/games/builds/{build.pk}/play/", java_script_enabled=False)
    page.get_by_role("link", name="Refresh findings").click()
    expect(page.locator("#findings")).to_contain_text("It wanted to save.")
