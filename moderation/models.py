"""People of the portal and what they say. Rows change through actions.py only."""

from datetime import timedelta
from functools import cache

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Count, F, OuterRef, Prefetch, Q, Subquery
from django.db.models.functions import Coalesce, Now, Upper
from django.urls import reverse
from django.utils import timezone

from moderation.text import fold

STRIKE_DAYS = 90  # after that a strike is history: what phpBB and ROOST Coop let warnings weigh (peers, row 13)


@cache
def _stem(name):
    """What the addresses of all rows of a kind begin with: to resolve each takes longer than to draw its card."""
    return reverse(name, args=[0]).removesuffix("0/")


class PlayerQuerySet(models.QuerySet):
    def with_standing(self):
        """With the ban in force, strikes that still weigh, and how many comments were approved and rejected.

        Correlated subqueries: each runs for the rows that are returned, never for the table.
        """
        bans = Ban.objects.in_force().filter(player=OuterRef("pk"))
        bans = bans.order_by(F("expires_at").desc(nulls_first=True))
        mine = Comment.objects.filter(player=OuterRef("pk")).order_by().values("player")
        strikes = Strike.objects.weighing().filter(player=OuterRef("pk")).order_by().values("player")
        return self.annotate(
            ban_in_force=Subquery(bans.values("pk")[:1]),
            banned_until=Subquery(bans.values("expires_at")[:1]),
            active_strikes=_number_of(strikes),
            approved=_number_of(mine.filter(status=Comment.APPROVED)),
            rejected=_number_of(mine.filter(status=Comment.REJECTED)),
        )

    def for_verbs(self):
        """With what decides whether a verb is legal."""
        bans = Ban.objects.in_force().filter(player=OuterRef("pk"))
        return self.annotate(ban_in_force=Subquery(bans.values("pk")[:1]))


def _number_of(grouped):
    return Coalesce(Subquery(grouped.annotate(number=Count("pk")).values("number")), 0)


class Player(models.Model):
    """A portal account. `strikes` is the lifetime number; `comment_count` is kept by intake."""

    PERSONAL_FIELDS = ("username", "email", "bio", "last_ip")

    external_id = models.CharField(max_length=200)
    username = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    bio = models.TextField(blank=True)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    last_ip = models.GenericIPAddressField(null=True, blank=True)
    recent_game = models.ForeignKey("games.Game", models.SET_NULL, null=True, blank=True, related_name="+")
    comment_count = models.PositiveIntegerField(default=0)
    strikes = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField(default=0)

    objects = PlayerQuerySet.as_manager()

    class Meta:
        indexes = [
            # names are searched without case: from the start with two letters, anywhere with three
            models.Index(OpClass(Upper("username"), name="text_pattern_ops"), name="player_name_start"),
            GinIndex(OpClass(Upper("username"), name="gin_trgm_ops"), name="player_name_anywhere"),
        ]
        # unique by a constraint: a unique field would bring an index for LIKE, which every decision makes anew
        constraints = [models.UniqueConstraint(fields=["external_id"], name="player_external_id")]
        permissions = [("warn_player", "Can warn players"), ("note_player", "Can leave notes on players")]

    def __str__(self):
        return self.username

    def get_absolute_url(self):
        return f"{_stem('moderation:player')}{self.pk}/"

    @property
    def personal_label(self):
        return self.username

    @property
    def is_banned(self):
        """Whether a ban is in force; without a query when the row was loaded with it."""
        if "ban_in_force" in self.__dict__:
            return self.ban_in_force is not None
        return self.bans.in_force().exists()

    @property
    def state(self):
        return "banned" if self.is_banned else "active" if self.is_active else "inactive"

    standing = state


CARD_REPORTS = 3


class CommentQuerySet(models.QuerySet):
    def for_cards(self):
        """With everything a card shows, by one query for its authors and one for the newest words of reports."""
        return self.select_related("game").prefetch_related(
            Prefetch("player", Player.objects.with_standing()),
            Prefetch("reports", Report.objects.exclude(words="").order_by("-pk")[:CARD_REPORTS], to_attr="said"),
        )


class Comment(models.Model):
    PENDING, APPROVED, REJECTED = "pending", "approved", "rejected"
    STATUSES = [(s, s.capitalize()) for s in (PENDING, APPROVED, REJECTED)]

    external_id = models.CharField(max_length=200)
    # both lead an index of their own below
    player = models.ForeignKey(Player, models.CASCADE, related_name="comments", db_index=False)
    game = models.ForeignKey("games.Game", models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    body = models.TextField(help_text="Kept exactly as it was sent.")
    status = models.CharField(max_length=8, choices=STATUSES, default=PENDING)
    created_at = models.DateTimeField(default=timezone.now)
    ip = models.GenericIPAddressField(null=True, blank=True)
    report_count = models.PositiveIntegerField(default=0)
    fingerprint = models.BigIntegerField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0)

    objects = CommentQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["external_id"], name="comment_external_id")]
        permissions = [("moderate_comment", "Can approve and reject comments")]
        indexes = [
            # each order of the list, over everything and by status; what is pending is a sliver of the table
            models.Index(fields=["created_at", "id"], name="comment_time"),
            # of one player: the latest, and how many in each state without looking at the table
            models.Index(fields=["player", "created_at", "id"], name="comment_player", include=["status"]),
            models.Index(fields=["game", "created_at", "id"], name="comment_game"),
            models.Index(
                fields=["status", "created_at", "id"], name="comment_decided", condition=~models.Q(status="pending")
            ),
            models.Index(fields=["report_count", "created_at", "id"], name="comment_reports"),
            models.Index(
                fields=["status", "report_count", "created_at", "id"],
                name="comment_decided_reports",
                condition=~models.Q(status="pending"),
            ),
            models.Index(fields=["created_at", "id"], name="comment_pending", condition=models.Q(status="pending")),
            models.Index(
                fields=["report_count", "created_at", "id"],
                name="comment_pending_reports",
                condition=models.Q(status="pending"),
            ),
        ]

    def __str__(self):
        return f"comment {self.pk}"

    def get_absolute_url(self):
        return f"{_stem('moderation:comment')}{self.pk}/"

    @property
    def standing(self):
        return self.get_status_display().lower()


class CommentText(models.Model):
    """What search looks through. A table of its own: an index on comments would be remade by every decision."""

    comment = models.OneToOneField(Comment, models.CASCADE, primary_key=True, related_name="text")
    folded = models.TextField()

    class Meta:
        indexes = [GinIndex(OpClass("folded", name="gin_trgm_ops"), name="comment_text")]

    def __str__(self):
        return f"text of comment {self.comment_id}"

    @classmethod
    def of(cls, comment):
        return cls(comment=comment, folded=fold(comment.body))


class Report(models.Model):
    """A player's complaint about a comment."""

    comment = models.ForeignKey(Comment, models.CASCADE, related_name="reports")
    player = models.ForeignKey(Player, models.SET_NULL, null=True, related_name="reports_made")
    words = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self):
        return f"report {self.pk}"


class Reason(models.Model):
    """A canned reason: its code is what entries and scripts hold."""

    code = models.SlugField(max_length=32, unique=True)
    label = models.CharField(max_length=80)
    text = models.TextField(blank=True, help_text="What the player may be told.")
    position = models.PositiveSmallIntegerField(default=100)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["position", "label"]

    def __str__(self):
        return self.label


class BanQuerySet(models.QuerySet):
    def in_force(self):
        now = timezone.now()
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), lifted_at=None, starts_at__lte=now)


class Ban(models.Model):
    """A ban of a player or of a network; in force from `starts_at` until it expires or is lifted.

    It is stored lifted and put in force by one recorded change, so that undo need not delete anything.
    """

    WAITING, ACTIVE, LIFTED, EXPIRED = "waiting", "active", "lifted", "expired"

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

    def may_become(self, values):
        """A lifted ban does not come back beside another: a player has one in force at most."""
        comes_back = "lifted_at" in values and values["lifted_at"] is None
        return not (comes_back and self.player_id and self.player.bans.in_force().exclude(pk=self.pk).exists())


class StrikeQuerySet(models.QuerySet):
    def weighing(self):
        since = timezone.now() - timedelta(days=STRIKE_DAYS)
        return self.filter(withdrawn_at=None, created_at__gt=since)


class Strike(models.Model):
    """A warning that counts against a player. Stored withdrawn and put in force by a recorded change, as bans are."""

    player = models.ForeignKey(Player, models.CASCADE, related_name="strikes_given", db_index=False)
    reason = models.CharField(max_length=32)
    created_at = models.DateTimeField(default=timezone.now)
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

    @classmethod
    def after_change(cls, strikes):
        """The ledger calls this when strikes came or went: each player's lifetime number follows."""
        players = Player.objects.filter(pk__in={strike.player_id for strike in strikes})
        standing = cls.objects.filter(player=OuterRef("pk"), withdrawn_at=None).order_by().values("player")
        players.update(strikes=_number_of(standing))


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
