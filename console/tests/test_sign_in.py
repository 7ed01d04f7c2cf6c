"""Signing in and out."""

import pytest
from django.contrib.sessions.models import Session

from console import roles
from console.testing import PASSWORD, make_user

LOGIN = "/accounts/login/"


@pytest.mark.parametrize("login", ["moses", "moses@portal.example"])
def test_signs_in_by_name_or_address_and_returns_where_one_wanted(nobody, login):
    make_user("moses", roles.MODERATOR, email="moses@portal.example")
    response = nobody.post(f"{LOGIN}?next=/manage/comments/", {"login": login, "password": PASSWORD})
    assert response["Location"] == "/manage/comments/"
    assert nobody.get("/manage/comments/").status_code == 200


def test_a_wrong_password_is_named_and_the_name_is_kept(nobody):
    make_user("moses", roles.MODERATOR)
    response = nobody.post(LOGIN, {"login": "moses", "password": "wrong"})
    assert "not correct" in response.text
    assert 'value="moses"' in response.text


def test_guessing_is_slowed_down_by_a_throttle_that_does_not_need_redis(nobody):
    make_user("moses", roles.MODERATOR)
    for _ in range(5):
        response = nobody.post(LOGIN, {"login": "moses", "password": "wrong"})
    assert "Too many attempts" in response.text
    assert "Too many attempts" in nobody.post(LOGIN, {"login": "moses", "password": PASSWORD}).text


def test_nobody_signs_up(nobody):
    response = nobody.post("/accounts/signup/", {"username": "eve", "password1": PASSWORD, "password2": PASSWORD})
    assert "closed" in response.text.lower()
    assert nobody.get("/manage/").status_code == 302


def test_signing_out_ends_the_session_on_the_server(moses):
    assert moses.post("/accounts/logout/")["Location"] == LOGIN
    assert not Session.objects.exists()
    assert moses.get("/manage/").status_code == 302


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_next_leads_nowhere_else(nobody, target):
    make_user("moses", roles.MODERATOR)
    response = nobody.post(LOGIN, {"login": "moses", "password": PASSWORD, "next": target})
    assert response["Location"] == "/manage/"


def test_accounts_that_are_no_staff_get_in_nowhere(nora):
    assert nora.get("/manage/").status_code == 403
    assert nora.get("/admin/", follow=True).status_code == 403


def test_emergency_access_is_for_superusers(olga, lea):
    assert olga.get("/admin/").status_code == 200
    assert lea.get("/admin/", follow=True).status_code == 403
    assert olga.get("/admin/console/entry/add/").status_code == 403


def test_a_forgotten_password_is_answered_even_when_mail_is_down(nobody, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 9  # nobody listens
    make_user("moses", roles.MODERATOR, email="moses@portal.example")
    for email in ("moses@portal.example", "unknown@portal.example"):
        response = nobody.post("/accounts/password/reset/", {"email": email})
        assert response["Location"] == "/accounts/password/reset/done/"
