"""Housekeeping of moderation."""

from celery import shared_task

from moderation import reasons


@shared_task
def count_reasons():
    """Counts anew how often each reason was given; see reasons.count."""
    reasons.count()
