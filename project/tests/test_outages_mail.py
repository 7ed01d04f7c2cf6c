"""The mail server is away or hangs, disks for uploads are full: people get their answer, soon and in words."""

import pytest

from console.models import Job
from console.testing import undo_form
from console.tests.postbox import Postbox
from games import intake
from games.models import Build
from project.tests.disks import fill, small_disk
from project.tests.outage import Visitor, forget_connections
from project.tests.rig import DEFAULT, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]
RESET = "/accounts/password/reset/"


@pytest.mark.parametrize("hangs", [False, True])
def test_a_forgotten_password_is_answered_as_always_and_the_mail_comes_later(outage, hangs):
    before = set(Job.objects.filter(kind="mail").values_list("pk", flat=True))
    hanging = Postbox(answer=None, port=outage.mail_port)
    if hangs:
        hanging.__enter__()
    answers = [Visitor(outage.port).post(RESET, {"email": f"{name}@portal.example"}) for name in ("lea", "nobody")]
    assert {(answer.status, answer.headers["Location"]) for answer in answers} == {(302, f"{RESET}done/")}
    assert max(answer.seconds for answer in answers) < 3
    jobs = Job.objects.filter(kind="mail").exclude(pk__in=before)
    until(lambda: jobs.filter(error__startswith="The mail server cannot be reached.").count() == 1, "put off", 30)
    if hangs:
        hanging.__exit__()
    with Postbox(port=outage.mail_port) as box:
        until(lambda: box.mails, "the mail comes by itself", 60)
        until(lambda: jobs.filter(state=Job.DONE).count() == 1, "and the job knows", 10)
    assert [mail["To"] for mail in box.mails] == ["lea@portal.example"]


def test_workers_find_a_database_that_was_restarted(outage):
    forget_connections()
    outage.postgres.end()
    outage.until_said(DEFAULT, "OperationalError", times=2)
    outage.postgres.begin()
    until(outage.is_ready, "well again")
    with Postbox(port=outage.mail_port) as box:
        assert Visitor(outage.port).post(RESET, {"email": "moses@portal.example"}).status == 302
        until(lambda: box.mails, "the mail is sent", 60)


def test_one_number_leads_from_the_answer_to_the_work_it_caused(outage):
    with Postbox(port=outage.mail_port) as box:
        answer = Visitor(outage.port).post(RESET, {"email": "lea@portal.example"})
        until(lambda: box.mails, "the mail is sent", 60)
    number = answer.headers["X-Request-ID"]
    assert Job.objects.filter(kind="mail", request_id=number).count() == 1
    lines = outage.log_of("web").read_text().splitlines()
    assert [line for line in lines if f"{number} attendant.access: POST {RESET} 302" in line]


def test_a_full_quarantine_is_said_in_words_and_nothing_is_kept(outage):
    forget_connections()
    name = outage.new_name()
    file, form = (name, outage.make_zip(name)), undo_form(title="No room")
    quarantine = outage.state / "quarantine"
    with small_disk(quarantine):
        for left in (0, 4096):  # none at all, or for the first bytes only
            filler = fill(quarantine, leave=left)
            status, text, seconds = outage.request("POST", "/manage/games/upload/", form, file)
            assert (status, intake.NO_ROOM in text, "No room" in text) == (422, True, True)
            assert seconds < 3
            assert list(quarantine.iterdir()) == [filler]
            assert not Build.objects.filter(zip_name=name).exists()
    assert outage.request("POST", "/manage/games/upload/", form, file)[0] == 303
    assert Build.objects.filter(zip_name=name).count() == 1
