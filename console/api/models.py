"""Tokens, and answers that are given again when the same request comes twice. console.models gathers them."""

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

SOON = timedelta(days=14)


class Token(models.Model):
    """What the portal shows to be let in. Of the secret itself only a digest is kept.

    It is stored revoked and put in force by one recorded change, so that no token is without an entry; once revoked
    it stays so. `last_used_at` is written once a minute at most, `first_taken_at` once.
    """

    ACTIVE, EXPIRED, REVOKED = "active", "expired", "revoked"

    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=16)
    digest = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.ForeignKey("console.User", models.PROTECT, null=True, related_name="+", db_index=False)
    expires_at = models.DateTimeField("end")
    last_used_at = models.DateTimeField(null=True, blank=True)
    first_taken_at = models.DateTimeField(null=True, blank=True, help_text="When a row that it sent was first taken.")
    revoked_at = models.DateTimeField("revocation", null=True, blank=True)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        app_label = "console"
        default_permissions = ("view",)
        permissions = [("manage_portal", "Can connect portals: tokens and webhooks")]

    def __str__(self):
        return self.name or f"token {self.pk}"

    def get_absolute_url(self):
        return reverse("console:token", args=[self.pk])

    @property
    def personal_label(self):
        return self.name

    @property
    def state(self):
        if self.revoked_at:
            return self.REVOKED
        return self.EXPIRED if self.expires_at <= timezone.now() else self.ACTIVE

    standing = state

    @property
    def ends_soon(self):
        return self.expires_at <= timezone.now() + SOON


class Idempotent(models.Model):
    """A request that came with an Idempotency-Key, and its answer once there is one (console.api.idempotency)."""

    token = models.ForeignKey(Token, models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    at = models.DateTimeField(db_default=Now(), db_index=True)
    lease_until = models.DateTimeField(help_text="Whoever works on it is given up then.")
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(blank=True, db_default="")

    class Meta:
        app_label = "console"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="idempotent_once")]

    def __str__(self):
        return f"request {self.pk}"
