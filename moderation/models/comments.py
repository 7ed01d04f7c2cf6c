"""What players say, and what others say about that."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Prefetch
from django.db.models.functions import Now
from django.utils import timezone

from moderation.models.players import Player
from moderation.models.shared import stem
from moderation.text import fold

CARD_REPORTS = 3


class CommentQuerySet(models.QuerySet):
    def for_cards(self):
        """With everything a card shows, by one query for its authors and one for the newest words of reports."""
        return self.select_related("game", "blocked_by__player").prefetch_related(
            Prefetch("player", Player.objects.with_standing()),
            Prefetch("reports", Report.objects.exclude(words="").order_by("-pk")[:CARD_REPORTS], to_attr="said"),
        )


class Comment(models.Model):
    PENDING, APPROVED, REJECTED = "pending", "approved", "rejected"
    STATUSES = [(s, s.capitalize()) for s in (PENDING, APPROVED, REJECTED)]
    EVENT_IDS = ("player", "game")

    external_id = models.CharField(max_length=200)
    # both lead an index of their own below
    player = models.ForeignKey(Player, models.CASCADE, related_name="comments", db_index=False)
    game = models.ForeignKey("games.Game", models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    body = models.TextField(help_text="Kept exactly as it was sent.")
    status = models.CharField(max_length=8, choices=STATUSES, default=PENDING)
    created_at = models.DateTimeField(default=timezone.now)
    ip = models.GenericIPAddressField(null=True, blank=True)
    report_count = models.PositiveIntegerField(default=0)
    # what turned it away when it came in, if a ban did
    blocked_by = models.ForeignKey("Ban", models.SET_NULL, null=True, related_name="blocked", db_index=False)
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
            # who wrote from where: a range of addresses is a network (moderation.networks)
            models.Index(
                fields=["ip", "created_at"], name="comment_address", include=["player"], condition=~models.Q(ip=None)
            ),
            models.Index(fields=["blocked_by"], name="comment_blocked", condition=~models.Q(blocked_by=None)),
        ]

    def __str__(self):
        return f"comment {self.pk}"

    def get_absolute_url(self):
        return f"{stem('moderation:comment')}{self.pk}/"

    @property
    def standing(self):
        return self.get_status_display().lower()

    def event_of(self, before, after):
        """What portals are told of this change (console.outbox)."""
        return f"comment.{after['status']}" if "status" in after else ""


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
