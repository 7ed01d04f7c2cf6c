"""An operator invites somebody, who joins, gets other groups and is deactivated: by thumb, and without JavaScript."""

import pytest
from playwright.sync_api import expect

from console.models import User
from console.testing import make_user

PHONE = {"width": 390, "height": 844}
GOOD = "marble kitchen yacht byron"


@pytest.fixture
def olga(world):
    return make_user("olga", is_superuser=True)


def sideways(page):
    return page.evaluate("document.documentElement.scrollWidth > innerWidth")


def do(page, script, verb):
    """Opens the verb's form, as a dialog or a page, and gives what it is in."""
    page.get_by_role("link", name=verb).click()
    return page.get_by_role("dialog") if script else page.get_by_role("main")


@pytest.mark.parametrize("script", [True, False])
def test_invited_joined_changed_and_deactivated(open_as, olga, script):
    desk = {"viewport": PHONE, "java_script_enabled": script}
    page = open_as(olga, "/manage/staff/", **desk)
    page.get_by_role("link", name="Invite").click()
    page.get_by_label("Login").fill("kit")
    page.get_by_label("E-mail").fill("kit@mail.example")
    page.get_by_label("Moderator").check()
    page.get_by_role("button", name="Invite").click()
    expect(page.get_by_text("kit was invited.")).to_be_visible()
    link = page.get_by_text("/accounts/invite/").inner_text()
    assert not script or not sideways(page)

    kit = open_as(None, link, **desk)
    kit.get_by_label("Password", exact=True).fill(GOOD)
    kit.get_by_label("The same again").fill(GOOD)
    kit.get_by_role("button", name="Choose this password").click()
    kit.get_by_label("Username").or_(kit.locator("[name=login]")).first.fill("kit")
    kit.locator("[name=password]").fill(GOOD)
    kit.get_by_role("button", name="Sign in").click()
    expect(kit.get_by_role("heading", name="What waits")).to_be_visible()

    page.goto(f"/manage/staff/{User.objects.get(username='kit').pk}/")
    form = do(page, script, "Change groups")
    form.get_by_label("Moderator").uncheck()
    form.get_by_label("Publisher").check()
    form.get_by_role("button", name="Change groups").click()
    expect(page.get_by_text("The groups of kit were changed.").first).to_be_visible()
    assert kit.goto("/manage/games/upload/").status == 200
    page.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_text("Moderator").first).to_be_visible()

    do(page, script, "Deactivate").get_by_role("button", name="Deactivate").click()
    expect(page.get_by_text("deactivated").first).to_be_visible()
    kit.goto("/manage/")
    expect(kit.get_by_role("button", name="Sign in")).to_be_visible()
