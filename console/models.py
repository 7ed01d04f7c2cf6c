"""What the shell itself keeps: staff, flags and the ledger. It knows no domain noun."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.indexes import BrinIndex
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Cast, Now, Upper
from django.urls import reverse
from django.utils.functional import cached_property

from console.api.models import Idempotent, Token  # noqa: F401
from console.exporting.models import Export  # noqa: F401
from console.jobmodel import Job  # noqa: F401
from console.labs.models import Choice, Flag, Switch  # noqa: F401
from console.received.models import Received, Source  # noqa: F401
from console.staffmodel import Account
from console.text import spelled
from console.traffic.models import AddressRollup, AddressTotal, FirstSeen, NetworkRollup, Rollup, TrafficNote  # noqa: F401
from console.webhooks.models import Attempt, Delivery, Webhook  # noqa: F401
from console.workermodel import Worker  # noqa: F401


class User(Account, AbstractUser):
    """A staff account. Players of the portal are `moderation.Player`."""

    THEMES = [("", "As the device"), ("light", "Light"), ("dark", "Dark")]
    DENSITIES = [("", "Comfortable"), ("compact", "Compact")]

    theme = models.CharField(max_length=8, choices=THEMES, blank=True)
    density = models.CharField(max_length=8, choices=DENSITIES, blank=True)
    calm_media = models.BooleanField(default=True, help_text="Blur pictures until asked for.")
    shortcuts = models.BooleanField(default=True, help_text="Single-key shortcuts.")

    class Meta(AbstractUser.Meta):
        verbose_name, verbose_name_plural = "account", "accounts"
        permissions = [
            ("enter_console", "Can enter the console"),
            ("manage_staff", "Can invite staff and change their accounts"),
        ]

    @property
    def display_name(self):
        return spelled(self.get_full_name() or self.username)

    @property
    def initials(self):
        words = self.display_name.replace(".", " ").replace("_", " ").split()
        return "".join(word[0] for word in words[:2]).upper()

    @cached_property
    def group_names(self):
        """`{id: name}` of their groups; a person who signed in was loaded with them (console.accounts)."""
        return dict(self.groups.order_by("pk").values_list("pk", "name"))

    @cached_property
    def has_second_factor(self):
        """Likewise loaded with the person who signed in."""
        return self.authenticator_set.filter(type__in=("totp", "webauthn")).exists()

    @property
    def role(self):
        """The first group's name, or Operator: a word for the header, never a permission check."""
        if self.is_superuser:
            return "Operator"
        return next((name for name in self.group_names.values() if name != "Beta"), "Staff")


class SignIn(models.Model):
    """That somebody signed in or tried to, when, from where, and what came of it; written by console.signins.

    `login` is a keyed hash of what was typed: people type passwords there.
    """

    IN, PASSWORD, CODE, LOCKED, REFUSED = "in", "password", "code", "locked", "refused"
    OUTCOMES = [
        (IN, "signed in"),
        (PASSWORD, "wrong password"),
        (CODE, "wrong code"),
        (LOCKED, "too many tries"),
        (REFUSED, "from a banned network"),
    ]

    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sign_ins")
    login = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(db_default=Now())
    ip = models.GenericIPAddressField(null=True)
    outcome = models.CharField(max_length=8, choices=OUTCOMES, default=IN)
    device = models.CharField(max_length=80, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["ip", "at"], name="signin_address"),
            models.Index(fields=["user", "-at"], name="signin_user"),
            models.Index(fields=["login", "at"], name="signin_login", condition=~models.Q(outcome="in")),
            BrinIndex(fields=["at"], name="signin_at_brin"),
        ]

    def __str__(self):
        return f"sign-in {self.pk}"


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


class Retention(models.Model):
    """A daily run that let old personal data go (console.retention). Stored empty, filled in by a recorded change."""

    counts = models.JSONField(default=dict, help_text="{what: how many}")
    ended_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "retention run"

    def __str__(self):
        return f"retention run {self.pk}"


class TransactionId(models.Field):
    """Which transaction wrote a row; the database fills it in."""

    def __init__(self, **kwargs):
        mine = models.Func(function="pg_current_xact_id", output_field=models.Field())
        super().__init__(**{"db_default": mine, "editable": False} | kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {key: value for key, value in kwargs.items() if key not in ("db_default", "editable")}

    def db_type(self, connection):
        return "xid8"


class Event(models.Model):
    """Something portals are to be told, once its time for second thoughts is over (console.outbox).

    `id` is what they know the same event by when it comes twice. `entry` is the change it tells of; `payload` holds
    ids and nothing else. `corrects` is the event that an undo made untrue; it may have been swept away since.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # entries are never removed, so there is nothing to check on the way
    entry = models.OneToOneField(Entry, models.PROTECT, related_name="event", db_constraint=False)
    name = models.CharField(max_length=64)
    target_type = models.CharField(max_length=64)
    target_id = models.BigIntegerField()
    payload = models.JSONField()
    at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(help_text="Not to be sent before.")
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    dispatched_at = models.DateTimeField(null=True, blank=True, help_text="When each endpoint was given its delivery.")
    corrects = models.UUIDField(null=True, blank=True)
    xid = TransactionId()

    class Meta:
        indexes = [
            models.Index(fields=["due_at", "entry"], name="event_due", condition=models.Q(withdrawn_at=None)),
            models.Index(
                fields=["due_at", "entry"],
                name="event_undispatched",
                condition=models.Q(withdrawn_at=None, dispatched_at=None),
            ),
            BrinIndex(fields=["at"], name="event_at_brin"),
            # as portals read them (console.api.decisions)
            models.Index(fields=["xid", "entry"], name="event_settled", condition=models.Q(withdrawn_at=None)),
        ]

    def __str__(self):
        return f"{self.name} {self.id}"
