"""Where events come from, and the events."""

from django.db import models
from django.db.models.functions import Now
from django.urls import reverse

from console.sharedsecret import SharedSecret


class Source(SharedSecret):
    """Somebody who may send events: whoever signs with its secret. It counts from `made_at` until it is retired.

    `secret` and `previous_secret` are locked (console.atrest), and change without being on record; all else by verbs.
    """

    PURPOSE = "console.received"
    ACTIVE, RETIRED = "active", "retired"

    name = models.CharField(max_length=80)
    made_at = models.DateTimeField("beginning", null=True, blank=True)
    retired_at = models.DateTimeField("end", null=True, blank=True)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return self.name or f"source {self.pk}"

    def get_absolute_url(self):
        return reverse("console:source", args=[self.pk])

    @property
    def personal_label(self):
        """What the ledger calls it."""
        return self.name

    @property
    def is_active(self):
        return self.made_at is not None and self.retired_at is None

    @property
    def state(self):
        return self.ACTIVE if self.is_active else self.RETIRED

    standing = state


class Received(models.Model):
    """An event that came. `message` is its `webhook-id`, by which it is known when it comes again; `about` is the
    portal's name for what it is about. `data` is let go of after a while, and with it the means to take it in again.
    """

    WAITING, PROCESSED, FAILED = "waiting", "processed", "failed"
    STATES = [(s, s.capitalize()) for s in (WAITING, PROCESSED, FAILED)]

    source = models.ForeignKey(Source, models.PROTECT, related_name="received", db_index=False)
    message = models.CharField(max_length=200)
    type = models.CharField(max_length=64)
    about = models.CharField(max_length=200, blank=True)
    sent_at = models.DateTimeField(help_text="By the sender's clock.")
    data = models.JSONField(null=True)
    at = models.DateTimeField(db_default=Now())
    state = models.CharField(max_length=16, choices=STATES, default=WAITING)
    status = models.CharField(max_length=16, blank=True, help_text="What came of it.")
    error = models.TextField(blank=True)
    processed_at = models.DateTimeField(null=True, blank=True)
    replayed_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name, verbose_name_plural = "received event", "received events"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["source", "message"], name="received_once")]
        indexes = [
            models.Index(fields=["source", "id"], name="received_waiting", condition=models.Q(state="waiting")),
            models.Index(fields=["state", "-id"], name="received_state"),
            models.Index(fields=["source", "about", "id"], name="received_about"),
            # whose data is to be let go of
            models.Index(fields=["processed_at"], name="received_kept", condition=models.Q(data__isnull=False)),
            models.Index(fields=["at"], name="received_at"),
        ]

    def __str__(self):
        return f"event {self.pk}"

    def get_absolute_url(self):
        return reverse("console:received_event", args=[self.pk])

    @property
    def standing(self):
        return self.state

    @property
    def can_be_replayed(self):
        return self.state != self.WAITING and self.data is not None
