"""What players say, and what others say about that."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Prefetch
from django.db.models.functions import Now
from django.utils import timezone

from moderation.models.players import Player
from moderation.models.shared import stem
from moderation.networks import AddressField
from moderation.text import fold

CARD_REPORTS = 3
LET_GO = "This text was deleted at the portal and is no longer kept."


class CommentQuerySet(models.QuerySet):
    def for_cards(self):
        """With everything a card shows, by one query for its authors and one for the newest words of reports."""
        return self.select_related("game", "blocked_by__player").prefetch_related(
            Prefetch("player", Player.objects.with_standing()),
            Prefetch("reports", Report.objects.exclude(words="").order_by("-pk")[:CARD_REPORTS], to_attr="said"),
        )


class Comment(models.Model):
    """What a player wrote. `deleted`: the portal took it back; staff read it until retention lets it go."""

    PENDING, APPROVED, REJECTED, DELETED = "pending", "approved", "rejected", "deleted"
    STATUSES = [(s, s.capitalize()) for s in (PENDING, APPROVED, REJECTED, DELETED)]
    EVENT_IDS = ("player", "game")

    external_id = models.CharField(max_length=200)
    # both lead an index of their own below
    player = models.ForeignKey(Player, models.CASCADE, related_name="comments", db_index=False)
    game = models.ForeignKey("games.Game", models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    body = models.TextField(help_text="Kept exactly as it was sent.")
    status = models.CharField(max_length=8, choices=STATUSES, default=PENDING)
    created_at = models.DateTimeField(default=timezone.now)
    ip = AddressField(null=True, blank=True)
    report_count = models.PositiveIntegerField(default=0)
    edits = models.PositiveIntegerField(default=0, db_default=0, help_text="How often the portal sent another text.")
    edited_at = models.DateTimeField(
        "last edit", null=True, blank=True, help_text="As the portal dated its last edit; or when it was deleted."
    )
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
            # of those whose address is whole, the oldest: what retention looks for every day
            models.Index(
                fields=["created_at"], name="comment_whole_address", condition=models.Q(ip__masklen__in=(32, 128))
            ),
            models.Index(fields=["blocked_by"], name="comment_blocked", condition=~models.Q(blocked_by=None)),
            # whose text is to be let go of (moderation.retention)
            models.Index(
                fields=["edited_at"],
                name="comment_deleted",
                condition=models.Q(status="deleted") & ~models.Q(body=LET_GO),
            ),
        ]

    def __str__(self):
        return f"comment {self.pk}"

    def get_absolute_url(self):
        return f"{stem('moderation:comment')}{self.pk}/"

    @property
    def standing(self):
        return self.get_status_display().lower()

    @property
    def was(self):
        """The newest earlier text that somebody had decided on, while the comment waits again; else None."""
        if not self.edits or self.status != self.PENDING:
            return None
        return self.earlier.exclude(status=self.PENDING).order_by("-pk").first()

    def event_of(self, before, after):
        """What portals are told of this change (console.outbox); that it was deleted they said themselves."""
        return f"comment.{after['status']}" if after.get("status", self.DELETED) != self.DELETED else ""


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


class CommentEdit(models.Model):
    """What a comment said before the portal sent another text, and what had been decided on that."""

    comment = models.ForeignKey(Comment, models.CASCADE, related_name="earlier", db_index=False)
    body = models.TextField()
    status = models.CharField(max_length=8, choices=Comment.STATUSES)
    at = models.DateTimeField(db_default=Now(), help_text="When the other text came.")

    class Meta:
        indexes = [
            models.Index(fields=["comment", "id"], name="edit_comment"),
            models.Index(fields=["at"], name="edit_at"),
        ]

    def __str__(self):
        return f"earlier text of comment {self.comment_id}"


class Report(models.Model):
    """A player's complaint about a comment."""

    # NULL for those that came without one: none is there twice
    external_id = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001
    comment = models.ForeignKey(Comment, models.CASCADE, related_name="reports")
    player = models.ForeignKey(Player, models.SET_NULL, null=True, related_name="reports_made")
    words = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["external_id"], name="report_external_id")]
        indexes = [models.Index(fields=["created_at"], name="report_time")]

    def __str__(self):
        return f"report {self.pk}"
