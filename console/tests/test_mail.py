"""Mail: a job in the caller's transaction, drawn and sent by a worker, tried again while the mail server is away."""

import re
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import transaction
from django.template import TemplateDoesNotExist
from django.utils import timezone

from console import jobs, mail, roles
from console.models import Job
from console.testing import PASSWORD, make_user
from console.tests.postbox import Postbox

NOBODY_LISTENS = 9
AWAY = "The mail server cannot be reached. It is tried again until it can, for a day."


@pytest.fixture
def post(db, settings):
    """`post(port)` has a mail for moses sent by the mail server at that port; the job afterwards."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_TIMEOUT = "127.0.0.1", 0.5
    moses = make_user("moses", roles.MODERATOR, email="moses@portal.example")

    def post(port, user=moses, **fields):
        settings.EMAIL_PORT = port
        job = mail.post("password_reset", user.pk, site="https://console.example")
        Job.objects.filter(pk=job.pk).update(**fields)
        jobs.work(job.pk)
        job.refresh_from_db()
        return job

    post.moses = moses
    return post


def test_a_mail_is_drawn_and_sent_by_the_worker(post):
    with Postbox() as box:
        job = post(box.port)
    assert (job.state, job.error) == (Job.DONE, "")
    (sent,) = box.mails
    assert (sent["Subject"], sent["To"]) == ("A new password for Attendant", "moses@portal.example")
    assert sent["Message-ID"].startswith(f"<job-{job.pk}-")
    assert "account “moses” at https://console.example." in sent.get_content()


def test_a_job_holds_neither_the_token_nor_anything_personal(post):
    with Postbox() as box:
        job = post(box.port)
    assert job.args == {
        "mail": "password_reset",
        "user": post.moses.pk,
        "with": {"site": "https://console.example"},
    }
    assert job.result == {}


@pytest.mark.parametrize("port", ["nobody listens", "it hangs"])
def test_a_mail_server_that_is_away_costs_no_attempt_and_is_tried_again(post, port):
    with Postbox(answer=None) as box:
        job = post(NOBODY_LISTENS if port == "nobody listens" else box.port)
    assert (job.state, job.attempt, job.error) == (Job.QUEUED, 0, AWAY)
    Job.objects.update(due_at=timezone.now())
    with Postbox() as box:
        jobs.work(job.pk)
    job.refresh_from_db()
    assert job.error == AWAY, "another port: still away"
    assert timedelta(0) < job.due_at - timezone.now() < timedelta(seconds=301)


def test_what_waited_is_sent_once_when_the_mail_server_is_back(post, settings):
    job = post(NOBODY_LISTENS)
    Job.objects.update(due_at=timezone.now())
    with Postbox() as box:
        settings.EMAIL_PORT = box.port
        jobs.work(job.pk)
        jobs.work(job.pk)
    job.refresh_from_db()
    assert (job.state, len(box.mails)) == (Job.DONE, 1)


def test_after_a_day_without_a_mail_server_it_says_so(post):
    job = post(NOBODY_LISTENS, created_at=timezone.now() - mail.KEEP_TRYING - timedelta(seconds=1))
    assert (job.state, job.error) == (
        Job.FAILED,
        "The mail server could not be reached for a day; the mail was not sent.",
    )


@pytest.mark.parametrize(("answer", "state"), [("550 no such user", Job.FAILED), ("450 come back later", Job.QUEUED)])
def test_a_refusal_for_good_is_told_from_one_for_now(post, answer, state):
    with Postbox(answer) as box:
        job = post(box.port)
    assert job.state == state
    assert "portal.example" not in job.error, "no address in what a job says"


def test_somebody_without_an_address_is_named_as_the_reason(post):
    with Postbox() as box:
        job = post(box.port, user=make_user("sam"))
    assert (job.state, box.mails) == (Job.FAILED, [])
    assert job.error == "Nobody could be written to: there is no e-mail address."


def test_a_name_forges_neither_header_nor_line(post):
    post.moses.first_name = "Moses\r\nBcc: everybody@portal.example\x1b[2J<b>"
    post.moses.save()
    with Postbox() as box:
        post(box.port)
    (sent,) = box.mails
    assert sent["Bcc"] is None
    assert "“Moses[U+000D] Bcc: everybody@portal.example[U+001B][2J<b>”" in sent.get_content()


class Changed(Exception):
    """Somebody's mind, in the middle of a transaction."""


def test_a_mail_of_a_transaction_that_fails_was_never_there(post):
    with suppress(Changed), transaction.atomic():
        mail.post("password_reset", post.moses.pk, site="https://console.example")
        raise Changed
    assert not Job.objects.exists()


def test_a_kind_without_a_text_is_refused_at_once(post):
    with pytest.raises(TemplateDoesNotExist):
        mail.post("no_such_mail", post.moses.pk)
    with pytest.raises(ValueError, match="settings"):
        mail.post("../settings", post.moses.pk)


def test_a_forgotten_password_is_replaced_by_the_link_of_the_mail(post, nobody, settings):
    settings.ALLOWED_HOSTS = ["console.example"]
    there = {"Host": "console.example"}
    nobody.post("/accounts/password/reset/", {"email": "Moses@portal.example"}, headers=there)
    with Postbox() as box:
        settings.EMAIL_PORT = box.port
        jobs.work(Job.objects.get().pk)
    (link,) = re.findall(r"http://console.example(/\S+)", box.mails[0].get_content())
    form = nobody.get(link, headers=there)["Location"]
    new = {"password1": "a quite different horse", "password2": "a quite different horse"}
    assert nobody.post(form, new, headers=there).status_code == 302
    post.moses.refresh_from_db()
    assert post.moses.check_password(new["password1"])
    assert not post.moses.check_password(PASSWORD)
    assert nobody.get(link, headers=there).status_code == 200, "it works once: now a page that says so"


def test_a_host_that_is_not_ours_never_gets_into_a_mail(post, nobody, settings):
    settings.ALLOWED_HOSTS = ["console.example"]
    asked = nobody.post(
        "/accounts/password/reset/", {"email": "moses@portal.example"}, headers={"Host": "evil.example"}
    )
    assert asked.status_code == 400
    assert not Job.objects.exists()
