"""What Celery runs. Messages carry ids; long work is a job (console.jobs), the rest housekeeping."""

import logging

from celery import shared_task
from django.core.management import call_command
from django.db import OperationalError

from console import anchor, jobs, sealing

log = logging.getLogger("attendant.ledger")


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
    """Removes sessions that have expired; running it twice does nothing."""
    call_command("clearsessions")


@shared_task
def seal_ledger():
    """Seals what was decided since, and writes the head to its second place; running it twice does nothing."""
    try:
        sealing.run()
    except OperationalError as error:
        log.warning("the ledger was not sealed this time: %s", str(error).partition("\n")[0])
    anchor.write()
