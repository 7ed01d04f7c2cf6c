"""Bans of players and of networks, and exceptions from the latter."""

from django.conf import settings
from django.contrib.postgres.indexes import GistIndex, OpClass
from django.db import models
from django.db.models import Q
from django.utils import timezone

from console import masking
from moderation.models.players import Player
from moderation.models.shared import stem
from moderation.networks import NetworkField, printed


class BanQuerySet(models.QuerySet):
    def in_force(self):
        """By the clock: nothing has to run for a ban to begin or to end."""
        return self.open().filter(held=False, starts_at__lte=timezone.now())

    def open(self):
        """Those that have effect, or will have."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), lifted_at=None)

    def waiting(self):
        """Those that begin later, and those that wait for a second person."""
        return self.open().filter(Q(held=True) | Q(starts_at__gt=timezone.now()))

    def for_rows(self):
        return self.select_related("player", "asked_by", "approved_by")


class Ban(models.Model):
    """A ban of a player or of a network; in force from `starts_at` until it expires or is lifted.

    It is stored lifted and put in force by one recorded change, so that undo need not delete anything. While it is
    `held` it waits for a second person and has no effect. Of networks, the most specific entry wins; one that
    `allow`s is an exception from wider bans.
    """

    WAITING, ACTIVE, LIFTED, EXPIRED = "waiting", "active", "lifted", "expired"
    STATES = [(s, s.capitalize()) for s in (WAITING, ACTIVE, LIFTED, EXPIRED)]
    EVENT_IDS = ("player",)

    player = models.ForeignKey(Player, models.CASCADE, null=True, blank=True, related_name="bans", db_index=False)
    network = NetworkField(null=True, blank=True)
    shortened = models.BooleanField(default=False, db_default=False, help_text="It was of an address in the network.")
    allow = models.BooleanField(default=False, db_default=False)
    reason = models.CharField(max_length=32)
    note = models.TextField(blank=True, db_default="")
    reject_pending = models.BooleanField(default=False, db_default=False)
    games_down = models.BooleanField(default=False, db_default=False)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    held = models.BooleanField("waiting for a second person", default=False, db_default=False)
    starts_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField("end", null=True, blank=True)
    lifted_at = models.DateTimeField("lifting", null=True, blank=True)
    version = models.PositiveIntegerField(default=0)

    objects = BanQuerySet.as_manager()

    class Meta:
        permissions = [
            ("ban_player", "Can ban players for up to 7 days"),
            ("ban_player_long", "Can ban players for longer, and take their games down"),
            ("ban_network", "Can ban networks"),
            ("ban_network_wide", "Can ban wide networks"),
            ("lift_ban", "Can lift and change bans"),
        ]
        indexes = [
            models.Index(fields=["player", "-starts_at"], name="ban_player"),
            # which bans cover an address: 0.1 ms among 100,000, where no ordinary index serves (security.md 8)
            GistIndex(OpClass("network", name="inet_ops"), name="ban_network", condition=Q(network__isnull=False)),
            models.Index(fields=["starts_at", "id"], name="ban_time"),
            models.Index(fields=["expires_at", "id"], name="ban_ending", condition=Q(lifted_at=None)),
            models.Index(fields=["starts_at", "id"], name="ban_exception", condition=Q(allow=True)),
            models.Index(fields=["id"], name="ban_held", condition=Q(held=True, lifted_at=None)),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(player__isnull=False) ^ models.Q(network__isnull=False),
                name="ban_one_target",
            )
        ]

    def __str__(self):
        return f"the {self.kind} {self.whom}"

    def get_absolute_url(self):
        return f"{stem('moderation:ban_detail')}{self.pk}/"

    @property
    def kind(self):
        return "exception for" if self.allow else "ban of"

    @property
    def whom(self):
        """Who or what it is about, as people write it."""
        return self.shown()

    def shown(self, whole=True):
        """The same, for somebody who sees addresses masked unless `whole`."""
        if self.player_id:
            return self.player.username
        return f"an address in {self.network}" if self.shortened else masking.address(printed(self.network), whole)

    @property
    def personal_label(self):
        """Of a network, what the ledger calls it; who a player is, is said by the entry on the player."""
        return self.shown() if self.network else ""

    @property
    def state(self):
        now = timezone.now()
        if self.lifted_at:
            return self.LIFTED
        if self.expires_at and self.expires_at <= now:
            return self.EXPIRED
        return self.WAITING if self.held or self.starts_at > now else self.ACTIVE

    standing = state

    @property
    def is_open(self):
        """Whether it has effect, or will have."""
        return self.state in (self.WAITING, self.ACTIVE)

    def event_of(self, before, after):
        """What portals are told of this change (console.outbox): that it bites from now on or from `starts_at`, that it
        ends at another time, or that it was lifted. What begins or ends by the clock was told with its times before.
        """
        if self.allow:
            return ""
        bit = before.get("lifted_at", self.lifted_at) is None and not before.get("held", self.held)
        bites = self.lifted_at is None and not self.held
        if bit == bites and not (bites and "expires_at" in after):
            return ""
        return f"{'player' if self.player_id else 'network'}.{'banned' if bites else 'unbanned'}"

    def hinders(self, values, by):
        """Why an undo by this person may not give it these values (as encoded), in words; "" if it may.

        A lifted ban does not come back beside another: a player has one in force at most. And what takes a second
        person takes one by way of undo, too.
        """
        from moderation import second

        if self.shortened:
            return "the address it was of is not kept any more"
        comes_back = "lifted_at" in values and values["lifted_at"] is None
        if comes_back and self.player_id and self.player.bans.in_force().exclude(pk=self.pk).exists():
            return "another has taken its place since"
        return second.against_undo(self, values, by)
