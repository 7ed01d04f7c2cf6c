"""Bans of networks: from the phone in a few taps, with a second person in another browser, and without scripts."""

import re
from ipaddress import ip_network

import pytest
from playwright.sync_api import expect

from console import roles
from console.models import SignIn
from console.testing import make_user
from e2e.test_looks import LOOKS, SIZES, is_good
from moderation import doors
from moderation.models import Ban
from moderation.testing import make_comment, make_network_ban, make_player

NETWORK = "203.0.113.0/24"


@pytest.fixture
def lou(world):
    return make_user("lou", roles.SENIOR)


@pytest.fixture
def wave(moses):
    """Comments from all over a network, and a colleague's sign-in from it."""
    for place in range(12):
        make_comment(ip=f"203.0.113.{place}", player=make_player(username=f"spammer{place}", last_ip="203.0.113.1"))
    SignIn.objects.create(user=moses, ip="203.0.113.250")


def test_an_address_is_banned_from_the_phone_in_four_taps_at_most(open_as, lea, wave):
    page = open_as(lea, "/manage/", viewport=SIZES["phone"], has_touch=True, is_mobile=True)
    taps = 0

    def tap(target):
        nonlocal taps
        expect(target).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert page.evaluate("visualViewport.scale") == 1
        target.tap()
        taps += 1

    tap(page.get_by_role("link", name="Ban a network"))
    tap(page.get_by_label("Address or network"))
    page.keyboard.type("203.0.113.7")
    expect(page.get_by_label("What it would touch")).to_contain_text("player")
    tap(page.get_by_text("Spam or advertising"))
    tap(page.get_by_role("button", name="Ban network"))
    expect(page.get_by_text("203.0.113.7 was banned. 1 comment was rejected with it.")).to_be_visible()
    assert taps <= 4
    assert doors.check("203.0.113.7")


def test_two_people_ban_what_touches_a_colleague(open_as, lea, lou, wave, allowed):
    page = open_as(lea, f"/manage/bans/new/?network={NETWORK}")
    expect(page.get_by_text("Colleagues signed in from there: moses.")).to_be_visible()
    page.get_by_label("Spam or advertising").check()
    page.get_by_role("button", name="Ban network").click()
    expect(page.get_by_text("waits for another senior moderator. Nobody is banned yet.")).to_be_visible()
    expect(page.get_by_role("link", name="Approve")).to_have_count(0)
    assert not doors.check("203.0.113.7")
    other = open_as(lou, "/manage/bans/?status=waiting")
    other.get_by_role("link", name="Approve").click()
    expect(other.locator("#dialog").get_by_text("12", exact=True).first).to_be_visible()
    other.locator("#dialog").get_by_role("button", name="Approve").click()
    expect(other.locator(".toast")).to_contain_text("approved. 12 comments were rejected with it.")
    assert doors.check("203.0.113.7")
    other.locator(".toast").get_by_role("button", name="Undo").click()
    expect(other.locator("#toasts")).to_contain_text("Undone.")
    assert not doors.check("203.0.113.7")


@pytest.mark.parametrize("scripts", [True, False])
def test_what_is_typed_is_looked_at_before_it_bites(open_as, lea, wave, scripts):
    page = open_as(lea, "/manage/bans/new/", java_script_enabled=scripts)
    page.get_by_label("Address or network").fill("203.0.113.9/28")
    page.get_by_label("Spam or advertising").check()
    page.get_by_label("Note (optional)").fill("A wave since noon.")
    if scripts:
        expect(page.locator("#reach")).to_contain_text("Taken as 203.0.113.0/28")
    else:
        page.get_by_role("button", name="Ban network").click()
        expect(page.get_by_text("Look at it, then send the form again.")).to_be_visible()
        expect(page.locator("#reach")).to_contain_text("Taken as 203.0.113.0/28")
        expect(page.get_by_label("Note (optional)")).to_have_value("A wave since noon.")
        assert not Ban.objects.exists()
    page.get_by_role("button", name="Ban network").click()
    expect(page.get_by_text("203.0.113.0/28 was banned.")).to_be_visible()
    assert Ban.objects.get().network == ip_network("203.0.113.0/28")


def test_without_scripts_every_verb_on_bans_works_and_is_undone(open_as, lea):
    ban, held = make_network_ban(NETWORK), make_network_ban("198.51.100.0/24", held=True)
    page = open_as(lea, ban.get_absolute_url(), java_script_enabled=False)
    page.get_by_role("link", name="Change").click()
    page.get_by_label("For good").check()
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_text("was changed.")).to_be_visible()
    page.goto(ban.get_absolute_url())
    page.get_by_role("link", name="Lift").click()
    page.get_by_role("button", name="Lift").click()
    expect(page.get_by_text("was lifted.")).to_be_visible()
    assert not doors.check("203.0.113.7")
    page.get_by_role("button", name="Undo").click()
    assert doors.check("203.0.113.7")
    page.goto(held.get_absolute_url())
    page.get_by_role("link", name="Approve").click()
    expect(page.get_by_label("What it would touch")).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text(re.compile("198.51.100.0/24 was approved"))).to_be_visible()
    assert doors.check("198.51.100.9")


@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_the_pages_of_bans_are_good(open_as, lea, wave, theme, size):
    ban = make_network_ban("2001:db8:1234:5678::/64", note="W" * 90, held=True)
    make_network_ban("198.51.100.0/24", allow=True)
    page = open_as(lea, "/manage/bans/?status=all", color_scheme=theme, viewport=SIZES[size])
    is_good(page, "list")
    for path in (ban.get_absolute_url(), f"/manage/bans/new/?network={NETWORK}", f"{ban.get_absolute_url()}change/"):
        page.goto(path)
        is_good(page, path)
    page.goto("/manage/bans/")
    if size != "wide":
        page.get_by_text("More", exact=True).click()
        expect(page.locator(".nav__rest").get_by_text("Ledger")).to_be_visible()
        is_good(page, "more")
