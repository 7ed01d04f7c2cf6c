"""Bans of players and of networks."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from moderation.models.players import Player


class BanQuerySet(models.QuerySet):
    def in_force(self):
        now = timezone.now()
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), lifted_at=None, starts_at__lte=now)


class Ban(models.Model):
    """A ban of a player or of a network; in force from `starts_at` until it expires or is lifted.

    It is stored lifted and put in force by one recorded change, so that undo need not delete anything.
    """

    WAITING, ACTIVE, LIFTED, EXPIRED = "waiting", "active", "lifted", "expired"
    EVENT_IDS = ("player",)

    player = models.ForeignKey(Player, models.CASCADE, null=True, blank=True, related_name="bans", db_index=False)
    network = models.GenericIPAddressField(null=True, blank=True)
    reason = models.CharField(max_length=32)
    note = models.TextField(blank=True)
    starts_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0)

    objects = BanQuerySet.as_manager()

    class Meta:
        permissions = [
            ("ban_player", "Can ban players for up to 7 days"),
            ("ban_player_long", "Can ban players for longer, and take their games down"),
            ("ban_network", "Can ban networks"),
            ("lift_ban", "Can lift bans"),
        ]
        indexes = [models.Index(fields=["player", "-starts_at"], name="ban_player")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(player__isnull=False) ^ models.Q(network__isnull=False),
                name="ban_one_target",
            )
        ]

    def __str__(self):
        return f"the ban of {self.player or self.network}"

    @property
    def state(self):
        now = timezone.now()
        if self.lifted_at:
            return self.LIFTED
        if self.expires_at and self.expires_at <= now:
            return self.EXPIRED
        return self.WAITING if self.starts_at > now else self.ACTIVE

    standing = state

    def event_of(self, before, after):
        """What portals are told of this change (console.outbox)."""
        if "lifted_at" not in after:
            return ""
        return f"{'player' if self.player_id else 'network'}.{'unbanned' if after['lifted_at'] else 'banned'}"

    def may_become(self, values):
        """A lifted ban does not come back beside another: a player has one in force at most."""
        comes_back = "lifted_at" in values and values["lifted_at"] is None
        return not (comes_back and self.player_id and self.player.bans.in_force().exclude(pk=self.pk).exists())
