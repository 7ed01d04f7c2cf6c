"""A game of the portal. Builds and their pipeline come with uploads."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper


class Game(models.Model):
    PROCESSING, DRAFT, PUBLISHED, ARCHIVED, FAILED = "processing", "draft", "published", "archived", "failed"
    STATUSES = [(s, s.capitalize()) for s in (PROCESSING, DRAFT, PUBLISHED, ARCHIVED, FAILED)]

    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80, unique=True)
    status = models.CharField(max_length=16, choices=STATUSES, default=DRAFT)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [GinIndex(OpClass(Upper("title"), name="gin_trgm_ops"), name="game_title_anywhere")]

    def __str__(self):
        return self.title
