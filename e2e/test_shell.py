"""What surrounds every page: preferences, keys, the dashboard's picture, events for scripts, and the first load."""

import brotli
import pytest
from playwright.sync_api import expect

from console.models import User
from moderation import actions
from moderation.testing import make_comment, make_game, make_player, make_report


def test_theme_and_density_are_kept_also_for_the_sign_in_page(open_as, moses):
    page = open_as(moses, "/manage/")
    page.get_by_role("link", name="Preferences").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Dark").check()
    dialog.get_by_label("Compact").check()
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your preferences were saved.")).to_be_visible()
    expect(page.locator("html[data-theme=dark][data-density=compact]")).to_be_attached()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(12, 14, 20)"
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("html[data-theme=dark]")).to_be_attached()


def test_preferences_without_javascript(open_as, moses):
    page = open_as(moses, "/manage/comments/?status=all", java_script_enabled=False)
    page.get_by_role("link", name="Preferences").click()
    page.get_by_label("Single-key shortcuts").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url("/manage/comments/?status=all")
    assert not User.objects.get(username="moses").shortcuts


def test_a_dialog_opened_right_after_another_closed_keeps_what_it_holds(open_as, moses):
    """Browsers tell of a close a frame later."""
    page = open_as(moses, "/manage/comments/")
    page.get_by_role("link", name="Preferences").click()
    heading = page.get_by_role("dialog").get_by_role("heading", name="Preferences")
    expect(heading).to_be_visible()
    again = "dialog.close(); dialog.showModal()"
    page.evaluate(f"new Promise(told => {{ dialog.addEventListener('close', () => setTimeout(told)); {again} }})")
    expect(heading).to_be_visible()


def test_a_close_that_is_told_of_late_takes_the_focus_from_nobody(open_as, moses):
    page = open_as(moses, "/manage/comments/")
    link = page.get_by_role("link", name="Preferences")
    link.focus()
    link.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("heading", name="Preferences")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#dialog-body > *")).to_have_count(0)
    expect(link).to_be_focused()
    page.locator("#q").focus()
    page.evaluate("dialog.dispatchEvent(new Event('close'))")
    expect(page.locator("#q")).to_be_focused()


def test_keys_go_to_the_next_comment_from_its_page(open_as, moses):
    comments = [make_comment() for _ in range(2)]
    page = open_as(moses, f"/manage/comments/{comments[0].pk}/")
    page.keyboard.press("j")
    expect(page.get_by_role("heading", name=f"Comment {comments[1].pk}")).to_be_visible()
    page.keyboard.press("b")
    expect(page.get_by_role("dialog").get_by_role("heading", name="Ban player")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect(page.locator("#item article")).to_have_attribute("data-state", "approved")
    page.keyboard.press("u")
    expect(page.locator("#item article")).to_have_attribute("data-state", "pending")


def test_the_dashboard_draws_decisions_and_tells_them_as_a_table(open_as, moses):
    comments = [make_comment() for _ in range(3)]
    actions.approve(comments[:2], by=moses)
    actions.reject(comments[2], by=moses, reason="spam")
    page = open_as(moses, "/manage/")
    picture = page.get_by_role("img", name="Decisions per day: 3 in all, at most 3 on one day.")
    expect(picture).to_be_visible()
    assert picture.locator("path[d^=M]").count() == 2
    page.get_by_text("The numbers as a table").click()
    assert page.get_by_role("row").last.get_by_role("cell").all_inner_texts() == ["2", "1", "3"]


def test_scripts_are_told_what_happened(open_as, moses):
    comment = make_comment()
    page = open_as(moses)
    page.evaluate(
        """window.told = []; for (const name of ['done', 'undone', 'conflict'])
        document.addEventListener('attendant:' + name, e => told.push([name, e.detail.verb || '', e.detail.items]))"""
    )
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("article")).to_have_count(1)
    item = f"comment-{comment.pk}"
    assert page.evaluate("told") == [["done", "comment.approve", [item]], ["undone", "", [item]]]


@pytest.fixture
def full_queue(world):
    for number in range(25):
        comment = make_comment(
            body=f"{number} what a lovely game this is, but http://freecoinz.example/?r={number} is all over it",
            game=make_game(),
            player=make_player(username=f"player_number_{number}"),
        )
        make_report(comment, words=f"spam again, for the {number}th time")


def test_the_first_load_is_light(open_as, moses, full_queue):
    page = open_as(moses, "/manage/")
    sizes, before_images = {}, []

    def count(response):
        kind = response.request.resource_type
        if kind in ("document", "stylesheet", "script") or response.url.endswith(".svg"):
            sizes[response.url] = len(brotli.compress(response.body()))
        if kind != "image" and not response.url.endswith(".svg"):  # the sprite and the tab's picture
            before_images.append(f"{kind} {response.url.rpartition(chr(47))[2]}")

    fresh = page.context.browser.new_context(storage_state=page.context.storage_state(), base_url=page.url)
    first = fresh.new_page()
    first.on("response", count)
    first.goto("/manage/comments/")
    expect(first.get_by_role("article")).to_have_count(25)
    first.wait_for_load_state("networkidle")
    fresh.close()
    assert sum(sizes.values()) <= 40_000
    assert len(before_images) <= 6, " ".join(before_images)


def test_the_answer_to_a_verb_is_small(open_as, moses, full_queue):
    page = open_as(moses)
    answers = []
    page.on("response", lambda response: response.request.method == "POST" and answers.append(response))
    page.get_by_role("button", name="Approve").first.click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("article")).to_have_count(25)
    page.get_by_role("link", name="Ban player").first.click()
    page.get_by_label("Spam or advertising").check()
    page.get_by_role("dialog").get_by_role("button", name="Ban player").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert len(answers) == 3
    for answer in answers:
        assert answer.status == 200
        assert len(brotli.compress(answer.body())) <= 2_000, answer.url


@pytest.mark.parametrize("path", ["/manage/comments/", "/manage/players/"])
def test_back_shows_nothing_after_signing_out(open_as, moses, path):
    make_comment(body="for staff only", player=make_player(username="kitty"))
    page = open_as(moses, path)
    expect(page.get_by_text("kitty").first).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert "kitty" not in page.content()
    assert page.evaluate("[sessionStorage.length, localStorage.length]") == [0, 0]
