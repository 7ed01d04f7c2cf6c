"""Verbs: declared once; buttons, keys, checks, labels, bulk and undo read that declaration.

A verb is a function in an app's actions.py. Calling the declared verb locks the rows, checks that the person saw
what is there now and that the verb is legal, runs the function inside one transaction, and tells what came of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db import transaction

from console import flags, ledger
from console.ledger import Conflict, Origin
from console.templatetags.console import ago_words

_verbs = {}


@dataclass
class Outcome:
    """What a verb did: rows it changed, conflicts it left alone, and whether all this had been done before."""

    verb: "Verb"
    gesture: object
    done: list
    skipped: list[Conflict] = field(default_factory=list)
    replayed: bool = False


@dataclass(frozen=True, eq=False)
class Verb:
    """A declaration; call it to do it.

    `name` as in the ledger ("comment.approve"), `label` on the button, `past` in sentences, `model` it works on,
    `permission` it takes, `legal(row)` whether the row's state allows it, `form` what it asks for, or None when
    the button alone will do. `tone` and `icon` are the button's look, `key` its single-key shortcut. `asks` and
    `tells` are the form's heading and the message afterwards, around the row's name.
    """

    name: str
    label: str
    past: str
    model: str
    permission: str
    legal: Callable
    function: Callable
    icon: str
    tone: str = ""
    key: str = ""
    repeats: bool = False  # may be done again at once: nothing in the row's state tells that it was
    form: type | None = None
    asks: str = "{label} {row}?"
    tells: str = "{row} was {past}."
    foretell: Callable | None = None  # (rows) → HTML for the form: what the verb would touch
    by_hand: bool = True  # False for what only our own code does: no button offers it
    fresh: bool = False  # takes a password or passkey anew when the last was given more than 10 minutes ago
    guarded: bool = False  # undoing it takes its permission, as with all that are fresh
    while_frozen: bool = False  # works while the console is read-only (console.flags): it looks, or ends an emergency
    decides: bool = True  # False for what is about the console alone: pictures of decisions leave it out
    final: str = ""  # why it cannot be undone, for the few that cannot

    do_not_call_in_templates = True

    def __call__(self, rows, *, by, reason="", note="", key=None, origin=None, versions=None, asked=None, **extra):
        """Does the verb to rows (one, or a list), in one transaction, with one entry each.

        `versions` maps primary keys to the version that was seen, by default that of the rows given; `key` is the
        form's idempotency key, `asked` what was ticked when the rows follow from something else, so that the same
        form is known again. Returns an Outcome in which rows that moved on are listed as skipped.
        Raises PermissionDenied; Conflict when nothing is left to do; KeyReused for a key with other content; what the
        verb itself raises, such as Unchanged.
        """
        if by is not None and not by.has_perm(self.permission):
            raise PermissionDenied(f"{self.label} takes a permission you do not have.")
        seen = versions or {row.pk: row.version for row in (rows if isinstance(rows, list) else [rows])}
        body = [sorted((asked or seen).items()), reason, note, sorted(extra.items())]
        with transaction.atomic():
            gesture, fresh = ledger.open_gesture(self.name, by, key, body)
            if not fresh:
                done = [row for row in ledger.targets_of(gesture) if row._meta.label == self.model]
                return Outcome(self, gesture, done, replayed=True)
            if not seen:
                raise Conflict("Nothing is left of what was selected.")
            if by is not None and not self.while_frozen and flags.is_flipped(flags.FREEZE_CONSOLE):
                raise Conflict(flags.FROZEN, apps.get_model(self.model).objects.filter(pk=next(iter(seen))).first())
            legal, skipped = self._sort_out(seen, by)
            if legal:
                act = ledger.Act(gesture, by, reason, note, origin or Origin())
                self.function(legal, act, **extra)
                return Outcome(self, gesture, legal, skipped)
            transaction.set_rollback(True)  # a gesture that did nothing leaves no trace
        return self._nothing_done(gesture, seen, skipped, by)

    def _sort_out(self, seen, by):
        model = apps.get_model(self.model)
        getattr(model, "lock_above", lambda pks: None)(list(seen))
        loaded = getattr(model.objects, "for_verbs", model.objects.all)()
        rows = ledger.locked(loaded, model).filter(pk__in=seen).order_by("pk")
        legal, late = [], []
        for row in rows:
            (legal if row.version == seen[row.pk] and self.legal(row) else late).append(row)
        latest = ledger.latest_entries(model, late)
        skipped = [Conflict(_who_was_quicker(row, latest.get(row.pk), by), row, latest.get(row.pk)) for row in late]
        gone = set(seen) - {row.pk for row in legal} - {row.pk for row in late}
        skipped += [Conflict(f"{model._meta.verbose_name} {pk} is gone.".capitalize()) for pk in sorted(gone)]
        return legal, skipped

    def _nothing_done(self, gesture, seen, skipped, by):
        """The very same decision by the same person from another tab is kindly confirmed; all else is a conflict."""
        mine = [
            conflict
            for conflict in skipped
            if by
            and conflict.entry
            and conflict.entry.actor_id == by.pk
            and conflict.entry.verb == self.name
            and conflict.target.version == seen[conflict.target.pk] + 1
            and (self.form is None or conflict.entry.batch.fingerprint == gesture.fingerprint)
        ]
        if len(mine) < len(skipped):
            first = next(conflict for conflict in skipped if conflict not in mine)
            first.all = skipped
            raise first
        return Outcome(self, mine[0].entry.batch, [conflict.target for conflict in mine], replayed=True)


def _who_was_quicker(row, entry, by):
    noun = row._meta.verbose_name
    if entry is None:
        if why := getattr(row, "why_not", ""):  # it was so all along
            return f"{ledger.describe(row)} stays as it is. {why}"
        return f"{ledger.describe(row)} has changed since you opened it. This is how it stands now."
    verb = get(entry.verb)
    did = verb.past if verb else "undid a decision on"
    if verb and verb.model.lower() != entry.target_type:  # a cascade: banning a player rejects comments
        noun = f"{noun}'s {apps.get_model(verb.model)._meta.verbose_name}"
    who = "You" if by and entry.actor_id == by.pk else ledger.name_of(entry.actor)
    return f"{who} {did} this {noun} {ago_words(entry.at)}. This is how it stands now."


def verb(name, **declaration):
    """Declares the decorated function `(rows, act, **extra)` as the verb `name` and puts it on record."""

    def declare(function):
        if name in _verbs:
            raise ValueError(f"The verb {name} is declared twice.")
        _verbs[name] = Verb(name=name, function=function, **declaration)
        return _verbs[name]

    return declare


def model_of(label):
    return apps.get_model(label)


def get(name):
    """The declared verb, or None: undo and verbs that were removed have no declaration."""
    return _verbs.get(name)


def every():
    return list(_verbs.values())


def offered(model, user):
    """The verbs on this model that the person may use, in order of declaration; legality depends on the row."""
    return [v for v in _verbs.values() if v.model == model and v.by_hand and user.has_perm(v.permission)]
