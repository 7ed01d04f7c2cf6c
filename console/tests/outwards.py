"""What tests of events out share: a worker and a beat that do as told, and endpoints at receivers of this machine."""

import time

import pytest

from console import jobs
from console.models import Delivery, Job
from console.webhooks import sending
from console.webhooks.testing import make_webhook


@pytest.fixture(autouse=True)
def planned(settings, monkeypatch):
    settings.WEBHOOK_ALLOW = ["127.0.0.1/32"]
    settings.WEBHOOK_PLAN_S = [0, 0.05, 0.05]
    monkeypatch.setattr(sending, "REST_S", 0.05)
    monkeypatch.setattr(jobs, "send", lambda pk, queue: True)  # we are the worker


def work():
    """What beat and the worker do, once."""
    sending.dispatch()
    for job in Job.objects.filter(kind=sending.KIND, state=Job.QUEUED).order_by("pk"):
        jobs.work(job.pk)


def until(condition, rounds=200):
    for _ in range(rounds):
        work()
        if condition():
            return
        time.sleep(0.03)
    raise AssertionError("it does not come to that")


def at(port, **kwargs):
    return make_webhook(url=f"http://127.0.0.1:{port}/hook", **kwargs)


def states():
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def failing(webhook):
    """It has failed, but is not left in peace for long."""
    webhook.refresh_from_db()
    return webhook.failing_since is not None
