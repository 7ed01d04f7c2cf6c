"""Housekeeping of moderation."""

from celery import shared_task

from moderation import reasons
from moderation.mails import sending


@shared_task
def count_reasons():
    """Counts anew how often each reason was given; see reasons.count."""
    reasons.count()


@shared_task
def sweep_mails():
    """Removes what was told long ago; see moderation.mails.sending.sweep."""
    sending.sweep()
