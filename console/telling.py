"""What the ledger says, in sentences: who did what to whom, why, and whether it stands.

Console knows no domain noun: what is called how comes from the declared verbs, from the models, and from whoever
registered the words for reasons (`name_reasons`).
"""

from collections import defaultdict
from dataclasses import dataclass, field

from django.apps import apps
from django.core.cache import caches
from django.db.models import Count, F, Window

from console import ledger, live, masking, verbs
from console.models import Entry, Gesture, User
from console.text import spelled

_reasons = []
OWN = "console.view_entry"  # opens the ledger, and shows what one did oneself
ALL = "console.view_all_entries"
EXPORT = "console.export_entry"
REASONS_S = 60


def name_reasons(labels):
    """Registers a function that returns `{code: label}`."""
    _reasons.append(labels)


def reasons():
    """`{code: label}` of every reason there is a label for; asked for again when anything was changed."""
    return caches["hot"].get_or_set(f"reasons:{live.version()}", _all_reasons, REASONS_S)


def _all_reasons():
    return {code: label for labels in _reasons for code, label in labels().items()}


def gestures_for(user):
    """The one place that decides whose gestures a person may see."""
    return Gesture.objects.all() if user.has_perm(ALL) else Gesture.objects.filter(actor=user)


def entries_for(user):
    return Entry.objects.all() if user.has_perm(ALL) else Entry.objects.filter(actor=user)


def staff_for(user):
    """Whose timelines a person may see."""
    staff = User.objects.filter(is_staff=True)
    return staff if user.has_perm(ALL) else staff.filter(pk=user.pk)


@dataclass
class Told:
    """A gesture as a line. `entry` is the first on what the verb is about, `number` how many such there are, `about`
    its object in words; `along` says what else it changed.
    """

    gesture: Gesture
    entry: Entry
    number: int
    about: str
    along: str = ""
    because: str = ""
    words: str = ""
    declared: object = None
    undone_by: Gesture | None = None
    stands: bool = True  # not undone, or the undo was undone in turn
    icon: str = field(init=False)

    def __post_init__(self):
        self.icon = self.declared.icon if self.declared else "undo-2"

    @property
    def who(self):
        actor = self.gesture.actor
        return actor.display_name if actor else "The system"

    @property
    def did(self):
        return past_of(self.gesture.verb)


def past_of(name):
    """What somebody did, before the object; of a verb that is no longer declared, its name."""
    declared = verbs.get(name)
    return declared.past if declared else "undid a decision on" if name == ledger.UNDO else f"did “{name}” to"


def noun_of(label, number=1):
    """What rows of a model are called; of a model that is gone, its label."""
    try:
        model = apps.get_model(label)
    except LookupError:
        return label
    return str(model._meta.verbose_name) if number == 1 else ledger.plural(model)


def about(entry, names):
    """What an entry is about: a name if there is one (`names`: revealed references), else its number."""
    noun = noun_of(entry.target_type)
    name = spelled(names.get(entry.target_label, ""))
    return f"{noun} {name}" if name.strip() else f"{noun} {entry.target_id}"


def tell(keys, user):
    """A Told for each of these gestures (primary keys), in this order, for this person: three queries, however many."""
    heads = _heads(keys)
    firsts = [head for several in heads.values() for head in several]
    names = masking.reveal({ref for head in firsts for ref in (head.target_label, head.note)}, user)
    labels = reasons() if any(head.reason for head in firsts) else {}
    return [_told(heads[key], names, labels) for key in keys if key in heads]


def _heads(keys):
    """`{gesture: [its first entry on each kind of target, with their number]}`."""
    found = Entry.objects.filter(batch__in=keys).select_related(
        "batch__actor", "batch__undone_by__actor", "batch__undone_by__undone_by"
    )
    kinds = [F("batch_id"), F("target_type")]
    found = found.annotate(number=Window(Count("pk"), partition_by=kinds)).defer("before", "after")
    heads = defaultdict(list)
    for entry in found.order_by("batch_id", "target_type", "pk").distinct("batch_id", "target_type"):
        heads[entry.batch_id].append(entry)
    return heads


def _told(heads, names, labels):
    heads.sort(key=lambda head: head.pk)
    gesture = heads[0].batch
    declared = verbs.get(gesture.verb)
    own = next((head for head in heads if declared and declared.model.lower() == head.target_type), heads[0])
    along = [f"{head.number:,} {noun_of(head.target_type, head.number)}" for head in heads if head is not own]
    what = about(own, names) if own.number == 1 else f"{own.number:,} {noun_of(own.target_type, own.number)}"
    return Told(
        gesture,
        own,
        own.number,
        what,
        " and ".join(filter(None, [", ".join(along[:-1]), *along[-1:]])),
        labels.get(own.reason, own.reason),
        names.get(own.note, ""),
        declared,
        undone_by := getattr(gesture, "undone_by", None),
        undone_by is None or hasattr(undone_by, "undone_by"),
    )
