"""What goes on inside is seen and mended: a failed job, a selection of them, and deliveries that failed."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from console.models import Delivery, Job
from console.testing import make_user
from console.webhooks.testing import make_delivery, make_webhook

JOBS, OPS = "/manage/ops/jobs/", "/manage/ops/"
WHY = "The storage cannot be reached."
SCREENS = [{}, {"java_script_enabled": False}]


@pytest.fixture
def olga(world):
    return make_user("olga", is_superuser=True)


def failed(number=1):
    """Jobs that a worker will do well this time."""
    return [
        Job.objects.create(kind="console.sweep_events", state=Job.FAILED, attempt=1, error=WHY, ended_at=timezone.now())
        for _ in range(number)
    ]


def state_on(page):
    return page.locator("#item [data-item]")


@pytest.mark.parametrize("how", SCREENS, ids=["scripts", "plain"])
def test_a_failed_job_says_why_and_is_done_after_retry(open_as, olga, worker, how):
    (job,) = failed()
    page = open_as(olga, OPS, **how)
    expect(page.get_by_role("region", name="Failing now")).to_contain_text(WHY)
    page.get_by_role("region", name="Failing now").get_by_role("link", name="Remove old events and jobs").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Remove old events and jobs")
    expect(state_on(page)).to_contain_text(WHY)
    page.get_by_role("button", name="Retry").click()
    if how:  # without scripts the list is what a form returns to
        expect(page.get_by_text("was retried")).to_be_visible()
        page.goto(job.get_absolute_url())
        for _ in range(60):
            if state_on(page).get_attribute("data-state") == "done":
                break
            page.reload()
            page.wait_for_timeout(500)
    expect(state_on(page)).to_have_attribute("data-state", "done", timeout=30_000)
    expect(state_on(page)).not_to_contain_text(WHY)
    expect(page.get_by_role("region", name="Done to this job")).to_contain_text("olga retried")


@pytest.mark.parametrize("how", SCREENS, ids=["scripts", "plain"])
def test_jobs_are_retried_as_a_selection_that_is_confirmed(open_as, olga, how):
    several = failed(3)
    page = open_as(olga, JOBS, **how)
    for job in several[:2]:
        page.get_by_label(f"Select job {job.pk}").check()
    page.get_by_role("form", name="What was ticked").get_by_role("button", name="Retry").click()
    asked = page.get_by_role("main") if how else page.get_by_role("dialog")
    expect(asked.get_by_role("heading", name="Retry: 2 jobs")).to_be_visible()
    expect(asked).to_contain_text("2 × Remove old events and jobs")
    asked.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("2 jobs were retried.").first).to_be_visible()
    assert list(Job.objects.filter(state=Job.FAILED)) == several[2:]


def test_the_overview_tells_of_a_job_that_fails_while_somebody_looks(open_as, olga, worker):
    page = open_as(olga, OPS)
    expect(page.get_by_role("region", name="Failing now")).to_contain_text("Nothing failed.")
    Job.objects.create(kind="mail", args={"user": 0, "mail": "x", "with": {}})  # to nobody: it fails for good
    failing = page.get_by_role("region", name="Failing now")
    expect(failing).to_contain_text("Nobody could be written to", timeout=30_000)


@pytest.mark.parametrize("how", SCREENS, ids=["scripts", "plain"])
def test_ten_failed_deliveries_are_replayed_as_a_selection(open_as, olga, how):
    webhook = make_webhook()
    for _ in range(10):
        make_delivery(webhook, state=Delivery.FAILED, error="It answered 500.")
    page = open_as(olga, "/manage/webhooks/deliveries/?status=failed", **how)
    page.get_by_role("link", name="Select all shown").click()
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(10)
    page.get_by_role("form", name="What was ticked").get_by_role("button", name="Replay").click()
    expect(page.get_by_text(re.compile("10 deliveries were replayed")).first).to_be_visible()
    assert set(Delivery.objects.values_list("state", flat=True)) == {Delivery.WAITING}
