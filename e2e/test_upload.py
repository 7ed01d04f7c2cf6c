"""A publisher's day: upload, watch the badge change, publish; without JavaScript, on a phone, by keyboard."""

import re

import pytest
from playwright.sync_api import TimeoutError, expect

from games import samples
from games.models import Build, Game
from games.testing import make_build

GAMES = "/manage/games/"
UPLOAD = "/manage/games/upload/"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
WAIT = 30_000


@pytest.fixture
def zips(tmp_path):
    """Each sample game, zipped by a tool of its own."""
    made = {}
    for name, tool in zip(samples.names(), samples.TOOLS, strict=True):
        made[name] = tmp_path / f"{name}.zip"
        made[name].write_bytes(samples.zipped(name, tool))
    return made


def upload(page, title, path):
    page.goto(UPLOAD)
    page.get_by_label("Title").fill(title)
    page.get_by_label("Zip of the game").set_input_files(path)
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url(f"**{GAMES}")


def row(page, title):
    return page.get_by_role("article", name=title)


def test_three_games_by_three_tools_are_ready_and_published_without_a_reload(open_as, rita, zips, worker):
    page = open_as(rita, GAMES)
    for name, path in zips.items():
        upload(page, name, path)
        expect(page.get_by_role("article").first).to_contain_text(name)
    page.evaluate("window.theSamePage = true")
    for name in zips:
        expect(row(page, name)).to_have_attribute("data-state", "draft", timeout=WAIT)
    expect(page.locator("#live")).to_contain_text("is ready to review.")
    for name in zips:
        row(page, name).get_by_role("button", name="Publish").click()
        expect(row(page, name)).to_have_attribute("data-state", "published")
    assert page.evaluate("window.theSamePage")
    assert set(Game.objects.values_list("status", flat=True)) == {Game.PUBLISHED}


@pytest.mark.slow
def test_the_poll_stops_when_nothing_is_processing(open_as, rita, worker, zips):
    page, polls = open_as(rita, GAMES), []
    page.on("response", lambda answer: "/manage/live/" in answer.url and polls.append(answer.status))
    upload(page, "Neon", zips["neon-drift"])
    expect(row(page, "Neon")).to_have_attribute("data-state", "draft", timeout=WAIT)
    number = len(polls)
    with pytest.raises(TimeoutError):
        page.wait_for_event("response", predicate=lambda answer: "/manage/live/" in answer.url, timeout=9000)
    assert 0 < number == len(polls)


def test_without_javascript(open_as, rita, zips, worker):
    page = open_as(rita, GAMES, java_script_enabled=False)
    upload(page, "Neon", zips["neon-drift"])
    expect(page.get_by_role("status").filter(has_text="Neon was uploaded. It is being processed.")).to_be_visible()
    for _ in range(100):
        page.goto(GAMES)
        if row(page, "Neon").get_attribute("data-state") == "draft":
            break
        page.wait_for_timeout(200)
    row(page, "Neon").get_by_role("link", name="build 1").click()
    expect(page.get_by_role("heading", name="Build 1 of Neon")).to_be_visible()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Neon was published.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone. Neon is draft again.")).to_be_visible()


def test_a_mistake_keeps_words_and_zip(open_as, rita, zips, worker, allowed):
    allowed.add(422)
    page = open_as(rita, UPLOAD)
    page.get_by_label("Tags").fill("racing")
    page.get_by_label("Zip of the game").set_input_files(zips["neon-drift"])
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#form-errors")).to_be_focused()
    expect(page.get_by_text("Give the new game a title")).to_be_visible()
    expect(page.get_by_text("neon-drift.zip (")).to_be_visible()
    expect(page.get_by_label("Tags")).to_have_value("racing")
    page.get_by_label("Title").fill("Neon")
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url(f"**{GAMES}")
    assert Build.objects.get().zip_name == "neon-drift.zip"


def test_a_broken_zip_is_told_of_with_all_that_is_wrong(open_as, rita, tmp_path, worker):
    import zipfile

    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("game.html", "<p>hello")
        made.writestr("setup.exe", b"MZ")
    page = open_as(rita, GAMES)
    upload(page, "Bad", path)
    expect(row(page, "Bad")).to_have_attribute("data-state", "failed", timeout=WAIT)
    expect(page.locator("#live")).to_contain_text("Bad failed:")
    row(page, "Bad").get_by_role("link", name="build 1").click()
    expect(page.locator(".finding--error")).to_have_count(2)


def test_too_large_a_zip_is_refused_before_it_is_sent(open_as, rita, tmp_path):
    path = tmp_path / "huge.zip"
    with path.open("wb") as file:
        file.truncate(60 * 2**20)
    page = open_as(rita, UPLOAD)
    page.get_by_label("Title").fill("Huge")
    page.get_by_label("Zip of the game").set_input_files(path)
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#id_zip_error")).to_contain_text("huge.zip has 60.0 MiB; at most 50.0 MiB are taken.")
    expect(page.get_by_label("Zip of the game")).to_be_focused()
    assert page.url.endswith(UPLOAD)


def test_an_upload_can_be_cancelled_and_leaves_nothing(open_as, rita, tmp_path):
    path = tmp_path / "slow.zip"
    path.write_bytes(b"PK" + bytes(8 * 2**20))
    page = open_as(rita, UPLOAD)
    session = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 10, "downloadThroughput": -1, "uploadThroughput": 200_000}
    session.send("Network.emulateNetworkConditions", slow)
    page.get_by_label("Title").fill("Slow")
    page.get_by_label("Zip of the game").set_input_files(path)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_text(re.compile(r"of 8\.0 MiB, \d+ %, .* left"))).to_be_visible(timeout=WAIT)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Upload")).to_be_focused()
    expect(page.get_by_label("Title")).to_have_value("Slow")
    expect(page.locator("#live")).to_have_text("The upload was cancelled.")
    assert not Build.objects.exists()


def test_a_new_build_of_a_game_is_chosen_by_select2(open_as, rita, zips):
    build = make_build()
    page = open_as(rita, UPLOAD)
    page.get_by_role("combobox", name="New build of").click()
    page.get_by_role("searchbox", name="New build of").last.fill(build.game.title[:6])
    page.get_by_role("option", name=build.game.title).click()
    page.get_by_label("Zip of the game").set_input_files(zips["neon-drift"])
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url(f"**{GAMES}")
    assert build.game.builds.count() == 2


def test_by_thumb_a_build_is_played_rejected_and_that_is_undone(open_as, rita):
    build = make_build()
    page = open_as(rita, build.get_absolute_url(), **PHONE)
    page.get_by_role("link", name="Reject").tap()
    page.get_by_label("Spam or advertising").tap()
    page.get_by_role("dialog").get_by_role("button", name="Reject").tap()
    expect(page.locator("#item [data-item]").first).to_have_attribute("data-state", "rejected")
    page.get_by_role("button", name="Undo").tap()
    expect(page.locator("#item [data-item]").first).to_have_attribute("data-state", "ready")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_retry_by_keyboard(open_as, rita, tab_to):
    build = make_build(Build.FAILED, error="The disk was away.")
    build.game.status = Game.FAILED
    build.game.save()
    page = open_as(rita, build.get_absolute_url())
    tab_to(page, page.get_by_role("link", name="Retry"))
    page.keyboard.press("Enter")
    button = page.get_by_role("dialog").get_by_role("button", name="Retry")
    tab_to(page, button)
    page.keyboard.press("Enter")
    expect(page.locator("#item [data-item]").first).to_have_attribute("data-state", "received")
