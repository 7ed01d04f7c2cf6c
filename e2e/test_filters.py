"""Narrowing the queue: the panel as a dialog and as a page, several at once by select2, and what happens on typos."""

import pytest
from playwright.sync_api import expect

from moderation.testing import make_comment, make_game, make_player, make_report


@pytest.fixture
def portal(world):
    moth, snail = make_game(title="Moth & Lamp", slug="moth"), make_game(title="Turbo Snail", slug="snail")
    kit, ada = make_player(username="kit_fox"), make_player(username="ada_byte")
    make_comment(body="about the lamp", game=moth, player=kit)
    make_comment(body="about the shell", game=snail, player=ada)
    make_report(make_comment(body="about nothing", player=ada))
    return moth, snail, kit, ada


def opened(page):
    page.get_by_role("link", name="Filters").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Filters")).to_be_visible()
    return dialog


def test_names_are_offered_while_typing_and_any_text_will_do(open_as, moses, portal):
    page = open_as(moses)
    page.evaluate("window.stillHere = true")
    dialog = opened(page)
    dialog.get_by_label("Game", exact=True).press_sequentially("mot")
    expect(page.locator("#game-names option")).to_have_attribute("value", "Moth & Lamp")
    dialog.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("article")).to_have_count(1)
    expect(page).to_have_url("/manage/comments/?game=mot")
    expect(page.get_by_role("link", name="Filters")).to_be_focused()
    expect(page.locator("#live")).to_have_text("1 comment waits")
    page.get_by_label("Order").select_option(label="Newest first")
    expect(page).to_have_url("/manage/comments/?order=newest&game=mot")
    page.get_by_role("link", name="Game: mot").click()
    expect(page.get_by_role("article")).to_have_count(3)
    page.go_back()
    expect(page.get_by_role("navigation", name="Sections")).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(1)


def test_several_players_by_select2(open_as, moses, portal):
    page = open_as(moses)
    assert not page.evaluate("'jQuery' in window"), "only who opens the panel pays for it"
    dialog = opened(page)
    dialog.get_by_role("searchbox", name="Several players").click()
    page.keyboard.type("ki")
    page.get_by_role("option", name="kit_fox").click()
    page.keyboard.type("ad")
    page.get_by_role("option", name="ada_byte").click()
    dialog.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("article")).to_have_count(3)
    expect(page.get_by_role("list", name="Filters in use")).to_contain_text("kit_fox, ada_byte")
    dialog = opened(page)
    expect(dialog.get_by_role("listitem", name="kit_fox").or_(dialog.get_by_title("kit_fox")).first).to_be_visible()


def test_when_the_server_has_forgotten_the_field_the_plain_one_is_back(open_as, moses, portal, allowed):
    allowed.add(404)
    page = open_as(moses)
    dialog = opened(page)
    expect(dialog.locator(".select2-selection").first).to_be_visible()
    forget(page)
    dialog.get_by_role("searchbox", name="Several players").click()
    page.keyboard.type("ki")
    plain = dialog.get_by_role("textbox", name="Several players")
    expect(plain).to_be_focused()
    plain.fill("kit_fox, ADA_BYTE")
    dialog.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("article")).to_have_count(3)


def forget(page):
    """A wrong field id is the same to the server as one that Redis lost; that Redis serves other tests, too."""
    page.evaluate("for (const s of document.querySelectorAll('select')) s.dataset.field_id = 'gone'")
    page.evaluate("for (const s of document.querySelectorAll('select')) s.setAttribute('data-field_id', 'gone')")


def test_without_javascript(open_as, moses, portal):
    page = open_as(moses, java_script_enabled=False)
    page.get_by_role("link", name="Filters").click()
    expect(page.get_by_role("heading", level=1, name="Filters")).to_be_visible()
    page.get_by_label("Several players").fill("kit_fox, ada_byte")
    page.get_by_label("Reported").select_option(label="Reported")
    page.get_by_role("button", name="Apply").last.click()
    expect(page.get_by_role("article")).to_have_count(1)
    expect(page.get_by_text("about nothing")).to_be_visible()
    page.get_by_role("link", name="Filters").click()
    expect(page.get_by_label("Several players")).to_have_value("kit_fox, ada_byte")
    page.get_by_label("Several players").fill("nobody_here")
    page.get_by_role("button", name="Apply").last.click()
    expect(page.get_by_text("No player is called “nobody_here”.")).to_be_visible()


def test_a_typo_that_finds_nothing_gets_a_suggestion(open_as, moses, portal):
    page = open_as(moses)
    page.get_by_role("searchbox").press_sequentially("kitt_fox")
    page.get_by_text("Did you mean").get_by_role("link", name="kit_fox").click()
    expect(page.get_by_role("article")).to_have_count(1)
    expect(page.get_by_role("searchbox")).to_have_value("kit_fox")


def test_what_is_wrong_is_said_and_nothing_typed_is_lost(open_as, moses, portal, allowed):
    allowed.add(422)
    page = open_as(moses)
    dialog = opened(page)
    dialog.get_by_label("From").fill("2026-02-02")
    dialog.get_by_label("To", exact=True).fill("2026-02-01")
    dialog.get_by_role("button", name="Apply").click()
    expect(page.locator("#form-errors")).to_be_focused()
    expect(dialog.get_by_text("The last day is before the first.")).to_be_visible()
    expect(dialog.get_by_label("From")).to_have_value("2026-02-02")
    dialog.get_by_label("To", exact=True).fill("2026-02-03")
    dialog.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.goto("/manage/comments/?from=2026-02-02&to=2026-02-01")
    expect(page.get_by_text("To: The last day is before the first.")).to_be_visible()
