"""Housekeeping of games."""

from celery import shared_task

from games import sweep


@shared_task
def sweep_builds():
    """Has files removed that nobody will ask for again; running it twice does nothing."""
    sweep.begin()
