"""Reasons, and the measures that are milder than a ban: strikes and notes."""

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone

from moderation.models.players import Player
from moderation.models.shared import number_of, stem

STRIKE_DAYS = 90  # after that a strike is history: what phpBB and ROOST Coop let warnings weigh (peers, row 13)


class ReasonQuerySet(models.QuerySet):
    def meant_for(self, verb):
        """In use, and for this verb (a name; "" for any)."""
        mine = self.filter(is_active=True)
        return mine.filter(Q(verbs=[]) | Q(verbs__contains=[verb])) if verb else mine


def strike_ends():
    return timezone.now() + timedelta(days=STRIKE_DAYS)


class Reason(models.Model):
    """A canned reason: its code is what entries and scripts hold. Stored retired and put in use by a recorded change,
    as bans are.
    """

    code = models.SlugField(max_length=32, unique=True)
    label = models.CharField(max_length=80)
    text = models.TextField(blank=True, help_text="What the player may be told.")
    verbs = ArrayField(models.CharField(max_length=64), default=list, blank=True, help_text="Empty: for all.")
    position = models.PositiveSmallIntegerField(default=100)
    is_active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=0)

    objects = ReasonQuerySet.as_manager()

    class Meta:
        ordering = ["position", "label"]

    def __str__(self):
        return self.label

    def get_absolute_url(self):
        return f"{stem('moderation:reason')}{self.pk}/"

    @property
    def standing(self):
        return "in use" if self.is_active else "retired"


class StrikeQuerySet(models.QuerySet):
    def weighing(self):
        return self.filter(withdrawn_at=None, expires_at__gt=timezone.now())


class Strike(models.Model):
    """A warning that counts against a player by its weight until it expires. Stored withdrawn and put in force by a
    recorded change, as bans are.
    """

    WEIGHTS = [(1, "1, as a warning does"), (2, "2, for what is serious"), (3, "3, for what nearly took a ban")]

    player = models.ForeignKey(Player, models.CASCADE, related_name="strikes_given", db_index=False)
    reason = models.CharField(max_length=32)
    weight = models.PositiveSmallIntegerField(choices=WEIGHTS, default=1, db_default=1)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(default=strike_ends)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0)

    objects = StrikeQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["player", "-created_at"], name="strike_player")]

    def __str__(self):
        return f"the strike against {self.player}"

    @property
    def standing(self):
        return "withdrawn" if self.withdrawn_at else "in force"

    @property
    def state(self):
        expired = self.expires_at <= timezone.now()
        return "withdrawn" if self.withdrawn_at else "expired" if expired else "active"

    @classmethod
    def after_change(cls, strikes):
        """The ledger calls this when strikes came or went: each player's lifetime number follows."""
        players = Player.objects.filter(pk__in={strike.player_id for strike in strikes})
        standing = cls.objects.filter(player=OuterRef("pk"), withdrawn_at=None).order_by().values("player")
        players.update(strikes=number_of(standing))


class Note(models.Model):
    """What staff tell each other about a player. Stored withdrawn and put there by a recorded change, as bans are."""

    player = models.ForeignKey(Player, models.CASCADE, related_name="notes")
    author = models.ForeignKey("console.User", models.PROTECT, null=True, related_name="+")
    text = models.TextField()
    created_at = models.DateTimeField(db_default=Now())
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0)

    def __str__(self):
        return f"the note on {self.player}"

    @property
    def standing(self):
        return "withdrawn" if self.withdrawn_at else "in place"
