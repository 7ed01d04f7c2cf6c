"""A piece of a moderator's day, whole: search, read, approve, reject with a reason, ban, undo, next. By mouse, by
keyboard alone, by thumb, and without JavaScript.
"""

import re

import pytest
from playwright.sync_api import expect

from moderation.models import Comment, Player
from moderation.testing import make_comment, make_game, make_player, make_report

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def queue(world):
    """Five comments that hold "neon", two of them by kit, in this order; and one that does not."""
    kit, game = make_player(username="kit_fox"), make_game(title="Moth & Lamp")
    bodies = ["neon one", "neon two", "neon three by kit", "neon four by kit", "neon five"]
    comments = [make_comment(body=body, game=game, player=kit if "kit" in body else None) for body in bodies]
    make_report(comments[2], words="he is a bot")
    make_comment(body="something else")
    return comments


def states(queue):
    return [Comment.objects.get(pk=comment.pk).status for comment in queue]


def card(page, comment):
    return page.locator(f"#comment-{comment.pk}")


def said(page, words):
    """The words are in the live region, which is the very node that was there at load."""
    expect(page.locator("#live")).to_contain_text(words)
    assert page.evaluate("window.theLiveRegion === document.getElementById('live')")
    expect(page.locator(":focus")).to_have_count(1)  # never lost to <body>


def watch(page):
    """Remembers the live region, and fails later if the page was loaded anew in between."""
    page.evaluate("window.theLiveRegion = document.getElementById('live')")


@pytest.mark.parametrize("how", ["mouse", "thumb"])
def test_by_mouse_and_by_thumb(open_as, moses, queue, how):
    page = open_as(moses, **(PHONE if how == "thumb" else {}))
    watch(page)
    act = (lambda locator: locator.tap()) if how == "thumb" else (lambda locator: locator.click())
    page.get_by_role("searchbox").fill("neon")
    expect(page.locator("#found")).to_have_text("5 comments wait")

    act(card(page, queue[0]).get_by_role("button", name="Approve"))
    expect(card(page, queue[1])).to_be_focused()
    said(page, f"Comment {queue[0].pk} was approved. 4 comments wait.")

    act(card(page, queue[1]).get_by_role("link", name="Reject"))
    act(page.get_by_label("Abuse or bullying"))
    page.get_by_label("Note").fill("second time")
    act(page.get_by_role("dialog").get_by_role("button", name="Reject"))
    expect(card(page, queue[2])).to_be_focused()
    said(page, f"Comment {queue[1].pk} was rejected. 3 comments wait.")

    expect(card(page, queue[2])).to_contain_text("he is a bot")
    act(card(page, queue[2]).get_by_role("link", name="Ban player"))
    expect(page.get_by_role("dialog").get_by_role("heading")).to_have_text("Ban player kit_fox?")
    act(page.get_by_label("Spam or advertising"))
    act(page.get_by_label("7 days"))
    act(page.get_by_role("dialog").get_by_role("button", name="Ban player"))
    expect(card(page, queue[2])).to_have_count(0)
    expect(card(page, queue[3])).to_have_count(0)
    expect(card(page, queue[4])).to_be_focused()
    said(page, "kit_fox was banned.")
    assert states(queue) == ["approved", "rejected", "rejected", "rejected", "pending"]

    act(page.get_by_role("button", name="Undo"))
    expect(card(page, queue[2])).to_be_visible()
    said(page, "2 comments are pending again.")
    expect(page.get_by_role("article")).to_have_count(3)
    assert states(queue) == ["approved", "rejected", "pending", "pending", "pending"]
    assert not Player.objects.get(username="kit_fox").is_banned

    act(card(page, queue[4]).get_by_role("button", name="Approve"))
    expect(card(page, queue[3])).to_be_focused()
    act(card(page, queue[2]).get_by_role("link").first)
    expect(page.get_by_role("heading", name=f"Comment {queue[2].pk}")).to_be_visible()
    act(page.get_by_role("link", name="Next"))
    expect(page.get_by_role("heading", name=f"Comment {queue[3].pk}")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_by_single_keys(open_as, moses, queue):
    page = open_as(moses)
    watch(page)
    press = page.keyboard.press
    press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("neon")
    expect(page).to_have_url(re.compile(r"q=neon$"))  # not the answer to "neo", which finds as many
    expect(page.locator("#found")).to_have_text("5 comments wait")
    press("Tab")
    press("j")
    expect(card(page, queue[0])).to_be_focused()
    press("a")
    expect(card(page, queue[1])).to_be_focused()
    said(page, f"Comment {queue[0].pk} was approved. 4 comments wait. Undo is at hand.")
    press("r")
    expect(page.get_by_label("Spam or advertising")).to_be_focused()
    press("a")  # means nothing while a form is open
    press("Space")
    press("Enter")
    expect(card(page, queue[2])).to_be_focused()
    said(page, f"Comment {queue[1].pk} was rejected.")
    press("j")
    press("k")
    expect(card(page, queue[2])).to_be_focused()
    press("b")
    expect(page.get_by_label("Spam or advertising")).to_be_focused()
    press("Space")
    press("Enter")
    expect(card(page, queue[4])).to_be_focused()
    said(page, "kit_fox was banned.")
    press("u")
    expect(card(page, queue[2])).to_be_visible()
    said(page, "2 comments are pending again.")
    assert states(queue) == ["approved", "rejected", "pending", "pending", "pending"]
    press("j")
    press("Control+a")
    press("Shift+?")
    expect(page.get_by_role("dialog").get_by_role("heading", name="Preferences")).to_be_visible()


def test_by_tab_and_enter_with_the_single_keys_off(open_as, moses, queue, tab_to):
    moses.shortcuts = False
    moses.save()
    page = open_as(moses, "/manage/comments/?q=neon")
    watch(page)
    card(page, queue[0]).focus()
    page.keyboard.press("a")
    page.keyboard.press("j")
    expect(card(page, queue[0])).to_be_focused()
    tab_to(page, card(page, queue[0]).get_by_role("link", name="Ban player"))
    page.keyboard.press("Enter")
    expect(page.get_by_label("Spam or advertising")).to_be_focused()
    page.keyboard.press("Escape")
    expect(card(page, queue[0]).get_by_role("link", name="Ban player")).to_be_focused()
    tab_to(page, card(page, queue[1]).get_by_role("button", name="Approve"))
    page.keyboard.press("Enter")
    expect(card(page, queue[2])).to_be_focused()
    tab_to(page, page.get_by_role("button", name="Undo"))
    page.keyboard.press("Enter")
    expect(card(page, queue[1])).to_be_focused()
    assert states(queue) == ["pending"] * 5


def test_without_javascript(open_as, moses, queue, allowed):
    allowed.add(422)
    page = open_as(moses, java_script_enabled=False)
    page.get_by_role("searchbox").fill("neon")
    page.get_by_role("button", name="Search").click()
    card(page, queue[0]).get_by_role("button", name="Approve").click()
    expect(page).to_have_url("/manage/comments/?q=neon")
    card(page, queue[1]).get_by_role("link", name="Reject").click()
    page.get_by_label("Abuse or bullying").check()
    page.get_by_role("button", name="Reject").click()
    card(page, queue[2]).get_by_role("link", name="Ban player").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ban player kit_fox?")
    page.get_by_label("Note").fill("typed with care")
    page.get_by_role("button", name="Ban player").click()
    expect(page.get_by_text("Choose the reason that fits best.")).to_be_visible()
    expect(page.get_by_label("Note")).to_have_value("typed with care")
    page.get_by_label("Spam or advertising").check()
    page.get_by_role("button", name="Ban player").click()
    expect(page.get_by_text("kit_fox was banned.")).to_be_visible()
    assert states(queue) == ["approved", "rejected", "rejected", "rejected", "pending"]
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("2 comments are pending again.")).to_be_visible()
    expect(page).to_have_url("/manage/comments/?q=neon")
    card(page, queue[3]).get_by_role("link").first.click()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("heading", name=f"Comment {queue[4].pk}")).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    assert states(queue) == ["approved", "rejected", "pending", "pending", "approved"]


def test_the_next_card_is_the_one_behind_also_when_some_were_left_for_later(open_as, moses):
    comments = [make_comment() for _ in range(5)]
    page = open_as(moses)
    card(page, comments[2]).get_by_role("link", name="Ban player").click()
    page.get_by_label("Spam or advertising").check()
    page.get_by_role("dialog").get_by_role("button", name="Ban player").click()
    expect(card(page, comments[3])).to_be_focused()
    page.keyboard.press("u")
    expect(card(page, comments[2])).to_be_focused()
    expect(page.get_by_role("article")).to_have_count(5)
    card(page, comments[3]).focus()
    page.keyboard.press("r")
    page.get_by_label("Spam or advertising").check()
    page.keyboard.press("Enter")
    expect(card(page, comments[4])).to_be_focused()
    page.keyboard.press("u")
    expect(card(page, comments[3])).to_be_focused()


def test_u_undoes_what_the_toast_says_not_an_older_note(open_as, moses):
    comments = [make_comment() for _ in range(3)]
    page = open_as(moses, f"/manage/comments/{comments[0].pk}/reject/")
    page.get_by_label("Spam or advertising").check()
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("was rejected.").first).to_be_visible()
    card(page, comments[1]).focus()
    page.keyboard.press("a")
    expect(card(page, comments[2])).to_be_focused()
    page.keyboard.press("u")
    expect(card(page, comments[1])).to_be_focused()
    assert [Comment.objects.get(pk=c.pk).status for c in comments] == ["rejected", "pending", "pending"]


@pytest.mark.slow
def test_fifty_by_thumb_without_a_sideways_scroll_or_a_zoom(open_as, moses):
    for _ in range(52):
        make_comment(body="a perfectly fine comment with a rather long sentence in it, to be read on a phone")
    page = open_as(moses, "/manage/comments/?per=50", **PHONE)
    for left in range(51, 1, -1):
        page.get_by_role("article").first.get_by_role("button", name="Approve").tap()
        expect(page.locator("#found")).to_have_text(f"{left} comments wait")
        expect(page.get_by_role("article").first).to_be_focused() if left > 2 else None
    assert page.evaluate("[scrollX, visualViewport.scale]") == [0, 1]
    assert Comment.objects.filter(status="approved").count() == 50
    page.get_by_role("link", name="Load more").tap()
    expect(page.get_by_role("article")).to_have_count(2)
