"""People of the portal and what they say. Rows change through actions.py only."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Now, Upper
from django.urls import reverse
from django.utils import timezone

from moderation.text import fold


class Player(models.Model):
    """A portal account. `strikes` is the lifetime number; `comment_count` is kept by intake."""

    PERSONAL_FIELDS = ("username", "email", "bio", "last_ip")

    external_id = models.CharField(max_length=200, unique=True)
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

    class Meta:
        indexes = [
            # names are searched without case: from the start with two letters, anywhere with three
            models.Index(OpClass(Upper("username"), name="text_pattern_ops"), name="player_name_start"),
            GinIndex(OpClass(Upper("username"), name="gin_trgm_ops"), name="player_name_anywhere"),
        ]
        permissions = [("warn_player", "Can warn players"), ("note_player", "Can leave notes on players")]

    def __str__(self):
        return self.username

    @property
    def personal_label(self):
        return self.username


class CommentQuerySet(models.QuerySet):
    def for_cards(self):
        """With everything a card shows: two joins, no further query."""
        return self.select_related("player", "game")


class Comment(models.Model):
    PENDING, APPROVED, REJECTED = "pending", "approved", "rejected"
    STATUSES = [(s, s.capitalize()) for s in (PENDING, APPROVED, REJECTED)]

    external_id = models.CharField(max_length=200, unique=True)
    player = models.ForeignKey(Player, models.CASCADE, related_name="comments")
    game = models.ForeignKey("games.Game", models.SET_NULL, null=True, blank=True, related_name="+")
    body = models.TextField(help_text="Kept exactly as it was sent.")
    status = models.CharField(max_length=8, choices=STATUSES, default=PENDING)
    created_at = models.DateTimeField(default=timezone.now)
    ip = models.GenericIPAddressField(null=True, blank=True)
    report_count = models.PositiveIntegerField(default=0)
    fingerprint = models.BigIntegerField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0)

    objects = CommentQuerySet.as_manager()

    class Meta:
        permissions = [("moderate_comment", "Can approve and reject comments")]
        indexes = [
            # each order of the list, over everything and by status; what is pending is a sliver of the table
            models.Index(fields=["created_at", "id"], name="comment_time"),
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
        return reverse("moderation:comment", args=[self.pk])


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


class Ban(models.Model):
    """A ban of a player or of a network; in force from `starts_at` until it expires or is lifted."""

    player = models.ForeignKey(Player, models.CASCADE, null=True, blank=True, related_name="bans")
    network = models.GenericIPAddressField(null=True, blank=True)
    reason = models.CharField(max_length=32)
    note = models.TextField(blank=True)
    starts_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0)

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
        return f"ban {self.pk}"


class Note(models.Model):
    """What staff tell each other about a player."""

    player = models.ForeignKey(Player, models.CASCADE, related_name="notes")
    author = models.ForeignKey("console.User", models.PROTECT, related_name="+")
    text = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self):
        return f"note {self.pk}"
