"""Background housekeeping of the shell."""

from celery import shared_task
from django.core.management import call_command


@shared_task
def sweep_sessions():
    """Removes sessions that have expired; running it twice does nothing."""
    call_command("clearsessions")
