"""What players are told by mail, as far as the console has to remember it (moderation.mails)."""

from django.db import models
from django.db.models.functions import Now

from moderation.models.players import Player


class Notice(models.Model):
    """What a player was told last about one thing, and whether there may be news about it.

    `topic` and `target` say which thing; `said` is the topic's own word for what was told, "" for nothing yet.
    """

    # leads the constraint below
    player = models.ForeignKey(Player, models.CASCADE, related_name="notices", db_index=False)
    topic = models.CharField(max_length=16)
    target = models.BigIntegerField()
    said = models.CharField(max_length=40, blank=True, db_default="")
    waiting = models.BooleanField(default=True)
    corrects = models.BooleanField(default=False, help_text="The news takes back something that was told.")
    changed_at = models.DateTimeField(db_default=Now(), help_text="When there was news last.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["player", "topic", "target"], name="notice_once")]
        indexes = [
            models.Index(fields=["player"], name="notice_waiting", condition=models.Q(waiting=True)),
            models.Index(fields=["changed_at"], name="notice_time"),
        ]

    def __str__(self):
        return f"notice {self.pk}"


class Mailing(models.Model):
    """That a mail left for a player, or that its address was refused for good: then a keyed hash of that."""

    player = models.ForeignKey(Player, models.CASCADE, related_name="mailings", db_index=False)
    at = models.DateTimeField(db_default=Now())
    refused = models.CharField(max_length=64, blank=True, db_default="")

    class Meta:
        verbose_name = "mail"
        indexes = [
            models.Index(fields=["player", "-at"], name="mailing_player"),
            models.Index(fields=["at"], name="mailing_time"),
        ]

    def __str__(self):
        return f"mailing {self.pk}"
