"""The addresses of operations, for test_routes: who may open and send what, and a job to do it to."""

from django.urls import reverse

from console.models import Job

READERS, OPERATORS = {"ann", "olga"}, {"olga"}
ON_JOBS = {"console:job", "console:job_retry", "console:job_cancel"}
ALONE = {"console:ops", "console:checks", "console:jobs", "console:jobs_bulk"}
MATRIX = {
    "console:ops": READERS,
    "console:checks": READERS,
    "console:jobs": READERS,
    "console:jobs_bulk": READERS,  # the verb's own permission decides about a POST
    "console:job": READERS,
    "console:job_retry": OPERATORS,
    "console:job_cancel": OPERATORS,
}
POSTS = {"console:jobs_bulk": (OPERATORS, 303, 200, 1)}


def make_job(state=Job.FAILED, **fields):
    """A job of a kind that anybody may retry."""
    failed = {"attempt": 1, "error": "The storage was full."} if state in Job.GIVEN_UP else {}
    return Job.objects.create(**{"kind": "console.sweep_events", "state": state} | failed | fields)


def address(name):
    """The page's address, about a job made for it."""
    if name in ALONE:
        return reverse(name)
    return reverse(name, args=[make_job(Job.QUEUED if name == "console:job_cancel" else Job.FAILED).pk])


def sent(name):
    """What a good form posts there, beside the fields that every form has."""
    if name == "console:jobs_bulk":
        return {"verb": "job.retry", "selected": f"{make_job().pk}:0", "next": ""}
    return {"version": 0, "next": ""}
