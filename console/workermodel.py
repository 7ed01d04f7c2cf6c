"""Processes that work in the background, as they say of themselves."""

from datetime import timedelta

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

MISSING_S = 30


class Worker(models.Model):
    """A Celery worker, or beat; there is one row for each name. `queues` are those it serves.

    A row in PostgreSQL, since Redis may vanish: `seen_at` is kept by console.workers while the process lives, and
    `ended_at` says that it ended as it should.
    """

    WORKER, BEAT = "worker", "beat"

    kind = models.CharField(max_length=8)
    name = models.CharField(max_length=100, unique=True)
    queues = models.JSONField(default=list)
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return self.name

    @property
    def is_missing(self):
        """Whether nothing was heard of it for MISSING_S, though it did not end as it should."""
        return self.ended_at is None and self.seen_at < timezone.now() - timedelta(seconds=MISSING_S)

    @property
    def state(self):
        if self.ended_at:
            return "ended"
        return "missing" if self.is_missing else "alive"
