"""The page while others work and servers have troubles: the poll, news, and errors that are seen and lose nothing."""

import pytest
from django.db import transaction
from playwright.sync_api import expect

from console import live
from console.models import Entry
from moderation.models import Comment
from moderation.testing import make_comment


def polls(page):
    asked = []
    page.on("request", lambda request: "/manage/live/" in request.url and asked.append(request))
    return asked


def test_new_comments_are_offered_and_move_nothing(open_as, moses):
    first = make_comment()
    page = open_as(moses)
    page.get_by_role("article").focus()
    for _ in range(2):
        make_comment()
    live.bump()
    offer = page.get_by_role("link", name="2 new, load")
    expect(offer).to_be_visible(timeout=15_000)
    expect(page.get_by_role("article")).to_have_count(1)
    expect(page.locator(f"#comment-{first.pk}")).to_be_focused()
    expect(page.locator("#live")).to_contain_text("2 new.")
    offer.click()
    expect(page.get_by_role("article")).to_have_count(3)
    expect(offer).to_have_count(0)
    expect(page.get_by_role("article").first).to_be_focused()


def test_a_filtered_list_is_told_of_its_own_news_only(open_as, moses):
    make_comment(body="neon")
    page = open_as(moses, "/manage/comments/?q=neon")
    make_comment(body="something else")
    make_comment(body="more neon")
    live.bump()
    expect(page.get_by_role("link", name="1 new, load")).to_be_visible(timeout=15_000)


def hide(page, hidden):
    page.evaluate(f"Object.defineProperty(document, 'hidden', {{value: {str(hidden).lower()}, configurable: true}})")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_the_poll_rests_while_nobody_looks(open_as, moses):
    page = open_as(moses)
    page.clock.install()
    page.reload()
    asked = polls(page)
    go_on(page, 30, asked)
    assert len(asked) >= 2
    hide(page, True)
    before = len(asked)
    go_on(page, 60, asked)
    assert len(asked) == before
    hide(page, False)
    go_on(page, 1, asked)
    assert len(asked) == before + 1


def go_on(page, seconds, asked):
    """Lets the page's clock run in steps; between them what was asked is answered."""
    for _ in range(seconds):
        page.clock.run_for(1_000)
        for request in asked:
            request.response()


@pytest.mark.parametrize(("status", "headers", "most"), [(503, {}, 4), (503, {"Retry-After": "50"}, 2), (401, {}, 1)])
def test_the_poll_backs_off_when_the_server_is_in_trouble(open_as, moses, allowed, status, headers, most):
    allowed.add(status)
    page = open_as(moses)
    page.clock.install()
    page.route("**/manage/live/**", lambda route: route.fulfill(status=status, headers=headers, body=""))
    page.reload()
    asked = polls(page)
    go_on(page, 40, asked)
    assert 1 <= len(asked) <= most


def test_a_database_that_does_not_answer_is_told_and_the_same_click_counts_once(open_as, moses, allowed):
    allowed.add(503)
    comment = make_comment()
    page = open_as(moses)
    with transaction.atomic():
        Comment.objects.select_for_update().get(pk=comment.pk)
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("alert").filter(has_text="did not answer in time")).to_be_visible()
        expect(page.locator("#alert")).to_be_focused()
        expect(page.get_by_role("article")).to_have_count(1)
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("article")).to_have_count(0)
    assert Entry.objects.count() == 1


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (429, {"Retry-After": "7"}, "Try again in 7 seconds."),
        (503, {}, "Try again in a moment."),
        (502, {}, "Try again in a moment."),
        (500, {}, "The server could not answer. Nothing was changed."),
    ],
)
def test_a_proxys_error_lands_in_the_open_dialog_and_what_was_typed_stays(
    open_as, moses, allowed, status, headers, words
):
    allowed.add(status)
    make_comment()
    page = open_as(moses)
    page.get_by_role("link", name="Ban player").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Spam or advertising").check()
    dialog.get_by_label("Note").fill("typed with care")
    page.route("**/ban/", lambda route: route.fulfill(status=status, headers=headers, body="<h1>proxy</h1>"))
    dialog.get_by_role("button", name="Ban player").click()
    expect(dialog.get_by_role("alert").filter(has_text=words)).to_be_visible()
    expect(page.locator("#dialog-alert")).to_be_focused()
    expect(dialog.get_by_label("Note")).to_have_value("typed with care")
    page.unroute("**/ban/")
    dialog.get_by_role("button", name="Ban player").click()
    expect(page.get_by_role("article")).to_have_count(0)


def test_a_server_that_is_gone_is_told(open_as, moses, allowed):
    allowed |= {"Failed to load resource: net::ERR_FAILED", "htmx:sendError", "htmx:afterRequest"}
    make_comment()
    page = open_as(moses)
    page.route("**/approve/", lambda route: route.abort())
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("alert").filter(has_text="No answer came.")).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(1)
