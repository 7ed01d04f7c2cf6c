"""What Celery runs. Messages carry ids; long work is a job (console.jobs), the rest housekeeping."""

import logging

from celery import shared_task
from django.core.management import call_command
from django.db import OperationalError

from console import anchor, jobs, limits, outbox, retention, sealing, sessions, tokenactions, workers
from console.api import idempotency
from console.exporting import work as exporting
from console.traffic import counting
from console.webhooks import sending

log = logging.getLogger("attendant.tasks")


@shared_task(soft_time_limit=540, time_limit=600)
def run_job(pk):
    """Does the job of this id, if nobody else does."""
    jobs.work(pk)


@shared_task
def reap_jobs():
    """Looks after jobs that nobody does; see jobs.reap."""
    jobs.reap()


@shared_task
def sweep_sessions():
    """Removes sessions that have expired, with whence they were; running it twice does nothing."""
    call_command("clearsessions")
    sessions.sweep()


@shared_task
def seal_ledger():
    """Seals what was decided since, and writes the head to its second place; running it twice does nothing."""
    try:
        sealing.run(seconds=30)  # a task has sixty; the next goes on
    except OperationalError as error:
        log.warning("the ledger was not sealed this time: %s", str(error).partition("\n")[0])
    anchor.write()


@shared_task
def sweep_limits():
    """Removes counts of requests and answers to them that count no more; running it twice does nothing."""
    limits.sweep()
    idempotency.sweep()


@shared_task
def sweep_events():
    """Has old events removed, and jobs that told of newer ones; see outbox.sweep."""
    outbox.begin()
    sending.sweep()
    workers.sweep()


@shared_task
def sweep_exports():
    """Removes files of exports that nobody may fetch any more; running it twice does nothing."""
    exporting.sweep()


@shared_task
def retain():
    """Has old personal data let go of, once a day, and operators told of tokens that end; see retention.begin."""
    retention.begin()
    tokenactions.warn()


@shared_task
def tell_portals():
    """Gives out events that are due, and wakes whoever sends them; see console.webhooks.sending."""
    sending.dispatch()


@shared_task
def count_traffic():
    """Counts the hours in which something came or went since; running it twice, or two at once, changes nothing."""
    try:
        counting.run(seconds=30)  # a task has sixty; the next goes on
    except OperationalError as error:
        log.warning("the traffic was not counted this time: %s", str(error).partition("\n")[0])
