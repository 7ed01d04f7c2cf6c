"""What the shell itself keeps: staff, flags and the ledger. It knows no domain noun."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.indexes import BrinIndex
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Cast, Now, Upper
from django.urls import reverse
from django.utils.functional import cached_property
from waffle.models import AbstractBaseFlag, AbstractUserFlag


class User(AbstractUser):
    """A staff account. Players of the portal are `moderation.Player`."""

    THEMES = [("", "As the device"), ("light", "Light"), ("dark", "Dark")]
    DENSITIES = [("", "Comfortable"), ("compact", "Compact")]

    theme = models.CharField(max_length=8, choices=THEMES, blank=True)
    density = models.CharField(max_length=8, choices=DENSITIES, blank=True)
    calm_media = models.BooleanField(default=True, help_text="Blur pictures until asked for.")
    shortcuts = models.BooleanField(default=True, help_text="Single-key shortcuts.")

    class Meta(AbstractUser.Meta):
        permissions = [("enter_console", "Can enter the console")]

    @property
    def display_name(self):
        return self.get_full_name() or self.username

    @property
    def initials(self):
        words = self.display_name.replace(".", " ").replace("_", " ").split()
        return "".join(word[0] for word in words[:2]).upper()

    @cached_property
    def group_names(self):
        """`{id: name}` of their groups; a person who signed in was loaded with them (console.accounts)."""
        return dict(self.groups.order_by("pk").values_list("pk", "name"))

    @property
    def role(self):
        """The first group's name, or Operator: a word for the header, never a permission check."""
        if self.is_superuser:
            return "Operator"
        return next((name for name in self.group_names.values() if name != "Beta"), "Staff")


class Flag(AbstractUserFlag):
    """waffle's flag with what it takes to get rid of it again."""

    STAGES = [(s, s) for s in ("off", "opt-in", "groups", "share", "everyone")]

    owner = models.CharField(max_length=80, blank=True)
    removal_date = models.DateField(null=True, blank=True)
    stage = models.CharField(max_length=8, choices=STAGES, default="off")

    @classmethod
    def get_from_db(cls, name):
        """With whom it is on for, so that the cache holds it all in one place; waffle empties that on every change."""
        flag = super().get_from_db(name)
        flag.whom  # noqa: B018
        return flag

    @cached_property
    def whom(self):
        """`(ids of users, ids of groups)`."""
        return set(self.users.values_list("pk", flat=True)), set(self.groups.values_list("pk", flat=True))

    def is_active_for_user(self, user):
        """As waffle's, without asking for the person's groups again."""
        if active := AbstractBaseFlag.is_active_for_user(self, user):
            return active
        users, groups = self.whom
        return True if user.pk in users or not groups.isdisjoint(user.group_names) else None


class Personal(models.Model):
    """A personal value the ledger points at. Erasing the row leaves the ledger whole and the value gone."""

    ref = models.CharField(max_length=64, primary_key=True)
    subject = models.CharField(max_length=80, db_index=True)
    kind = models.CharField(max_length=16)
    value = models.TextField()

    class Meta:
        indexes = [
            # what rows were called, and whence staff came
            models.Index(Upper("value"), name="personal_label", condition=models.Q(kind="label")),
            models.Index(fields=["ref"], name="personal_address", condition=models.Q(kind="address")),
        ]

    def __str__(self):
        return f"{self.kind} {self.ref[:8]}"


class Gesture(models.Model):
    """One click: one verb on one or many targets. Its id is the `batch` of its entries. Never changed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField(db_default=Now())
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="gestures", db_index=False)
    verb = models.CharField(max_length=64)
    idempotency_key = models.UUIDField()
    fingerprint = models.CharField(max_length=64)
    undoes = models.OneToOneField("self", models.PROTECT, null=True, related_name="undone_by")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["actor", "idempotency_key"], name="gesture_key_once", nulls_distinct=False)
        ]
        indexes = [
            models.Index(fields=["at", "id"], name="gesture_at"),
            models.Index(fields=["actor", "at", "id"], name="gesture_actor"),
            models.Index(fields=["verb", "at", "id"], name="gesture_verb"),
        ]

    def __str__(self):
        return f"{self.verb} {self.id}"

    @cached_property
    def first_entry_id(self):
        """The entry by which it is undone, or None; the ledger fills it in as it writes."""
        return self.entries.order_by("id").values_list("pk", flat=True).first()

    @cached_property
    def touched(self):
        """Labels of the models it has entries on, as they are in entries; filled in likewise."""
        return set(self.entries.order_by().values_list("target_type", flat=True).distinct())

    def get_undo_url(self):
        """Where it is undone; "" when it did nothing."""
        return reverse("console:undo", args=[self.first_entry_id]) if self.first_entry_id else ""


class Entry(models.Model):
    """One line of the ledger. The database refuses to change or remove it; `id` and `at` are the database's.

    `target_label`, `note` and `ip` hold a `Personal.ref` or nothing; `before` and `after` map field names to
    values as JSON, for exactly the fields that changed.
    """

    at = models.DateTimeField(db_default=Now())
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="entries")
    verb = models.CharField(max_length=64)
    target_type = models.CharField(max_length=64)
    target_id = models.BigIntegerField()
    target_label = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=32, blank=True)
    note = models.CharField(max_length=64, blank=True)
    batch = models.ForeignKey(Gesture, models.PROTECT, related_name="entries")
    before = models.JSONField(encoder=DjangoJSONEncoder)
    after = models.JSONField(encoder=DjangoJSONEncoder)
    undoes = models.OneToOneField("self", models.PROTECT, null=True, related_name="undone_by")
    request_id = models.CharField(max_length=64, blank=True)
    ip = models.CharField(max_length=64, blank=True)
    # of the transaction that wrote it: the sealer looks only at what is final (console.sealing)
    xid = models.BigIntegerField(
        db_default=Cast(Cast(models.Func(function="pg_current_xact_id"), models.TextField()), models.BigIntegerField()),
        editable=False,
    )

    class Meta:
        verbose_name_plural = "entries"
        permissions = [
            ("undo_gesture", "Can undo what others did"),
            ("export_entry", "Can export the ledger"),
            ("view_staff", "Can read staff timelines"),
            ("view_all_entries", "Can read what everybody did, not only oneself"),
        ]
        indexes = [
            models.Index(fields=["target_type", "target_id", "-id"], name="entry_target"),
            models.Index(fields=["actor", "-id"], name="entry_actor"),
            # few values, many rows each: equal keys share their place, so these are small
            models.Index(fields=["reason"], name="entry_reason", condition=~models.Q(reason="")),
            models.Index(fields=["ip"], name="entry_ip", condition=~models.Q(ip="")),
            BrinIndex(fields=["at"], name="entry_at_brin"),
        ]

    def __str__(self):
        return f"{self.verb} {self.target_type} {self.target_id}"

    def get_absolute_url(self):
        return reverse("console:entry", args=[self.pk])

    def is_about(self, row):
        return (self.target_type, self.target_id) == (row._meta.label_lower, row.pk)

    def get_undo_url(self):
        return reverse("console:undo", args=[self.pk])


class Export(models.Model):
    """A list that left the console as a file. Stored empty, filled in by a recorded change; never undone."""

    what = models.CharField(max_length=64, blank=True)
    format = models.CharField(max_length=8, blank=True)
    number = models.PositiveIntegerField(null=True, blank=True, help_text="Of rows; empty: very many.")
    handed_out_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "list"

    def __str__(self):
        return f"list {self.personal_label}" if self.what else f"export {self.pk}"

    @property
    def personal_label(self):
        return f"of {self.what} as {self.format.upper()}"


class Seal(models.Model):
    """A link of the chain that shows whether entries are as they were (console.sealing). Never changed.

    `entries` are the ids it holds ("1-300,302"), `digests` theirs in that order, 32 bytes each. When it was made,
    every transaction below `xid_low` had ended and none from `xid_high` on had begun; entries up to `settled` are
    all sealed, here or before, and no more will come.
    """

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    first_entry = models.BigIntegerField()
    last_entry = models.BigIntegerField(db_index=True)
    count = models.PositiveIntegerField()
    entries = models.TextField()
    digests = models.BinaryField()
    xid_low = models.BigIntegerField()
    xid_high = models.BigIntegerField()
    settled = models.BigIntegerField()
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["previous"], name="seal_follows_once")]

    def __str__(self):
        return f"seal {self.number}"


class Job(models.Model):
    """Background work. The row is the promise, a message only wakes a worker (console.jobs).

    `args` and `result` hold ids and plain values; `error` is words for people. A worker that claims the row puts its
    `token` on it and keeps `lease_until` in the future; without both nothing it does takes effect.
    """

    QUEUED, RUNNING, DONE, FAILED, DEAD, CANCELLED = "queued", "running", "done", "failed", "dead", "cancelled"
    STATES = [(s, s.capitalize()) for s in (QUEUED, RUNNING, DONE, FAILED, DEAD, CANCELLED)]
    OPEN = (QUEUED, RUNNING)

    kind = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=STATES, default=QUEUED)
    stage = models.CharField(max_length=32, blank=True)
    progress = models.PositiveSmallIntegerField(default=0, help_text="Per cent.")
    attempt = models.PositiveSmallIntegerField(default=0)
    token = models.UUIDField(null=True, blank=True)
    worker = models.CharField(max_length=100, blank=True)
    due_at = models.DateTimeField(db_default=Now(), help_text="Not to be started before.")
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When a worker was last told of it.")
    lease_until = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    args = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["due_at", "id"], name="job_open", condition=models.Q(state__in=("queued", "running"))),
        ]

    def __str__(self):
        return f"job {self.pk}"
