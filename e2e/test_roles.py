"""Each role signs in by the form and finds what is its own. Runs against a deployed demo too."""

import os
import re

import pytest
from playwright.sync_api import expect

from console.testing import PASSWORD
from project import demo

pytestmark = pytest.mark.deployed
READERS = {"moderator", "senior", "auditor", "operator", "beta"}


@pytest.fixture
def password(request):
    """The demo accounts' password: DEMO_PASSWORD for a deployed console."""
    if request.config.getoption("base_url"):
        return os.environ["DEMO_PASSWORD"]
    demo.make_accounts(PASSWORD)
    return PASSWORD


@pytest.mark.parametrize("login", demo.ACCOUNTS)
def test_each_role_signs_in_and_finds_its_own(open_as, password, allowed, login):
    allowed.add(403)
    page = open_as(None, "/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.locator("[name=login]").fill(login)
    page.locator("[name=password]").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/manage/$"))
    expect(page.get_by_text(login, exact=True).first).to_be_visible()
    comments = page.get_by_role("navigation", name="Sections").get_by_role("link", name="Comments")
    expect(comments).to_have_count(1 if login in READERS else 0)
    status = page.goto("/manage/comments/").status
    assert status == (200 if login in READERS else 403)
    assert page.goto("/admin/").status == (200 if login == "operator" else 403)
