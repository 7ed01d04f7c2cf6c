"""What staff did in the last 30 days, counted in gestures: a decision on many is one."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db.models import Count, F, Q
from django.db.models.functions import TruncDate

from console import decisions, ledger, verbs
from console.models import Gesture

DAYS = 30


def since():
    """The beginning of the first of these days."""
    first = decisions.last(DAYS)[0]
    return datetime(first.year, first.month, first.day, tzinfo=UTC)


@dataclass
class Record:
    """`number` decisions that could be undone, of which `by_self` and `by_others` were and still are.

    `undid` counts undos of whatever it was; `per_day` is `{verb: {day: number}}`, for one person's picture.
    """

    number: int = 0
    by_self: int = 0
    by_others: int = 0
    undid: int = 0
    per_day: dict = field(default_factory=lambda: defaultdict(dict))

    @property
    def reversed(self):
        return self.by_self + self.by_others

    @property
    def share(self):
        """The part that was undone, "3.5 %"; "" when there was nothing to undo."""
        return f"{100 * self.reversed / self.number:.1f} %".replace(".0 ", " ") if self.number else ""

    @property
    def says(self):
        if not self.number:
            return "No decision in these days."
        of = f"{self.reversed:,} of {self.number:,} decisions were undone"
        who = f": {self.by_self:,} by themselves, {self.by_others:,} by others" if self.reversed else ""
        return f"{of} ({self.share}){who}."

    @property
    def per_verb(self):
        """`[(what in words, number)]`, the verbs in order of declaration."""
        used = [verb for verb in verbs.every() if verb.name in self.per_day]
        named = [(verb.label, sum(self.per_day[verb.name].values())) for verb in used]
        return [*named, ("Undo", self.undid)] if self.undid else named

    @property
    def chart(self):
        return decisions.picture(decisions.last(DAYS), self.per_day)

    def add(self, row):
        declared = verbs.get(row["verb"])
        if row["verb"] == ledger.UNDO:
            self.undid += row["times"]
            return
        if declared and declared.final:
            return
        self.number += row["times"]
        self.by_self += row["taken_back"]
        self.by_others += row["undone"] - row["taken_back"]
        if "day" in row:
            self.per_day[row["verb"]][row["day"]] = row["times"]


def of_several(pks):
    """`{person's key: Record}`, by one query."""
    records = {pk: Record() for pk in pks}
    for row in _counted(Gesture.objects.filter(actor__in=pks).values("actor_id", "verb")):
        records[row["actor_id"]].add(row)
    return records


def of_one(person):
    """The Record of one person, with its days."""
    record = Record()
    gestures = Gesture.objects.filter(actor=person).annotate(day=TruncDate("at", tzinfo=UTC))
    for row in _counted(gestures.values("verb", "day")):
        record.add(row)
    return record


def _counted(groups):
    # undos are few: they are looked up once, not joined to each gesture
    standing = Gesture.objects.exclude(undoes=None).filter(undone_by=None)
    own = standing.filter(actor=F("undoes__actor"))
    return (
        groups.filter(at__gte=since())
        .annotate(
            times=Count("pk"),
            undone=Count("pk", filter=Q(pk__in=standing.values("undoes"))),
            taken_back=Count("pk", filter=Q(pk__in=own.values("undoes"))),
        )
        .order_by()
    )
