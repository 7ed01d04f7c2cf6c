"""The ledger: nothing else writes a Gesture or an Entry. `console.undo` reads them backwards.

Entries hold no personal value: labels, notes, addresses and personal fields are kept in `Personal` and pointed at
by keyed hash, so that they can be erased without touching the ledger.
"""

import json
import uuid
from collections import defaultdict
from dataclasses import dataclass, field

from django.apps import apps
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.db.models.functions import Cast
from django.utils.crypto import salted_hmac

from console import live, logs, outbox, personal, prepared
from console.models import Entry, Gesture
from console.personal import Keeper
from console.text import spelled
from console.values import encode

UNDO = "undo"


class Conflict(Exception):
    """The world moved on: the message says who did what. `target` is the fresh row, when there is one."""

    def __init__(self, message, target=None, entry=None):
        super().__init__(message)
        self.message, self.target, self.entry = message, target, entry
        self.all = [self]  # of several rows, the conflict on each


class Unchanged(Exception):
    """What was asked for is so already: nothing was done and nothing is on record."""


class KeyReused(Exception):
    """The idempotency key came before, with other content."""


class Taken(Exception):
    """Something else has this name or address already; `field` says which was asked for, the message what to do."""

    def __init__(self, field, words):
        super().__init__(words)
        self.field = field


@dataclass(frozen=True)
class Origin:
    """Where a gesture came from: the request's id (a worker's is that of the job it does), the client's address."""

    request_id: str = field(default_factory=logs.current)
    ip: str = ""


# what changed and what portals are told of it, by one statement: both or neither
_ENTRIES = f"""
    WITH written AS (
        SELECT * FROM json_to_recordset(%s::json) AS written (
            target_type text, target_id bigint, target_label text, before jsonb, after jsonb, undoes_id bigint,
            {outbox.COLUMNS}
        )
    ), entry AS (
        INSERT INTO console_entry (
            actor_id, verb, reason, note, batch_id, request_id, ip,
            target_type, target_id, target_label, before, after, undoes_id
        )
        SELECT %s, %s, %s, %s, %s, %s, %s, target_type, target_id, target_label, before, after, undoes_id
        FROM written
        RETURNING id, target_type, target_id
    ), event AS ({outbox.QUEUE})
    SELECT min(id) FROM entry
"""


@dataclass
class Act:
    """A gesture while it happens: what a verb changes through it is recorded, one entry per target."""

    gesture: Gesture
    by: models.Model | None
    reason: str = ""
    note: str = ""
    origin: Origin = field(default_factory=Origin)
    keeper: Keeper = field(default_factory=Keeper)

    def change(self, rows, **fields):
        """Gives every row these values by one UPDATE, raises their version, writes one entry each.

        `rows` must be locked model instances of one model; they are brought up to date in place. A value may be a
        function of the row.
        """
        befores = [self.encoded(row, fields) for row in rows]
        for row in rows:
            for name, value in fields.items():
                setattr(row, name, value(row) if callable(value) else value)
            row.version += 1
        update_rows(type(rows[0]), [row.pk for row in rows], {name: _new(rows, name, fields[name]) for name in fields})
        afters = [self.encoded(row, fields) for row in rows]
        for before, after in zip(befores, afters, strict=True):
            for name in [name for name in fields if before[name] == after[name]]:
                del before[name], after[name]  # an entry holds what changed, no more
        self.record(rows, befores, afters)

    def touch(self, rows, undone=None):
        """Entries on rows that the gesture is about while their own fields stay: a ban is a row of its own.

        Their version rises, so that a form somebody opened before is out of date.
        """
        update_rows(type(rows[0]), [row.pk for row in rows], {})
        for row in rows:
            row.version += 1
        nothing = [{} for _ in rows]
        self.record(rows, nothing, nothing, undone)

    def look(self, rows):
        """Entries on rows that were only looked at: their version stays, and nobody's form is out of date for it."""
        nothing = [{} for _ in rows]
        self.record(rows, nothing, nothing)

    def encoded(self, row, names):
        return {name: encode(row, name, _attribute(row, name), self.keeper) for name in names}

    def record(self, rows, befores, afters, undone=None):
        """Writes one entry per row by one INSERT; `undone` holds the ids of the entries these undo, if any. Events for
        portals are queued with them (console.outbox).

        Then the rows' model may bring in line what is derived from them: `after_change(rows)`, if it has that.
        """
        note = self.keeper.add(f"gesture:{self.gesture.pk}", "note", self.note)
        address = self.keeper.add(personal.subject(self.by), "address", self.origin.ip) if self.by else ""
        labels = [self.keeper.add(personal.subject(row), "label", getattr(row, "personal_label", "")) for row in rows]
        self.keeper.store()
        told = outbox.news(rows, befores, afters, undone)
        written = [
            {
                "target_type": row._meta.label_lower,
                "target_id": row.pk,
                "target_label": label,
                "before": before,
                "after": after,
                "undoes_id": undoes,
                **news,
            }
            for row, label, before, after, undoes, news in zip(
                rows, labels, befores, afters, undone or [None] * len(rows), told, strict=True
            )
        ]
        with prepared.cursor() as cursor:
            cursor.execute(
                _ENTRIES,
                [
                    dumped(written),
                    self.by.pk if self.by else None,
                    self.gesture.verb,
                    self.reason,
                    note,
                    self.gesture.pk,
                    self.origin.request_id,
                    address,
                    settings.UNDO_WINDOW_S,
                ],
            )
            self.gesture.__dict__.setdefault("first_entry_id", cursor.fetchone()[0])
        self.gesture.__dict__.setdefault("touched", set()).add(rows[0]._meta.label_lower)
        if hasattr(rows[0], "after_change"):
            type(rows[0]).after_change(rows)
        transaction.on_commit(live.bump, robust=True)


def open_gesture(verb, by, key, fingerprint, undoes=None):
    """Starts a gesture inside the caller's transaction: `(gesture, True)`, or `(the earlier one, False)`.

    The same person's same key waits for the first to commit and gets its gesture. Raises KeyReused when that one
    had other content, Conflict when somebody has undone the same gesture already.
    """
    # keyed, since it covers what was typed: nobody can try out guesses after that was erased
    digest = salted_hmac("console.gesture", dumped([verb, fingerprint]), algorithm="sha256").hexdigest()
    gesture = Gesture(verb=verb, actor=by, idempotency_key=key or uuid.uuid4(), fingerprint=digest, undoes=undoes)
    with prepared.cursor() as cursor:
        cursor.execute(
            "INSERT INTO console_gesture (id, verb, actor_id, idempotency_key, fingerprint, undoes_id) "
            "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [
                gesture.pk,
                verb,
                gesture.actor_id,
                gesture.idempotency_key,
                digest,
                undoes.pk if undoes else None,
            ],
        )
        if cursor.rowcount:
            return gesture, True
    earlier = Gesture.objects.filter(actor=by, idempotency_key=gesture.idempotency_key).first()
    if earlier is None:
        first = Gesture.objects.select_related("actor").get(undoes=undoes)
        who = "you" if by and first.actor_id == by.pk else name_of(first.actor)
        raise Conflict(f"This was undone already by {who}.")
    if earlier.fingerprint != digest:
        raise KeyReused
    return earlier, False


def targets_of(gesture):
    """The rows a gesture touched, as they are now."""
    rows = []
    by_type = defaultdict(list)
    for label, pk in gesture.entries.order_by("id").values_list("target_type", "target_id"):
        by_type[label].append(pk)
    for label, pks in by_type.items():
        rows += apps.get_model(label)._base_manager.filter(pk__in=pks).order_by("pk")
    return rows


def entries_on(*rows):
    """Everything the ledger says about these rows, newest first."""
    about = models.Q()
    for row in rows:
        about |= models.Q(target_type=row._meta.label_lower, target_id=row.pk)
    return Entry.objects.filter(about).select_related("actor", "batch").order_by("-id")


def latest_entries(model, rows):
    """`{target id: its newest entry}`, by one query."""
    if not rows:
        return {}
    found = Entry.objects.filter(target_type=model._meta.label_lower, target_id__in=[row.pk for row in rows])
    found = found.order_by("target_id", "-id").distinct("target_id").select_related("actor", "batch")
    return {entry.target_id: entry for entry in found}


def standing(rows, adverb):
    """How rows stand, in a sentence: "Comment 17 is pending again.", "3 comments are pending again." """
    groups = defaultdict(list)
    for row in rows:
        word = getattr(row, "standing", "back")
        groups[type(row), f"{word} {adverb}" if hasattr(row, "status") else word].append(row)
    said = []
    for (model, words), group in groups.items():
        one = len(group) == 1
        said.append(f"{describe(group[0])} is {words}" if one else f"{len(group)} {plural(model)} are {words}")
    return "; ".join(said) + "." if said else ""


def taken_along(gesture, label):
    """What a gesture did to rows of other models than the verb's own, as far as they have a status; "" if nothing.

    A model may say in `TAKEN` which statuses are worth a word, and which.
    """
    if gesture.touched == {label.lower()}:
        return ""
    others = gesture.entries.exclude(target_type=label.lower()).filter(after__has_key="status")
    counted = others.values_list("target_type", "after__status").annotate(number=models.Count("pk")).order_by()
    said = []
    for target_type, status, number in counted:
        status = getattr(apps.get_model(target_type), "TAKEN", {status: status}).get(status)
        if status is None:
            continue
        noun = apps.get_model(target_type)._meta.verbose_name if number == 1 else plural(apps.get_model(target_type))
        said.append(f"{number} {noun} {'was' if number == 1 else 'were'} {status} with it.")
    return " ".join(said)


def some(sentences, limit=5):
    """The first few sentences, and how many more there are."""
    rest = len(sentences) - limit
    return " ".join(sentences[:limit]) + (f" And {rest} more." if rest > 0 else "")


def plural(model):
    return str(model._meta.verbose_name_plural)


def describe(row):
    """The row at the start of a sentence: "Comment 17", or a name as it is written."""
    said = printed(row)
    return said if str(row) == getattr(row, "personal_label", None) else said[:1].upper() + said[1:]


def printed(row):
    """The row in a sentence; characters that show nothing or turn the sentence around are named in it."""
    return spelled(row) if str(row).strip() else f"{row._meta.verbose_name} {row.pk}"


def name_of(user):
    return user.display_name if user else "the system"


def _attribute(row, name):
    return getattr(row, row._meta.get_field(name).attname)


def _new(rows, name, value):
    """What an UPDATE sets: the value they share, or each row's own."""
    if not callable(value):
        return value
    field, first = rows[0]._meta.get_field(name), _attribute(rows[0], name)
    if all(_attribute(row, name) == first for row in rows):
        return first
    own = [models.When(pk=row.pk, then=models.Value(_attribute(row, name), field)) for row in rows]
    return Cast(models.Case(*own), field)  # nothing but NULLs has no type


def locked(rows, model):
    """The queryset, locking what it finds; `LOCKED_LIGHTLY` lets others go on referring to such rows."""
    return rows.select_for_update(of=("self",), no_key=getattr(model, "LOCKED_LIGHTLY", False))


def update_rows(model, pks, values):
    model._base_manager.filter(pk__in=pks).update(**values, version=models.F("version") + 1)


def dumped(value):
    return json.dumps(value, sort_keys=True, cls=DjangoJSONEncoder)
