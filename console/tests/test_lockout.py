"""Guessing ends, and nobody is kept out by somebody else's guessing."""

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str

from console import roles
from console.models import SignIn
from console.testing import PASSWORD, Person, make_user

LOGIN = "/accounts/login/"


@pytest.fixture
def account(db):
    return make_user("moses", roles.MODERATOR, email="moses@portal.example")


def sign_in(browser, password=PASSWORD, login="moses", address="203.0.113.7"):
    return browser.post(LOGIN, {"login": login, "password": password}, REMOTE_ADDR=address)


def test_five_failures_close_a_login_for_an_address(nobody, account):
    for _ in range(5):
        answer = sign_in(nobody, "wrong")
    assert answer.status_code == 429
    assert answer["Retry-After"] == "900"
    assert "Access-Control-Allow-Origin" not in answer
    assert sign_in(nobody).status_code == 429
    assert sign_in(Person(None), address="203.0.113.8").status_code == 302


def test_both_names_of_an_account_are_one(nobody, account):
    for login in ("moses", "moses@portal.example", "MOSES", "Moses@Portal.example", "moses"):
        answer = sign_in(nobody, "wrong", login)
    assert answer.status_code == 429


def test_trying_on_does_not_make_it_longer(nobody, account):
    from axes.models import AccessAttempt

    for _ in range(5):
        sign_in(nobody, "wrong")
    before = AccessAttempt.objects.get().attempt_time
    sign_in(nobody, "wrong")
    assert AccessAttempt.objects.get().attempt_time == before


def test_a_browser_that_was_used_before_stays_open(account):
    mine, theirs = Person(None), Person(None)
    assert sign_in(mine).status_code == 302
    mine.post("/accounts/logout/")
    for _ in range(6):
        sign_in(theirs, "wrong")
    assert sign_in(theirs).status_code == 429
    assert sign_in(mine).status_code == 302


def test_a_used_browser_may_not_guess_for_ever(account):
    mine = Person(None)
    sign_in(mine)
    mine.post("/accounts/logout/")
    for _ in range(11):
        answer = sign_in(mine, "wrong")
    assert "Too many failed" in answer.text


def test_somebody_elses_device_is_nobodys(account):
    make_user("lea", roles.SENIOR)
    leas = Person(None)
    sign_in(leas, login="lea")
    leas.post("/accounts/logout/")
    for _ in range(5):
        answer = sign_in(leas, "wrong")
    assert answer.status_code == 429


def test_guesses_from_everywhere_leave_only_known_browsers(account, settings):
    settings.LOGIN_FAILURES_AN_HOUR = 6
    mine = Person(None)
    sign_in(mine)
    mine.post("/accounts/logout/")
    for number in range(6):
        sign_in(Person(None), "wrong", address=f"203.0.113.{number}")
    stranger = sign_in(Person(None), address="198.51.100.1")
    assert "Too many attempts" in stranger.text
    assert sign_in(mine, address="198.51.100.2").status_code == 302


@pytest.mark.parametrize("login", ["moses", "nobody-of-that-name"])
def test_it_tells_nobody_who_has_an_account(nobody, account, login):
    answers = [sign_in(nobody, "wrong", login).status_code for _ in range(5)]
    assert answers == [200, 200, 200, 200, 429]


def test_what_was_typed_is_kept_nowhere(nobody, account):
    from axes.models import AccessAttempt

    sign_in(nobody, "a-password-of-mine", "typed-into-the-wrong-field")
    kept = str(AccessAttempt.objects.values()) + str(SignIn.objects.values())
    assert "typed-into" not in kept
    assert "a-password" not in kept


@pytest.mark.parametrize("login", ["mo\0ses", "m" * 5000, "\U0001f600", "' OR 1=1 --", "%"])
def test_odd_logins_are_failures_and_no_errors(nobody, account, login):
    assert sign_in(nobody, "wrong", login).status_code == 200


def test_an_ipv6_network_of_one_subscriber_is_one_place(account):
    for number in range(1, 6):
        answer = sign_in(Person(None), "wrong", address=f"2001:db8:1:2::{number}")
    assert answer.status_code == 429
    assert sign_in(Person(None), address="2001:db8:1:3::1").status_code == 302


@pytest.mark.parametrize("elsewhere", [False, True])
def test_whoever_has_the_password_reset_gets_in_with_it(account, settings, elsewhere):
    settings.LOGIN_FAILURES_AN_HOUR = 5
    mine, new = Person(None), "seven purple giraffes waltz"
    for number in range(5):
        sign_in(Person(None), "wrong", address=f"198.51.100.{number}" if elsewhere else "203.0.113.7")
    key = f"{user_pk_to_url_str(account)}-{default_token_generator.make_token(account)}"
    form = mine.get(f"/accounts/password/reset/key/{key}/", follow=True)
    mine.post(form.request["PATH_INFO"], {"password1": new, "password2": new})
    assert sign_in(Person(None), new).status_code != 302
    assert sign_in(mine, new).status_code == 302
