"""Which time the page of traffic is about."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from django import forms
from django.utils import timezone

from console.filters import DaysForm, midnight

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
UNITS = {HOUR: "hour", DAY: "day", WEEK: "week"}
MOST_DAYS, MOST_HOURLY, MOST_DAILY = 366, timedelta(days=2), timedelta(days=120)
PERIODS = {"24h": "24 hours", "7d": "7 days", "30d": "30 days", "90d": "90 days"}
USUAL = "7d"
EARLIEST, LATEST = date(1990, 1, 1), date(2189, 12, 31)


@dataclass(frozen=True)
class Span:
    """From `start` up to, without, `end`, both in UTC, drawn in columns of `step`; `words` say it after "in"."""

    start: datetime
    end: datetime
    step: timedelta
    words: str

    @property
    def is_hourly(self):
        return self.step == HOUR

    @property
    def unit(self):
        return UNITS[self.step]

    @cached_property
    def columns(self):
        """`[(first, last)]` hours or days of each; the last week may have fewer than seven."""
        single = min(self.step, DAY)
        starts = (self.start + self.step * number for number in range(-(-(self.end - self.start) // self.step)))
        return [(at, min(at + self.step, self.end) - single) for at in starts]

    @property
    def before(self):
        """When the time of the same length before this one begins."""
        return self.start - (self.end - self.start)

    @property
    def length(self):
        """In words: "24 hours", "7 days"."""
        days = (self.end - self.start).days
        return "24 hours" if days == 1 else f"{days} days"

    @cached_property
    def labels(self):
        """Of the columns."""
        if self.is_hourly:
            return [f"{at:%d %b %H:%M}" for at, _ in self.columns]
        return [f"{at:%d %b}" if at == last else f"{at:%d %b} – {last:%d %b}" for at, last in self.columns]


class PeriodForm(DaysForm):
    """A usual period, or days of one's own; the latter count when both are given."""

    period = forms.ChoiceField(
        choices=list(PERIODS.items()),
        required=False,
        error_messages={"invalid_choice": "“%(value)s” is not on offer."},
    )
    locals()["from"] = forms.DateField(
        label="From",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Write a day as 2026-01-31."},
    )
    to = forms.DateField(
        label="To",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Write a day as 2026-01-31."},
    )

    def clean(self):
        data = super().clean()
        for name in ("from", "to"):
            if data.get(name) and not EARLIEST <= data[name] <= LATEST:
                self.add_error(name, f"Choose a day between {EARLIEST} and {LATEST}.")
        if not self.errors and (span := self.own_days(data)) and span.end - span.start > MOST_DAYS * DAY:
            self.add_error("to", f"At most {MOST_DAYS} days at once. Choose a later first day, or an earlier last one.")
        return data

    def own_days(self, data):
        """The Span of the days given, or None; one day alone stands for itself up to today, or for itself."""
        first, last = data.get("from"), data.get("to")
        if not (first or last):
            return None
        today = timezone.now().astimezone(UTC).date()
        first, last = first or last, last or max(first, today)
        start, end = midnight(first), midnight(last) + DAY
        words = f"on {first:%d %b %Y}" if first == last else f"from {first:%d %b %Y} to {last:%d %b %Y}"
        step = HOUR if end - start <= MOST_HOURLY else DAY if end - start <= MOST_DAILY else WEEK
        return Span(start, end, step, words)

    @property
    def chosen(self):
        """The period to be marked; "" when there are days of one's own."""
        data = self.cleaned_data if self.is_valid() else {}
        return "" if data.get("from") or data.get("to") else data.get("period") or USUAL

    @property
    def span(self):
        """What to show; of a form with mistakes, what is shown without one."""
        data = self.cleaned_data if self.is_valid() else {}
        return self.own_days(data) or usual(data.get("period") or USUAL)


def usual(period):
    """The Span of one of PERIODS, up to and with the present hour or day."""
    now = timezone.now().astimezone(UTC)
    number, words = int(period[:-1]), f"in the last {PERIODS[period]}"
    if period.endswith("h"):
        end = now.replace(minute=0, second=0, microsecond=0) + HOUR
        return Span(end - number * HOUR, end, HOUR, words)
    end = midnight(now.date()) + DAY
    return Span(end - number * DAY, end, DAY, words)
