"""Decisions per day, for the dashboard: counted from the ledger, kept for a minute."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from django.core.cache import caches
from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone

from console import ledger, verbs
from console.charts import OTHERS, Series, stacked
from console.models import Entry

DAYS, KEPT_S = 14, 60
TONES = {"ok": "ok", "danger": "danger"}


def last(number):
    """So many days in UTC, today the last of them."""
    today = timezone.now().astimezone(UTC).date()
    return [today - timedelta(days=back) for back in reversed(range(number))]


def chart():
    """The last fourteen days in UTC, one series for each verb that was used."""
    days = last(DAYS)
    return picture(days, caches["hot"].get_or_set(f"decisions:{days[-1]}", lambda: _count(days[0]), KEPT_S))


def picture(days, counted):
    """The chart of `{verb: {day: number}}`."""
    series = [
        Series(verb.label, tone, [counted[verb.name].get(day, 0) for day in days]) for verb, tone in toned(counted)
    ]
    return stacked("Decisions per day", [f"{day:%d %b}" for day in days], series)


def toned(counted):
    """`[(verb, its tone in a chart)]` of these names, in the order of verbs."""
    used = [verb for verb in verbs.every() if verb.name in counted]
    plain = [verb for verb in used if verb.tone not in TONES]
    return [(verb, TONES.get(verb.tone) or f"other-{plain.index(verb) % OTHERS}") for verb in used]


def is_one(name, target):
    """Whether entries of this verb on this type of row are decisions; undos are none, nor what cannot be undone,
    nor what is about the console alone.
    """
    verb = verbs.get(name)
    return bool(verb and verb.decides and not verb.final and verb.model.lower() == target)


def _count(first):
    """`{verb: {day: number of entries on the verb's own targets}}` since that day; undos are not decisions."""
    since = datetime(first.year, first.month, first.day, tzinfo=UTC)
    days = defaultdict(dict)
    rows = Entry.objects.filter(at__gte=since).exclude(verb=ledger.UNDO)
    rows = rows.annotate(day=TruncDate("at", tzinfo=UTC)).values("verb", "target_type", "day").order_by()
    for row in rows.annotate(number=Count("pk")):
        if is_one(row["verb"], row["target_type"]):
            days[row["verb"]][row["day"]] = row["number"]
    return dict(days)
