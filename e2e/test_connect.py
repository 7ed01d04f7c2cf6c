"""An operator connects a portal from the page, by pasting what it shows."""

import os
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from console.testing import make_user
from e2e.test_looks import LOOKS, SIZES
from moderation.models import Comment
from project.embedded import die_with_parent
from project.tests.rig import until

CONNECT = "/manage/connect/"


@pytest.fixture
def olga(world):
    return make_user("olga", is_superuser=True)


def shown(page, title):
    return page.get_by_label(title, exact=True).inner_text()


def step(page, label):
    return page.locator(".steps__step", has_text=label).locator(".chip")


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def accepts(port):
    with socket.socket() as there:
        return there.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(program, printed, **environ):
    """The pasted receiver, until it is not needed any more; what it prints goes to this file."""
    command, environ = [sys.executable, "-c", program], {**os.environ, **environ}
    with printed.open("w") as out:
        process = subprocess.Popen(command, env=environ, stdout=out, stderr=out, preexec_fn=die_with_parent())
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def paste(*command, **environ):
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **environ})
    return done.stdout


@pytest.mark.parametrize("scripts", [True, False])
def test_what_the_page_shows_works_as_pasted_and_turns_green(olga, worker, open_as, tmp_path, scripts):
    page = open_as(olga, CONNECT, java_script_enabled=scripts)
    for label in ("Token", "First comment", "First webhook"):
        expect(step(page, label)).to_have_text("Open")
    page.get_by_role("button", name="Make a token").click()
    expect(step(page, "Token")).to_have_text("Done")
    listen = shown(page, "A receiver in Python, with nothing to install")

    assert '"status": "created"' in paste("sh", "-c", shown(page, "In a terminal"))
    said = paste(sys.executable, "-c", shown(page, "In Python, with nothing to install"))
    assert said.split() == ["hello-1", "unchanged", "hello-2", "created"]
    assert Comment.objects.count() == 2
    if not scripts:
        page.goto(CONNECT)
    expect(step(page, "First comment")).to_have_text("Done", timeout=15_000)

    port = str(free_port())
    adding = open_as(olga, "/manage/webhooks/new/", java_script_enabled=scripts)
    adding.get_by_role("textbox", name="Name").fill("Our portal")
    adding.get_by_role("textbox", name="Address").fill(f"http://127.0.0.1:{port}/")
    adding.get_by_role("button", name="Add").click()
    secret = adding.get_by_label("The signing secret, shown once").input_value()
    printed = tmp_path / "printed"
    with running(listen, printed, PORT=port, ATTENDANT_SECRET=secret):
        until(lambda: accepts(int(port)), "the receiver listens", 20)
        adding.get_by_role("button", name="Send a test").click()
        until(lambda: "ping" in printed.read_text(), "the portal was told", 20, printed.read_text)
    if not scripts:
        page.goto(CONNECT)
    expect(step(page, "First webhook")).to_have_text("Done", timeout=15_000)


@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_it_is_good_to_all(olga, open_as, theme, size):
    page = open_as(olga, CONNECT, color_scheme=theme, viewport=SIZES[size])
    page.get_by_role("button", name="Make a token").click()
    expect(page.locator(".snippet__secret")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
