"""Games, their builds, and what was found out about those. Staff change them through actions.py, the pipeline through
pipeline.py, both in the end by what a build's `state` says.
"""

import uuid

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import MD5, Now, Upper
from django.urls import reverse
from django.utils import timezone
from taggit.managers import TaggableManager

TAKEN_SINCE = "another has taken its place since"


class GameQuerySet(models.QuerySet):
    def for_verbs(self):
        """With what decides whether a verb is legal: the build that Publish would show to players."""
        return self.annotate(candidate_id=models.Subquery(_newest_ready().values("pk")[:1]))

    def for_rows(self):
        """With what a row of the list shows: author, and the newest build."""
        newest = Build.objects.filter(game=models.OuterRef("pk")).order_by("-number")
        return (
            self.for_verbs()
            .select_related("author", "current_build")
            .annotate(newest_build_id=models.Subquery(newest.values("pk")[:1]))
        )


def _newest_ready():
    ready = Build.objects.filter(game=models.OuterRef("pk"), state=Build.READY, changes_requested_at=None)
    return ready.order_by("-number")


class Game(models.Model):
    """A game of the portal. `current_build` is what is played: of a published game only Publish changes it."""

    PROCESSING, DRAFT, PUBLISHED, ARCHIVED, FAILED = "processing", "draft", "published", "archived", "failed"
    STATUSES = [(s, s.capitalize()) for s in (PROCESSING, DRAFT, PUBLISHED, ARCHIVED, FAILED)]
    EVENT_IDS = ("author", "current_build")
    TAKEN = {DRAFT: "taken down"}  # what a gesture on something else is said to have done to games

    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80, unique=True)
    description = models.TextField(blank=True, db_default="")
    tags = TaggableManager(blank=True)
    # leads an index of its own below
    author = models.ForeignKey(
        "moderation.Player", models.SET_NULL, null=True, blank=True, related_name="games", db_index=False
    )
    status = models.CharField(max_length=16, choices=STATUSES, default=DRAFT)
    current_build = models.ForeignKey("games.Build", models.PROTECT, null=True, blank=True, related_name="+")
    thumbnail = models.CharField(max_length=200, blank=True, db_default="", help_text="Its name in the storage.")
    touched_at = models.DateTimeField(db_default=Now(), help_text="When its newest build came.")
    version = models.PositiveIntegerField(default=0)

    objects = GameQuerySet.as_manager()

    class Meta:
        permissions = [
            ("upload_game", "Can upload games and cancel uploads"),
            ("publish_game", "Can publish and unpublish games"),
            ("archive_game", "Can archive and restore games"),
            ("review_build", "Can reject builds and request changes"),
            ("retry_build", "Can retry builds"),
        ]
        indexes = [
            GinIndex(OpClass(Upper("title"), name="gin_trgm_ops"), name="game_title_anywhere"),
            models.Index(fields=["touched_at", "id"], name="game_time"),
            models.Index(fields=["status", "touched_at", "id"], name="game_status"),
            models.Index(fields=["title", "id"], name="game_title"),
            models.Index(fields=["author", "touched_at", "id"], name="game_author"),
        ]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("games:game", args=[self.pk])

    @property
    def standing(self):
        return self.status

    def event_of(self, before, after):
        """What portals are told of this change (console.outbox); another build of a game they show counts, too."""
        if after.get("status", self.status) == self.PUBLISHED:
            return "game.published" if {"status", "current_build"} & set(after) else ""
        return "game.unpublished" if before.get("status") == self.PUBLISHED else ""

    @property
    def candidate(self):
        """The key of the build that Publish would show to players, or None; without a query when loaded with it."""
        if "candidate_id" not in self.__dict__:
            ready = self.builds.filter(state=Build.READY, changes_requested_at=None).order_by("-number")
            self.candidate_id = ready.values_list("pk", flat=True).first()
        return self.candidate_id

    @classmethod
    def lock_above(cls, pks):
        """Verbs lock games before they read which build is ready: somebody may be about to reject it."""
        list(cls.objects.select_for_update().filter(pk__in=pks).order_by("pk").values_list("pk"))

    def hinders(self, values, by=None):
        """For undo: why the game may not have these values, in words; "" if it may."""
        return "" if self._may_become(values) else TAKEN_SINCE

    def _may_become(self, values):
        """Undo brings no build back whose files were swept away, and shows players only what is ready for them."""
        pk = values.get("current_build", self.current_build_id)
        build = pk and Build.objects.filter(pk=pk).first()
        if build and build.swept_at:
            return False
        if values.get("status") == self.PROCESSING:
            return self.builds.filter(state__in=Build.PROCESSING).exists()
        if values.get("status") != self.PUBLISHED or not self.builds.exists():  # portals bring games without builds
            return True
        return bool(build) and build.published_at is not None and build.changes_requested_at is None


class BuildManager(models.Manager):
    def get_queryset(self):
        """Without the list of files, which may be a hundred times the rest; asking for it loads it."""
        return super().get_queryset().defer("files")

    def for_verbs(self):
        """With what decides whether a verb is legal."""
        return self.select_related("game")


class Build(models.Model):
    """One uploaded zip on its way to be played.

    `state` is the last stage that is behind it, or how it ended; `reached` remembers the stage when it ended early.
    `prefix` names its files in the storage and its host in the sandbox; nothing is ever written there again once it
    is ready. `files` lists what was unpacked as `[path, bytes, CRC-32]`.
    """

    RECEIVED, INSPECTED, UNPACKED, PICTURED, STORED, READY = (
        "received",
        "inspected",
        "unpacked",
        "pictured",
        "stored",
        "ready",
    )
    FAILED, REJECTED, CANCELLED, SUPERSEDED = "failed", "rejected", "cancelled", "superseded"
    PROCESSING = (RECEIVED, INSPECTED, UNPACKED, PICTURED, STORED)
    STAGES = (*PROCESSING[1:], READY)  # the steps, each named for what it leads to
    STATES = [(s, s.capitalize()) for s in (*PROCESSING, READY, FAILED, REJECTED, CANCELLED, SUPERSEDED)]
    EVENT_IDS = ("game",)

    # both lead an index of their own below
    game = models.ForeignKey(Game, models.CASCADE, related_name="builds", db_index=False)
    number = models.PositiveIntegerField(help_text="Counts the game's builds from 1.")
    zip = models.CharField(max_length=64, blank=True, help_text="Its name in quarantine.")
    zip_name = models.CharField(max_length=200, help_text="What the uploader called it.")
    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.PositiveBigIntegerField(help_text="Of the zip, in bytes.")
    unpacked = models.PositiveBigIntegerField(default=0, help_text="Of all files, in bytes.")
    state = models.CharField(max_length=16, choices=STATES, default=RECEIVED)
    reached = models.CharField(max_length=16, choices=STATES, default=RECEIVED)
    error = models.TextField(blank=True, help_text="Why it failed, in words.")
    prefix = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    files = models.JSONField(default=list)
    thumbnail = models.CharField(max_length=200, blank=True)
    uploaded_by = models.ForeignKey("console.User", models.PROTECT, null=True, related_name="+")
    uploaded_at = models.DateTimeField(db_default=Now())
    published_at = models.DateTimeField(null=True, blank=True, help_text="When players got it.")
    changes_requested_at = models.DateTimeField(null=True, blank=True)
    job = models.ForeignKey("console.Job", models.SET_NULL, null=True, blank=True, related_name="+")
    changed_at = models.DateTimeField(db_default=Now(), help_text="When a verb last changed it.")
    swept_at = models.DateTimeField(null=True, blank=True, help_text="When its files were removed.")
    version = models.PositiveIntegerField(default=0)

    objects = BuildManager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["game", "number"], name="build_number")]
        indexes = [models.Index(fields=["state", "id"], name="build_state")]

    def __str__(self):
        return f"build {self.number} of {self.game}"

    def get_absolute_url(self):
        return reverse("games:build", args=[self.pk])

    @property
    def standing(self):
        return self.state

    def event_of(self, before, after):
        """What portals are told of this change (console.outbox): how its processing ended."""
        return {self.READY: "build.ready", self.FAILED: "build.failed"}.get(after.get("state"), "")

    @property
    def is_processing(self):
        return self.state in self.PROCESSING

    @property
    def is_live(self):
        """Whether players play it now."""
        return self.game.status == Game.PUBLISHED and self.game.current_build_id == self.pk

    @property
    def is_playable(self):
        """Whether its files are all in the storage."""
        return self.state in (self.READY, self.REJECTED, self.SUPERSEDED) and self.swept_at is None

    @property
    def folder(self):
        """Where its files lie in the storage, with a slash at the end."""
        return f"builds/{self.prefix.hex}/"

    def still_is(self, name, now, then):
        """For undo: progress through the stages is not a decision that stands in its way."""
        return name == "state" and now in self.PROCESSING and then in self.PROCESSING

    def hinders(self, values, by=None):
        """For undo: why the build may not have these values, in words; "" if it may."""
        return "" if self._may_become(values) else TAKEN_SINCE

    def _may_become(self, values):
        """What was swept away cannot be played again, nor does a build go on whose zip is gone."""
        state = values.get("state")
        if state in self.PROCESSING:
            return bool(self.zip) and self.swept_at is None
        return not (state == self.READY and self.swept_at)

    @classmethod
    def lock_above(cls, pks):
        """Verbs lock the games of builds first: those on games lock these before builds, too."""
        list(Game.objects.select_for_update().filter(builds__in=pks).order_by("pk").values_list("pk"))

    @classmethod
    def after_change(cls, builds):
        """The ledger calls this: background work follows what the states say now."""
        from games.pipeline import keep_going

        cls.objects.filter(pk__in=[build.pk for build in builds]).update(changed_at=timezone.now())
        keep_going(builds)


class StageRun(models.Model):
    """One try at one stage of a build: its line in the build's log."""

    RUNNING, DONE, FAILED, LOST = "running", "done", "failed", "lost"

    build = models.ForeignKey(Build, models.CASCADE, related_name="log")
    name = models.CharField(max_length=16)
    attempt = models.PositiveSmallIntegerField()
    worker = models.CharField(max_length=100)
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=8, default=RUNNING)
    error = models.TextField(blank=True)

    def __str__(self):
        return f"{self.name} of {self.build}"


class Finding(models.Model):
    """Something a reviewer or the uploader should know about a build: from its zip, its pictures, or from playing it in
    the sandbox. `sentence` says what it is and what to do.
    """

    ARCHIVE, PICTURE, PLAY = "archive", "picture", "play"
    ERROR, WARNING, NOTE = "error", "warning", "note"

    build = models.ForeignKey(Build, models.CASCADE, related_name="findings")
    source = models.CharField(max_length=8)
    code = models.CharField(max_length=32)
    level = models.CharField(max_length=8, default=NOTE)
    path = models.CharField(max_length=300, blank=True)
    sentence = models.CharField(max_length=600)
    times = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint("build", "source", "code", MD5("path"), MD5("sentence"), name="finding_once")
        ]

    def __str__(self):
        return self.sentence
