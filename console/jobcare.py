"""What becomes of jobs when somebody sees to them, when something else takes their place, and when they are old."""

from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from console import jobs
from console.models import Job

WOKEN = 20  # of many jobs that are retried at once so many are started without the reaper
SWEPT = 1000  # old jobs removed by one statement


def restart(several):
    """From the first attempt on, for jobs that a verb has queued again; workers are told when that commits."""
    fresh = {"attempt": 0, "token": None, "error": "", "sent_at": None, "ended_at": None, "due_at": timezone.now()}
    Job.objects.filter(pk__in=[job.pk for job in several]).update(**fresh)
    for job in several[:WOKEN]:  # the reaper sees to the rest
        transaction.on_commit(partial(jobs.wake, job.pk, jobs.kind_of(job).queue), robust=True)


def dismiss(several):
    """Jobs that were given up, and that something else has taken the place of: nobody needs to look after them."""
    given_up = several.filter(state__in=Job.GIVEN_UP)
    given_up.update(state=Job.CANCELLED, version=F("version") + 1)


def sweep(check=lambda: None):
    """Removes what was done, or cancelled, JOB_DAYS ago, some at a time; `check()` may raise, to end it there.

    Returns how many. What failed stays until somebody sees to it.
    """
    before = timezone.now() - timedelta(days=settings.JOB_DAYS)
    old, removed = Job.objects.filter(state__in=(Job.DONE, Job.CANCELLED), ended_at__lt=before), 0
    while keys := list(old.values_list("pk", flat=True)[:SWEPT]):
        removed += Job.objects.filter(pk__in=keys).delete()[1].get("console.Job", 0)
        check()
    return removed
