"""Redis is killed, frozen, wiped: people sign in, read, decide, upload and export all the same, and soon."""

import json
import logging
from contextlib import contextmanager

import pytest

from console.models import Entry, Job
from games.models import Build
from moderation.testing import make_comment
from project.tests.outage import QUEUE, Visitor
from project.tests.rig import until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]
log = logging.getLogger("attendant.faults")
MOST_S = 3  # for any answer while Redis is frozen
DELAYED = "Processing is delayed"


@contextmanager
def killed(outage):
    outage.valkey.kill()
    yield
    outage.valkey.restart()


@contextmanager
def frozen(outage):
    outage.valkey.freeze()
    yield
    outage.valkey.thaw()


@contextmanager
def wiped(outage):
    outage.valkey.ask().flushall()
    yield


def assert_well(answer, *statuses):
    assert answer.status in statuses, (answer.status, answer.text[:500])
    assert answer.seconds < MOST_S
    answer.assert_presentable()
    return answer


@pytest.mark.parametrize("fault", [killed, frozen, wiped])
def test_people_sign_in_read_decide_upload_and_export(outage, fault):
    comment, other = make_comment(), make_comment()
    lea = Visitor(outage.port)
    for _ in range(4):
        Visitor(outage.port).sign_in("moses")  # what is measured is not how a process begins
    with fault(outage):
        times = [assert_well(lea.sign_in("lea"), 302).seconds]  # the very first, which finds out
        page = assert_well(lea.get(QUEUE), 200)
        assert ('data-badge="comments">–<' in page.text) == (fault is not wiped)
        decided = [lea.decide(comment), lea.decide(other, "approve", htmx=True)]
        times += [page.seconds, *(assert_well(each, 200, 303).seconds for each in decided)]
        build = outage.upload()
        assert build.answered_s < MOST_S
        times += [build.answered_s]
        export = lea.post("/manage/ledger/export/", export_form())
        times += [assert_well(export, 200).seconds]
        assert_well(lea.get("/manage/live/", htmx=True), 200)
        if fault is not wiped:
            pages = outage.request("GET", "/manage/games/"), outage.request("GET", f"/manage/games/builds/{build.pk}/")
            assert [(status, DELAYED in text) for status, text, _ in pages] == [(200, True)] * 2
            ready = assert_well(lea.get("/readyz"), 200)
            assert json.loads(ready.text)["status"] == "degraded"
    log.info("Redis %s: %s s", fault.__name__, ", ".join(f"{each:.2f}" for each in times))
    assert Entry.objects.filter(verb="comment.approve", target_id__in=[comment.pk, other.pk]).count() == 2
    until(lambda: badge_of(lea) != "–", "badges are back", 10)


def export_form():
    from console.testing import undo_form

    return undo_form(format="csv")


def badge_of(visitor):
    return visitor.get(QUEUE).text.partition('data-badge="comments">')[2].partition("<")[0]


def test_a_request_pays_for_a_frozen_redis_once_and_the_next_ones_not_at_all(outage):
    lea = outage.visitor("lea")
    usual = min(lea.get(path).seconds for path in (QUEUE, QUEUE, QUEUE))
    with frozen(outage):
        answers = [assert_well(lea.get(QUEUE), 200).seconds for _ in range(6)]
    late = [seconds for seconds in answers if seconds > usual + 0.25]
    assert len(late) <= 2, f"one for each web process: {answers}"
    assert max(late, default=0) < usual + 1.5


@pytest.mark.parametrize("fault", [killed, frozen, wiped])
def test_no_session_comes_back_to_life_and_no_throttle_forgets(outage, fault):
    lea = outage.visitor("lea")
    assert lea.get(QUEUE).status == 200
    gone = Visitor(outage.port, lea.cookies["sessionid"])
    guesser = Visitor(outage.port)
    for _ in range(6):
        guesser.sign_in("moses", "wrong")
    assert guesser.sign_in("moses").status != 302, "the right password does not help any more"
    with fault(outage):
        assert lea.post("/accounts/logout/", {}).status == 302
        assert gone.get(QUEUE).status == 302
        assert guesser.sign_in("moses").status != 302
    assert gone.get(QUEUE).status == 302, "nor afterwards"
    assert guesser.sign_in("moses").status != 302


def test_what_was_uploaded_while_redis_was_gone_is_done_when_it_is_back(outage):
    with killed(outage):
        build = outage.upload()
        job = Job.objects.get(pk=build.job_id)
        assert (job.state, build.is_processing) == (Job.QUEUED, True)
    outage.start("worker for uploads")
    outage.until_over([build])
    assert Build.objects.get(pk=build.pk).state == Build.READY
