"""Signing in with more than a password: an app, a passkey, codes on paper; where the console insists on it."""

import time

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from axe_playwright_python.sync_playwright import Axe

from console.testing import PASSWORD
from e2e.conftest import serving
from project.testing import own_database

KEY = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
KEY |= {"isUserVerified": True, "automaticPresenceSimulation": True}


@pytest.fixture(scope="module")
def strict(base_url):
    """A console that insists, at a name: browsers keep no passkeys for bare addresses."""
    with serving(f"{own_database()}_e2e", SECOND_FACTOR_REQUIRED="1") as url:
        yield url.replace("127.0.0.1", "localhost")


@pytest.fixture
def at(open_as, strict):
    """`at(**context)` gives a browser before the sign-in page, with a device that can hold passkeys."""

    def at(**context):
        page = open_as(None, f"{strict}/accounts/login/", **context)
        if context.get("java_script_enabled", True):
            cdp = page.context.new_cdp_session(page)
            cdp.send("WebAuthn.enable")
            cdp.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
        return page

    return at


def give_password(page):
    page.get_by_label("Login").fill("lea")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def code(secret):
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def set_up_an_app(page):
    page.get_by_role("link", name="Set up an app").click()
    secret = page.locator("code").first.inner_text()
    page.get_by_label("Authenticator code").fill(code(secret))
    page.get_by_role("button", name="Switch it on").click()
    return secret


def sign_out(page, strict):
    page.goto(f"{strict}/manage/")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/**")


@pytest.mark.parametrize("scripts", [True, False])
def test_nothing_opens_before_an_app_is_set_up_with_and_without_javascript(lea, at, strict, scripts):
    page = at(java_script_enabled=scripts, viewport={"width": 390, "height": 844})
    give_password(page)
    page.wait_for_url("**/2fa/")
    page.goto(f"{strict}/manage/comments/")
    page.get_by_text("needs a second factor").wait_for()
    set_up_an_app(page)
    codes = page.locator(".codes code").all_inner_texts()
    page.get_by_role("link", name="To the console").click()
    page.get_by_role("heading", name="What waits").wait_for()
    sign_out(page, strict)
    give_password(page)
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("heading", name="What waits").wait_for()


def test_a_passkey_alone_opens_the_console_and_confirms(lea, at, strict):
    page = at()
    give_password(page)
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("heading", name="Recovery codes").wait_for()
    sign_out(page, strict)
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("heading", name="What waits").wait_for()
    page.goto(f"{strict}/accounts/reauthenticate/?next=/manage/bans/")
    page.get_by_role("link", name="Use a passkey instead").click()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/manage/bans/")


def test_its_pages_are_for_everybody(lea, at, strict):
    page = at(viewport={"width": 390, "height": 844}, color_scheme="dark")
    paths = ["totp/activate/", "webauthn/add/", "", "webauthn/", "recovery-codes/generate/"]
    give_password(page)
    page.wait_for_url("**/2fa/")
    assert Axe().run(page).response["violations"] == []
    set_up_an_app(page)
    for path in ["/accounts/sessions/", "/accounts/password/change/", *(f"/accounts/2fa/{each}" for each in paths)]:
        page.goto(f"{strict}{path}")
        assert Axe().run(page).response["violations"] == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
