"""Search, approve, take back, reject with a reason, take back: by mouse, by keyboard, without JavaScript, by thumb."""

import pytest
from playwright.sync_api import expect

from console.models import Entry
from moderation.models import Comment
from moderation.testing import make_comment, make_game

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def spam():
    game = make_game(title="Gangnam", slug="gangnam")
    for number in range(30):
        make_comment(game=game, body=f"party rock number {number}")
    return make_comment(game=game, body="Huh, anyway check out this you[tube] channel: kobyoshi02")


def card(page):
    return page.get_by_role("article").filter(has_text="kobyoshi02")


def status():
    return Comment.objects.get(body__contains="kobyoshi02").status


def no_reload(page):
    page.evaluate("window.stillHere = true")
    return lambda: page.evaluate("window.stillHere") is True


@pytest.mark.parametrize("screen", [{}, PHONE], ids=["mouse", "phone"])
def test_by_mouse_and_by_thumb(open_as, moses, spam, allowed, screen):
    allowed.add(422)
    page = open_as(moses, **screen)
    same_page = no_reload(page)
    press = (lambda target: target.tap()) if screen else (lambda target: target.click())
    page.get_by_role("searchbox", name="Search").press_sequentially("kobyoshi02")
    expect(page.get_by_role("article")).to_have_count(1)
    expect(page).to_have_url("/manage/comments/?q=kobyoshi02")

    press(card(page).get_by_role("button", name="Approve"))
    expect(card(page)).to_have_count(0)
    assert status() == "approved"
    press(page.get_by_role("button", name="Undo"))
    expect(card(page)).to_be_visible()
    assert status() == "pending"

    press(card(page).get_by_role("link", name="Reject"))
    dialog = page.get_by_role("dialog")
    press(dialog.get_by_role("button", name="Reject"))
    expect(dialog.get_by_text("Choose the reason that fits best.")).to_be_visible()
    press(dialog.get_by_label("Spam or advertising"))
    dialog.get_by_label("Note").fill("third channel this week")
    press(dialog.get_by_role("button", name="Reject"))
    expect(dialog).to_have_count(0)
    expect(card(page)).to_have_count(0)
    assert status() == "rejected"
    press(page.get_by_role("button", name="Undo"))
    expect(card(page)).to_be_visible()
    assert status() == "pending"
    assert same_page()
    assert Entry.objects.count() == 4
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_by_keyboard(open_as, moses, spam, tab_to):
    page = open_as(moses)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.get_by_role("searchbox").focus()
    page.keyboard.type("kobyoshi02")
    expect(page.get_by_role("article")).to_have_count(1)
    approve = card(page).get_by_role("button", name="Approve")
    tab_to(page, approve)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="was approved")).to_be_attached()
    expect(page.locator("#main")).to_be_focused()
    tab_to(page, page.get_by_role("button", name="Undo"))
    page.keyboard.press("Enter")
    expect(card(page)).to_be_focused()
    assert status() == "pending"
    tab_to(page, card(page).get_by_role("link", name="Reject"))
    page.keyboard.press("Enter")
    expect(page.get_by_label("Spam or advertising")).to_be_focused()
    page.keyboard.press("Escape")
    expect(card(page).get_by_role("link", name="Reject")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Spam or advertising")).to_be_focused()
    page.keyboard.press("Space")
    tab_to(page, page.get_by_role("dialog").get_by_role("button", name="Reject"))
    page.keyboard.press("Enter")
    expect(page.locator("#live")).to_contain_text("was rejected. 0 comments wait.")
    assert status() == "rejected"


def test_after_a_decision_focus_goes_to_the_next_card_and_the_words_are_said(open_as, moses, spam):
    page = open_as(moses)
    live = page.locator("#live").element_handle()
    cards = page.get_by_role("article")
    second = cards.nth(1).get_attribute("data-item")
    cards.first.get_by_role("button", name="Approve").click()
    expect(page.locator(f"#{second}")).to_be_focused()
    expect(page.locator("#live")).to_contain_text("was approved. 30 comments wait.")
    assert live.evaluate("node => node.isConnected")
    expect(page.locator("#badge-nav-comments")).to_contain_text("30")


def test_without_javascript(open_as, moses, spam, allowed):
    allowed.add(422)
    page = open_as(moses, java_script_enabled=False)
    page.get_by_role("searchbox").fill("kobyoshi02")
    page.get_by_role("button", name="Search").click()
    card(page).get_by_role("button", name="Approve").click()
    expect(page).to_have_url("/manage/comments/?q=kobyoshi02")
    expect(page.get_by_text("was approved.")).to_be_visible()
    assert status() == "approved"
    page.get_by_role("button", name="Undo").click()
    expect(page).to_have_url("/manage/comments/?q=kobyoshi02")
    expect(card(page)).to_be_visible()
    card(page).get_by_role("link", name="Reject").click()
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("Choose the reason that fits best.")).to_be_visible()
    page.get_by_label("Spam or advertising").check()
    page.get_by_label("Note").fill("third channel this week")
    page.get_by_role("button", name="Reject").click()
    assert status() == "rejected"
    expect(page).to_have_url("/manage/comments/?q=kobyoshi02")
    page.get_by_label("Rejected").check()
    page.get_by_role("button", name="Apply").click()
    card(page).get_by_role("link").first.click()
    expect(page.get_by_text("third channel this week")).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("button", name="Undo").click()
    assert status() == "rejected"
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_on_the_page_of_one_comment(open_as, moses, spam):
    page = open_as(moses, f"/manage/comments/{spam.pk}/", **PHONE)
    page.get_by_role("link", name="Reject").tap()
    page.get_by_label("Scam or phishing").check()
    page.get_by_role("dialog").get_by_role("button", name="Reject").tap()
    expect(page.get_by_text("moses rejected this comment for Scam or phishing")).to_be_visible()
    page.get_by_role("button", name="Undo").tap()
    expect(page.get_by_text("moses undid a decision")).to_be_visible()
    page.get_by_role("button", name="Approve").tap()
    expect(page.get_by_text("moses approved")).to_be_visible()
    assert status() == "approved"
    page.get_by_role("button", name="Undo").tap()
    expect(page.locator("#item article")).to_have_attribute("data-state", "pending")
    assert status() == "pending"


def test_undo_works_wherever_the_search_has_gone_since(open_as, moses, spam):
    page = open_as(moses, "/manage/comments/?status=all&q=kobyoshi02")
    card(page).get_by_role("button", name="Approve").click()
    expect(card(page)).to_have_attribute("data-state", "approved")
    page.get_by_role("searchbox").fill("party rock")
    expect(page.locator("#found")).to_have_text("30 comments")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#live")).to_contain_text("is pending again")
    assert status() == "pending"
    page.get_by_label("Rejected").check()
    expect(page.get_by_role("article")).to_have_count(0)


def test_a_filter_that_makes_no_sense_is_named_while_typing(open_as, moses, spam, allowed):
    allowed.add(422)
    page = open_as(moses, "/manage/comments/?per=7")
    page.get_by_role("searchbox").press_sequentially("party")
    expect(page.get_by_text("is not on offer")).to_be_visible()


def test_load_more_goes_on_where_the_list_ended(open_as, moses, spam):
    page = open_as(moses)
    expect(page.get_by_role("article")).to_have_count(25)
    last = page.get_by_role("article").last.get_attribute("data-item")
    page.get_by_role("link", name="Load more").click()
    expect(page.get_by_role("article")).to_have_count(31)
    expect(page.locator(f"#{last} + [data-item]")).to_be_focused()
    expect(page.get_by_role("link", name="Load more")).to_have_count(0)


def test_status_and_order_follow_at_a_click_and_stay_in_the_address(open_as, moses, spam):
    page = open_as(moses)
    page.get_by_label("All", exact=True).check()
    expect(page).to_have_url("/manage/comments/?status=all")
    page.get_by_label("Order").focus()
    page.get_by_label("Order").select_option(label="Newest first")
    expect(page).to_have_url("/manage/comments/?status=all&order=newest")
    expect(page.get_by_label("Order")).to_be_focused()
    page.reload()
    expect(page.get_by_label("Order")).to_have_value("newest")
