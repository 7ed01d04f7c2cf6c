"""How long a session lasts, where one is signed in, and how to end it elsewhere."""

import re
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.utils import timezone

from console import jobs, roles
from console.models import Job, SignIn
from console.sessions import BEGAN
from console.tasks import sweep_sessions
from console.testing import PASSWORD, Person, just_signed_in, make_user

SESSIONS = "/accounts/sessions/"
pytestmark = pytest.mark.usefixtures("noted_sessions")


def last_here(person, minutes):
    seen = timezone.now() - timedelta(minutes=minutes)
    UserSession.objects.filter(session_key=person.session.session_key).update(last_seen_at=seen)


def seen(person):
    return UserSession.objects.get(session_key=person.session.session_key).last_seen_at


def test_thirty_idle_minutes_end_it(moses):
    last_here(moses, 29)
    assert moses.get("/manage/").status_code == 200
    last_here(moses, 31)
    assert moses.get("/manage/").status_code == 302
    last_here_again = moses.get("/manage/live/", htmx=True)
    assert last_here_again.status_code == 401


def test_a_person_who_works_stays_in(moses):
    last_here(moses, 29)
    moses.get("/manage/")
    assert timezone.now() - seen(moses) < timedelta(minutes=1)


@pytest.mark.parametrize("htmx", [False, True])
def test_polls_keep_nobody_in(moses, htmx):
    last_here(moses, 29)
    before = seen(moses)
    moses.get("/manage/live/", htmx=htmx)
    assert seen(moses) == before


def test_being_here_is_noted_once_a_minute(moses, django_assert_num_queries):
    last_here(moses, 2)
    moses.get("/manage/preferences/")
    before = seen(moses)
    moses.get("/manage/preferences/")
    assert seen(moses) == before


def test_eight_hours_end_it_whatever_happens(moses):
    session = moses.session
    session[BEGAN] = timezone.now().timestamp() - 7 * 3600
    session.save()
    left = Session.objects.get().expire_date - timezone.now()
    assert timedelta(minutes=59) < left < timedelta(minutes=61)
    session[BEGAN] -= 3601
    session.save()
    assert moses.get("/manage/").status_code == 302


def test_signing_in_begins_anew(nobody, moses):
    session = nobody.session
    session[BEGAN] = timezone.now().timestamp() - 7 * 3600
    session.save()
    nobody.cookies["sessionid"] = session.session_key
    nobody.post("/accounts/login/", {"login": "moses", "password": PASSWORD})
    assert nobody.session.session_key != session.session_key
    assert nobody.session[BEGAN] > timezone.now().timestamp() - 60


def test_one_sees_where_one_is_signed_in_and_ends_it_there(moses, lea):
    phone = Person(moses.user, headers={"User-Agent": "Mozilla/5.0 (Linux; Android 15) Firefox/140"})
    UserSession.objects.filter(session_key=phone.session.session_key).update(user_agent="(Android) Firefox/140")
    page = moses.get(SESSIONS)
    assert "Firefox, Android" in page.text
    assert page.text.count(">End it</button>") == 1
    assert not re.search(r"=\"[^\"]*<time", page.text)  # a label is words, not markup
    row = UserSession.objects.get(session_key=phone.session.session_key)
    moses.post(SESSIONS, {"session": row.pk})
    assert phone.get("/manage/").status_code == 302
    assert moses.get("/manage/").status_code == 200
    assert lea.get("/manage/").status_code == 200


def test_all_others_are_ended_at_once(moses):
    others = [Person(moses.user) for _ in range(2)]
    moses.post(SESSIONS, {"session": "others"})
    assert [each.get("/manage/").status_code for each in others] == [302, 302]
    assert moses.get("/manage/").status_code == 200


@pytest.mark.parametrize("wanted", ["", "x", "0", "99999999", "-1", "9" * 30])
def test_what_is_no_session_ends_none(moses, wanted):
    assert "had ended already" in moses.post(SESSIONS, {"session": wanted}, follow=True).text
    assert moses.get("/manage/").status_code == 200


def test_nobody_ends_somebody_elses(moses, lea):
    theirs = UserSession.objects.get(session_key=lea.session.session_key)
    moses.post(SESSIONS, {"session": theirs.pk})
    assert lea.get("/manage/").status_code == 200


def test_an_ended_session_is_not_listed(moses):
    phone = Person(moses.user)
    last_here(phone, 31)
    assert ">End it<" not in moses.get(SESSIONS).text


def test_a_new_password_ends_all_others(moses):
    phone = Person(moses.user)
    new = "seven purple giraffes waltz"
    moses.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert phone.get("/manage/").status_code == 302
    assert moses.get("/manage/").status_code == 200


def test_what_was_tried_is_shown_to_whom_it_was_tried_on(moses, nobody):
    nobody.post("/accounts/login/", {"login": "moses", "password": "wrong"})
    assert "Wrong password" in moses.get(SESSIONS).text
    assert SignIn.objects.filter(user=moses.user, outcome=SignIn.PASSWORD).count() == 1


def test_a_key_is_new_after_confirming(moses):
    moses.session_says(just_signed_in(moses.user, at=0))
    before = moses.session.session_key
    moses.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert moses.session.session_key != before
    assert not Session.objects.filter(pk=before).exists()
    assert moses.get("/manage/").status_code == 200
    assert UserSession.objects.get().session_key == moses.session.session_key


def sign_in(browser):
    return browser.post("/accounts/login/", {"login": "moses", "password": PASSWORD})


def mails(user):
    return [job.args["mail"] for job in Job.objects.filter(args__user=user.pk).order_by("pk")]


def test_a_new_browser_is_told_by_mail_and_a_known_one_is_not(db, mailoutbox):
    moses = make_user("moses", roles.MODERATOR, email="moses@portal.example")
    first, second = Person(None), Person(None, headers={"User-Agent": "(iPhone) Safari"})
    sign_in(first)
    assert mails(moses) == []  # the first of all is nothing new
    first.post("/accounts/logout/")
    sign_in(first)
    assert mails(moses) == []
    sign_in(second)
    assert mails(moses) == ["new_device"]
    jobs.work(Job.objects.get().pk)
    (sent,) = mailoutbox
    assert "Safari, iPhone" in sent.body
    assert "127.0.0.1" in sent.body
    assert "https" in sent.body or "http://testserver/accounts/sessions/" in sent.body


def test_a_changed_password_is_told_by_mail(db, mailoutbox):
    moses = Person(make_user("moses", roles.MODERATOR, email="moses@portal.example"))
    new = "seven purple giraffes waltz"
    moses.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    jobs.work(Job.objects.get().pk)
    assert mailoutbox[0].subject == "The password was changed on your Attendant account"


def test_nothing_is_kept_of_sessions_that_are_gone(moses, nobody):
    nobody.post("/accounts/login/", {"login": "moses", "password": "wrong"})
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(hours=1))
    gone = Person(moses.user)
    Session.objects.filter(pk=gone.session.session_key).update(expire_date=timezone.now())
    sweep_sessions()
    assert [row.session_key for row in UserSession.objects.all()] == [moses.session.session_key]
    assert not AccessAttempt.objects.exists()
