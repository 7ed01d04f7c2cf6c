"""Inviting: an account that can do nothing until somebody opens the link, which opens once."""

import re
import uuid

import pytest
from django.core import mail
from django.utils import timezone

from console import jobs, roles, staffactions
from console.models import Entry, Job, User
from console.testing import PASSWORD, form, make_user

URL = "/manage/staff/invite/"
GOOD = "marble kitchen yacht byron"


def invitation(**fields):
    asked = {"login": "kit", "name": "Kit Marlow", "email": "kit@mail.example", "roles": [roles.MODERATOR]}
    return {"version": 0, "idempotency_key": str(uuid.uuid4()), **asked, **fields}


def chosen(page, **fields):
    """What the form behind the link posts."""
    shown = page.context["form"]
    hidden = {"version": shown["version"].value(), "idempotency_key": str(shown["idempotency_key"].value())}
    return {**hidden, "password1": GOOD, "password2": GOOD, **fields}


def link_in(text):
    return re.search(r"http://testserver(/accounts/invite/\d+/[0-9a-f]{64}/)", text)


@pytest.fixture
def link(olga):
    response = olga.post(URL, invitation(), follow=True)
    return link_in(response.text).group(1)


def kit():
    return User.objects.get(username="kit")


def test_the_link_is_shown_once_and_mailed(olga, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        response = olga.post(URL, invitation())
    assert response.status_code == 303
    page = olga.get(response["Location"])
    shown = link_in(page.text).group(0)
    assert not link_in(olga.get(response["Location"]).text)
    job = Job.objects.get(kind="mail")
    assert shown.strip("/").rpartition("/")[2] not in str(job.args)
    jobs.work(job.pk)
    (message,) = mail.outbox
    assert message.to == ["kit@mail.example"]
    assert shown in message.body
    assert "olga invites you to the moderation console as Moderator." in message.body


def test_a_mail_server_that_is_away_stops_no_invite(olga, settings, django_capture_on_commit_callbacks):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with django_capture_on_commit_callbacks(execute=True):
        response = olga.post(URL, invitation(), follow=True)
    assert link_in(response.text)


def test_before_the_link_is_used_nothing_can_be_done_with_the_account(link, nobody):
    assert (kit().status, kit().has_usable_password(), kit().roles) == ("invited", False, [roles.MODERATOR])
    for password in ("", "!", kit().password, PASSWORD):
        nobody.post("/accounts/login/", {"login": "kit", "password": password})
        assert nobody.get("/manage/").status_code == 302


def test_whoever_opens_the_link_chooses_a_password_and_signs_in(link, nobody):
    page = nobody.get(link)
    assert "You will sign in as <strong><bdi>kit</bdi></strong>" in page.text
    response = nobody.post(link, chosen(page))
    assert (response.status_code, response["Location"]) == (303, "/accounts/login/")
    assert nobody.get("/manage/").status_code == 302, "signing in is a step of its own"
    nobody.post("/accounts/login/", {"login": "kit", "password": GOOD})
    assert nobody.get("/manage/").status_code == 200
    entry = Entry.objects.get(verb="staff.join")
    assert (entry.actor, entry.after["is_active"], entry.after["invited_until"]) == (None, True, None)
    assert "password" not in str(entry.after)


def test_the_link_opens_once(link, nobody):
    page = nobody.get(link)
    nobody.post(link, chosen(page))
    for response in (nobody.get(link), nobody.post(link, chosen(page, password1="another one " * 2))):
        assert response.status_code == 410
        assert "This link opens nothing" in response.text
    assert kit().check_password(GOOD)


@pytest.mark.parametrize("end", ["renew", "withdraw", "runs out", "another account", "forged"])
def test_a_link_that_does_not_stand_opens_nothing(link, nobody, olga, end):
    page = nobody.get(link)
    if end in ("renew", "withdraw"):
        assert olga.post(f"/manage/staff/{kit().pk}/{end}/", form(kit())).status_code == 303
    elif end == "runs out":
        User.objects.filter(username="kit").update(invited_until=timezone.now())
    elif end == "another account":
        other = make_user("lou", is_active=False, invited_until=kit().invited_until)
        link = link.replace(f"/{kit().pk}/", f"/{other.pk}/")
    else:
        link = f"{link[:-2]}{'0' if link[-2] != '0' else '1'}/"
    assert nobody.get(link).status_code == 410
    assert nobody.post(link, chosen(page)).status_code == 410
    assert not User.objects.filter(username__in=["kit", "lou"], is_active=True).exists()


def test_an_invite_that_was_sent_anew_shows_a_link_that_opens(link, nobody, olga):
    page = olga.post(f"/manage/staff/{kit().pk}/renew/", form(kit(), next=f"/manage/staff/{kit().pk}/"), follow=True)
    fresh = link_in(page.text).group(1)
    assert fresh != link
    assert nobody.get(fresh).status_code == 200


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"password1": "", "password2": ""}, "Choose a password."),
        ({"password1": "short", "password2": "short"}, "too short"),
        ({"password2": "marble kitchen yacht"}, "These are not the same."),
        ({"password1": "kit@mail.example", "password2": "kit@mail.example"}, "too similar"),
    ],
)
def test_a_password_that_will_not_do_is_explained_and_changes_nothing(link, nobody, fields, words):
    response = nobody.post(link, chosen(nobody.get(link), **fields))
    assert response.status_code == 422
    assert words in response.text
    assert not kit().is_active
    assert nobody.post(link, chosen(nobody.get(link))).status_code == 303


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"login": ""}, "Give them a login."),
        ({"login": "kit marlow"}, "Use only letters, digits and"),
        ({"login": "OLGA"}, "Somebody of staff has this login already."),
        ({"email": "no address"}, "Write an address as kit@mail.example."),
        ({"email": "Olga@Mail.example"}, "Somebody of staff has this address already."),
        ({"roles": ["Emperor"]}, "There is no group Emperor."),
        ({"idempotency_key": "x"}, "This form was out of date."),
    ],
)
def test_what_is_wrong_with_an_invite_is_said_and_nothing_typed_is_lost(olga, fields, words):
    User.objects.filter(pk=olga.user.pk).update(email="olga@mail.example")
    response = olga.post(URL, invitation(**fields))
    assert response.status_code == 422
    assert words in response.text
    assert "Kit Marlow" in response.text
    assert User.objects.count() == 1
    assert Entry.objects.count() == 0


def test_the_same_invite_twice_is_one(olga):
    sent = invitation()
    for words in ("kit was invited.", "kit was already invited."):
        assert words in olga.post(URL, sent, follow=True).text
    assert (User.objects.count(), Entry.objects.count()) == (2, 1)
    assert olga.post(URL, sent | {"name": "Somebody else"}).status_code == 422
    assert (User.objects.count(), Entry.objects.count()) == (2, 1)


def test_htmx_is_sent_to_the_person(olga):
    response = olga.post(URL, invitation(), htmx=True)
    assert response["HX-Redirect"] == f"/manage/staff/{kit().pk}/"


def test_an_invite_is_undone_by_nobody_and_taken_back_by_its_verb(olga, link):
    entry = Entry.objects.get(verb="staff.invite")
    assert olga.post(entry.get_undo_url(), {"version": 0, "idempotency_key": str(uuid.uuid4())}).status_code == 403
    staffactions.withdraw(kit(), by=olga.user)
    page = olga.get(f"/manage/staff/{kit().pk}/").text
    assert "not invited any more" in page
    assert "Invite again" in page
