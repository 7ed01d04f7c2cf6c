"""Many at once: ticked on the page, with and without JavaScript, on a phone, and when the flag is taken away."""

import pytest
from playwright.sync_api import expect

from console.flags import BULK_ACTIONS
from console.models import Flag
from moderation import actions
from moderation.models import Comment
from moderation.testing import make_comment

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def switch(on):
    flag = Flag.objects.get(name=BULK_ACTIONS)
    flag.everyone = on
    flag.save()


@pytest.fixture
def comments(world):
    switch(True)
    return [make_comment() for _ in range(4)]


def tick(page, comment):
    page.get_by_label(f"Select comment {comment.pk}").check()


def states():
    return list(Comment.objects.order_by("pk").values_list("status", flat=True))


def bar(page):
    return page.get_by_role("form", name="What was ticked")


@pytest.mark.parametrize("screen", [{}, PHONE], ids=["mouse", "phone"])
def test_ticked_ones_are_decided_and_come_back_together(open_as, moses, lea, comments, screen):
    page = open_as(moses, **screen)
    page.evaluate("window.stillHere = true")
    expect(bar(page)).to_have_count(0)
    for comment in comments[:3]:
        tick(page, comment)
    expect(bar(page)).to_be_visible()
    actions.approve(comments[1], by=lea)
    bar(page).get_by_role("button", name="Reject").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text("Reject: 3 comments")
    dialog.get_by_label("Spam or advertising").check()
    dialog.get_by_role("button", name="Reject").click()
    expect(page.get_by_role("article")).to_have_count(1)
    expect(page.get_by_role("article")).to_be_focused()
    expect(page.get_by_role("alert")).to_contain_text(f"1 left as it was. Comment {comments[1].pk}: lea approved")
    expect(page.locator("#live")).to_contain_text("2 comments were rejected.")
    expect(page.locator("#badge-nav-comments")).to_contain_text("1")
    assert states() == ["rejected", "approved", "rejected", "pending"]
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("article")).to_have_count(3)
    expect(page.locator("#live")).to_contain_text("2 comments are pending again.")
    assert states() == ["pending", "approved", "pending", "pending"]
    assert page.evaluate("window.stillHere") is True


def test_when_others_were_quicker_with_all_of_them_it_stays_said_above_the_list(open_as, moses, lea, comments, allowed):
    allowed.add(409)
    page = open_as(moses)
    for comment in comments[:2]:
        tick(page, comment)
    actions.approve(comments[:2], by=lea)
    bar(page).get_by_role("button", name="Approve").click()
    expect(page.get_by_role("article")).to_have_count(2)
    expect(page.get_by_role("alert")).to_contain_text(f"Comment {comments[1].pk}: lea approved this comment")
    expect(page.locator("#live")).to_contain_text("Nothing was changed.")


def test_all_that_is_shown(open_as, moses, comments):
    page = open_as(moses)
    page.get_by_role("link", name="Select all shown").click()
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(4)
    bar(page).get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", name="Nothing waits")).to_be_visible()
    expect(page.locator("#main")).to_be_focused()
    assert states() == ["approved"] * 4


def test_an_ended_form_keeps_the_dialog(open_as, moses, comments, allowed):
    allowed.add(422)
    page = open_as(moses)
    tick(page, comments[0])
    bar(page).get_by_role("button", name="Ban player").click()
    page.get_by_label("Note").fill("typed with care")
    page.get_by_role("dialog").get_by_role("button", name="Ban player").click()
    expect(page.locator("#form-errors")).to_be_focused()
    expect(page.get_by_label("Note")).to_have_value("typed with care")
    page.get_by_label("Spam or advertising").check()
    page.get_by_role("dialog").get_by_role("button", name="Ban player").click()
    expect(page.locator("#live")).to_contain_text("was banned.")
    assert states() == ["rejected", "pending", "pending", "pending"]


def test_without_javascript(open_as, moses, comments):
    page = open_as(moses, java_script_enabled=False)
    page.get_by_role("link", name="Select all shown").click()
    page.get_by_label(f"Select comment {comments[0].pk}").uncheck()
    bar(page).get_by_role("button", name="Reject").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Reject: 3 comments")
    page.get_by_label("Spam or advertising").check()
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("3 comments were rejected.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("3 comments are pending again.")).to_be_visible()
    assert states() == ["pending"] * 4


def test_the_flag_taken_away_while_somebody_works(open_as, moses, comments, allowed):
    allowed.add(404)
    page = open_as(moses)
    tick(page, comments[0])
    bar(page).get_by_role("button", name="Reject").click()
    page.get_by_label("Note").fill("typed with care")
    page.get_by_label("Spam or advertising").check()
    switch(False)
    page.get_by_role("dialog").get_by_role("button", name="Reject").click()
    expect(page.get_by_role("dialog").get_by_text("is switched off. Nothing was changed.")).to_be_visible()
    expect(page.get_by_label("Note")).to_have_value("typed with care")
    page.reload()
    expect(page.get_by_role("article")).to_have_count(4)
    expect(page.get_by_role("checkbox")).to_have_count(0)
    page.get_by_role("button", name="Approve").first.click()
    expect(page.get_by_role("article")).to_have_count(3)
    assert sorted(states()) == ["approved", "pending", "pending", "pending"]
