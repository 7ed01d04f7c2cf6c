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
    used = [verb for verb in verbs.every() if verb.name in counted]
    plain = [verb for verb in used if verb.tone not in TONES]
    series = [
        Series(
            verb.label,
            TONES.get(verb.tone) or f"other-{plain.index(verb) % OTHERS}",
            [counted[verb.name].get(day, 0) for day in days],
        )
        for verb in used
    ]
    return stacked("Decisions per day", [f"{day:%d %b}" for day in days], series)


def _count(first):
    """`{verb: {day: number of entries on the verb's own targets}}` since that day; undos are not decisions."""
    since = datetime(first.year, first.month, first.day, tzinfo=UTC)
    days = defaultdict(dict)
    rows = Entry.objects.filter(at__gte=since).exclude(verb=ledger.UNDO)
    rows = rows.annotate(day=TruncDate("at", tzinfo=UTC)).values("verb", "target_type", "day").order_by()
    for row in rows.annotate(number=Count("pk")):
        verb = verbs.get(row["verb"])
        if verb and not verb.final and verb.model.lower() == row["target_type"]:
            days[verb.name][row["day"]] = row["number"]
    return dict(days)
