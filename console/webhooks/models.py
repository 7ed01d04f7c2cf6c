"""Endpoints of portals, what each is to be told, and every try at it."""

import uuid

from django.db import models
from django.db.models.functions import Now
from django.urls import reverse

from console.sharedsecret import SharedSecret

EVENTS = {  # what portals can be told, as they are asked on the form
    "comment.approved": "A comment may be shown.",
    "comment.rejected": "A comment is not to be shown, or not any more.",
    "comment.pending": "A decision on a comment was taken back: it waits again.",
    "player.banned": "A player may not take part until the ban ends.",
    "player.unbanned": "A ban of a player was lifted before its end.",
    "network.banned": "Nobody from an address or network may take part until the ban ends.",
    "network.unbanned": "A ban of a network was lifted before its end.",
    "game.published": "A game is live, or another build of it is.",
    "game.unpublished": "A game is not to be shown any more.",
    "build.ready": "An uploaded build was processed and can be published.",
    "build.failed": "An uploaded build could not be processed; the event says why.",
}


class Webhook(SharedSecret):
    """An endpoint. It counts from `added_at` on: what happened before is none of its affairs.

    `secret` and `previous_secret` are locked (console.atrest); they and how the endpoint fares (`failing_since`,
    `failures`, `resting_until`, `delivered_at`) change without an entry, all else by verbs.
    """

    PURPOSE = "console.webhooks"
    LOCKED_LIGHTLY = True  # deliveries may be added while a verb is at it
    DISABLED, FAILING, ACTIVE, REMOVED = "disabled", "failing", "active", "removed"

    name = models.CharField(max_length=80)
    url = models.CharField("address", max_length=2000)
    events = models.JSONField(default=list, blank=True, help_text="Names; none: all there are.")
    added_at = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    why_disabled = models.CharField(max_length=200, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    tested_at = models.DateTimeField(null=True, blank=True)
    replayed_at = models.DateTimeField(null=True, blank=True, help_text="When all that failed was last sent again.")
    delivered_at = models.DateTimeField(null=True, blank=True, help_text="When it last took something; about.")
    failing_since = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0, help_text="In a row, that say it should be left in peace.")
    resting_until = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ("view",)
        verbose_name, verbose_name_plural = "endpoint", "endpoints"

    def __str__(self):
        return self.name or f"endpoint {self.pk}"

    def get_absolute_url(self):
        return reverse("console:webhook", args=[self.pk])

    @property
    def personal_label(self):
        """What the ledger calls it."""
        return self.name

    @property
    def is_there(self):
        return self.added_at is not None and self.removed_at is None

    @property
    def state(self):
        if not self.is_there:
            return self.REMOVED
        if not self.is_active:
            return self.DISABLED
        return self.FAILING if self.failing_since else self.ACTIVE

    standing = state


class DeliveryManager(models.Manager):
    def for_verbs(self):
        """With what says whether it may be replayed."""
        return self.select_related("webhook")


class Delivery(models.Model):
    """That an endpoint is to be told of an event, and what came of it.

    `message` is the `webhook-id`: the event's own, so that it is known again however often it comes; of a test it is
    random, and there is no event. `attempts` counts all tries, `tries` those since it was last asked for.
    """

    WAITING, DELIVERED, FAILED, CANCELLED = "waiting", "delivered", "failed", "cancelled"
    STATES = [(s, s.capitalize()) for s in (WAITING, DELIVERED, FAILED, CANCELLED)]

    webhook = models.ForeignKey(Webhook, models.PROTECT, related_name="deliveries", db_index=False)
    event = models.ForeignKey("console.Event", models.CASCADE, null=True, related_name="deliveries")
    message = models.UUIDField(default=uuid.uuid4)
    at = models.DateTimeField(db_default=Now())
    state = models.CharField(max_length=9, choices=STATES, default=WAITING, db_default=WAITING)
    next_at = models.DateTimeField(db_default=Now(), help_text="Not to be tried before.")
    attempts = models.PositiveIntegerField(default=0, db_default=0)
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    delivered_at = models.DateTimeField(null=True, blank=True)
    code = models.PositiveSmallIntegerField(null=True, blank=True, help_text="The status last answered.")
    error = models.CharField(max_length=200, blank=True, db_default="")
    replayed_at = models.DateTimeField(null=True, blank=True)
    replayed_by = models.ForeignKey("console.User", models.PROTECT, null=True, related_name="+", db_index=False)
    version = models.PositiveIntegerField(default=0, db_default=0)

    objects = DeliveryManager()

    class Meta:
        default_permissions = ("view",)
        verbose_name, verbose_name_plural = "delivery", "deliveries"
        constraints = [models.UniqueConstraint(fields=["webhook", "event"], name="delivery_once")]
        indexes = [
            models.Index(fields=["webhook", "-id"], name="delivery_of_webhook"),
            # few at any time: what waits in the order of sending, and what failed
            models.Index(fields=["webhook", "next_at", "id"], name="delivery_due", condition=models.Q(state="waiting")),
            models.Index(fields=["webhook", "-id"], name="delivery_failed", condition=models.Q(state="failed")),
        ]

    def __str__(self):
        return f"delivery {self.pk}"

    def get_absolute_url(self):
        return reverse("console:delivery", args=[self.pk])

    @property
    def standing(self):
        return self.state

    @property
    def may_be_replayed(self):
        return self.state != self.WAITING and self.webhook.is_there and self.webhook.is_active

    @property
    def what(self):
        return self.event.name if self.event else "ping"


class Attempt(models.Model):
    """One try. Stored before anything is sent: one without an end was cut off, and the next comes by plan."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="log", db_index=False)
    number = models.PositiveIntegerField()
    at = models.DateTimeField(db_default=Now())
    took_ms = models.PositiveIntegerField(null=True, blank=True)
    code = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.TextField(blank=True, help_text="Its beginning.")
    error = models.CharField(max_length=200, blank=True)
    replayed_by = models.ForeignKey("console.User", models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="attempt_number")]

    def __str__(self):
        return f"attempt {self.number}"
