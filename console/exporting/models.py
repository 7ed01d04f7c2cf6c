"""What left the console as a file, and files that wait to be fetched."""

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

QUEUED, RUNNING, READY, FAILED, CANCELLED, EXPIRED = "queued", "running", "ready", "failed", "cancelled", "expired"
_STATES = {
    "queued": QUEUED,
    "running": RUNNING,
    "done": READY,
    "failed": FAILED,
    "dead": FAILED,
    "cancelled": CANCELLED,
}


class Exports(models.Manager):
    def for_verbs(self):
        return self.select_related("job")


class Export(models.Model):
    """A list that left the console as a file. Stored empty, filled in by a recorded change; never undone.

    One with many rows is asked for (`asked_at`): a job writes its `file`, which `owner` may fetch until `expires_at`,
    while they hold the permissions that it was made with (`held`). What it was narrowed by is the note of the gesture
    that asked for it, and nowhere else: that is where erasing somebody looks.
    """

    what = models.CharField(max_length=64, blank=True)
    format = models.CharField(max_length=8, blank=True)
    number = models.PositiveIntegerField(null=True, blank=True, help_text="Of rows; empty: very many.")
    handed_out_at = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=32, blank=True, help_text="What is exported (console.exporting.sources).")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    asked_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    job = models.ForeignKey("console.Job", models.SET_NULL, null=True, blank=True, related_name="+")
    # what the job tells of its work
    file = models.CharField(max_length=100, blank=True, help_text="In the storage; empty: there is none.")
    size = models.PositiveBigIntegerField(null=True, blank=True, help_text="Bytes.")
    held = models.JSONField(default=list, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0)

    objects = Exports()

    class Meta:
        verbose_name = "list"
        indexes = [
            models.Index(fields=["owner", "-id"], name="export_owner", condition=~models.Q(owner=None)),
            models.Index(fields=["expires_at"], name="export_file", condition=~models.Q(file="")),
        ]

    def __str__(self):
        return f"list {self.personal_label}" if self.what else f"export {self.pk}"

    def get_absolute_url(self):
        return reverse("console:exported", args=[self.pk])

    @property
    def personal_label(self):
        return f"of {self.what} as {self.format.upper()}"

    @property
    def state(self):
        """Of one that was asked for."""
        state = _STATES[self.job.state] if self.job else EXPIRED
        if state == READY and self.file and self.expires_at is None:
            return RUNNING  # its job was read a moment later than the row itself
        if state == READY and (not self.file or self.expires_at <= timezone.now()):
            return EXPIRED
        return CANCELLED if self.cancelled_at else state

    standing = state

    @property
    def is_open(self):
        return self.state in (QUEUED, RUNNING)

    @property
    def is_ready(self):
        return self.state == READY
