"""How long a ban lasts: the presets, and any moment in ISO 8601."""

from datetime import UTC, timedelta

from django.utils import timezone
from django.utils.dateparse import parse_datetime

NEVER = "never"
PRESETS = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}
LABELS = {"1h": "1 hour", "1d": "1 day", "7d": "7 days", "30d": "30 days", NEVER: "For good"}
MOST_AHEAD = timedelta(days=366)  # how far ahead a ban may be laid
SHORT = timedelta(days=7)  # what any moderator may give; beyond it takes ban_player_long

TOO_LONG = "You may ban for up to 7 days. A senior moderator can ban for longer."


def until(length, now=None):
    """When a ban of this length ends: a moment, or None for never. Raises ValueError for anything else."""
    now = now or timezone.now()
    if length == NEVER:
        return None
    if length in PRESETS:
        return now + PRESETS[length]
    moment = parse_datetime(length)  # raises ValueError for a date that does not exist
    if moment is None:
        raise ValueError(f"{length} is no length of a ban.")
    try:
        moment = (moment if timezone.is_aware(moment) else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{length} is beyond the calendar.") from None
    if moment <= now:
        raise ValueError(f"{length} is in the past.")
    return moment


def is_long(length, begin=None):
    """Whether a ban of this length takes more than the right to ban for a week."""
    begin = begin or timezone.now()
    end = until(length, begin)
    return end is None or end > begin + SHORT


def beginning(text):
    """When a ban begins: now for "", else a moment to come in ISO 8601. Raises ValueError for anything else."""
    now = timezone.now()
    if not text:
        return now
    moment = parse_datetime(text)
    if moment is None:
        raise ValueError(f"{text} is no moment.")
    moment = moment if timezone.is_aware(moment) else moment.replace(tzinfo=UTC)
    if not now < moment <= now + MOST_AHEAD:
        raise ValueError(f"{text} is not within a year from now.")
    return moment
