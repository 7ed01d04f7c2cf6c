"""Rows as they were sent become fields that can be stored, or a sentence about what is wrong with them."""

import re
from datetime import UTC, datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from console import clientip

LONGEST = {
    "external_id": 200,
    "author": 190,
    "player": 200,
    "body": 100_000,
    "game": 80,
    "comment": 200,
    "username": 200,
    "email": 254,
    "bio": 20_000,
    "words": 5_000,
}
AHEAD = timedelta(days=1)  # clocks differ, not by more than this
AT_MOST = timedelta(minutes=5)  # and what is new would be on top of every list until then
YES, NO = (True, 1, "true", "True", "1"), (None, False, 0, "false", "False", "0", "")


class BadRow(ValueError):
    """One row cannot be taken; the message says why."""


def row_of(values):
    """Raises BadRow for what is no object."""
    if not isinstance(values, dict):
        raise BadRow("This is no object with fields.")
    return values


def id_of(values):
    """The row's own id as it was sent, for the answer; None when it has none that can be told."""
    sent = values.get("external_id") if isinstance(values, dict) else None
    return str(sent)[:200] if isinstance(sent, str | int) and not isinstance(sent, bool) and sent != "" else None


def text(values, name, strip=True):
    """The field's text, "" when it was not sent. Numbers are taken as written."""
    sent = values.get(name)
    if sent is None:
        return ""
    if isinstance(sent, int) and not isinstance(sent, bool):
        sent = str(sent)
    if not isinstance(sent, str):
        raise BadRow(f"{name} is not a text")
    sent = sent.strip() if strip or not sent.strip() else sent
    if len(sent) > LONGEST[name]:
        raise BadRow(f"{name} has {len(sent):,} characters, {LONGEST[name]:,} are the most")
    if "\0" in sent:
        raise BadRow(f"{name} holds a NUL character")
    if re.search("[\ud800-\udfff]", sent):
        raise BadRow(f"{name} holds half a character")
    return sent


def needed(values, name, strip=True):
    """The same, of a field that has to be there."""
    found = text(values, name, strip)
    if not found:
        raise BadRow(f"{name} is missing")
    return found


def slug(values, name="game"):
    found = text(values, name)
    if not re.fullmatch(r"[-\w]*", found, re.ASCII):
        raise BadRow(f"{name} is “{found[:40]}”, not a slug: letters, digits, - and _")
    return found


def email(values):
    found = text(values, "email")
    try:
        if found:
            validate_email(found)
    except ValidationError:
        raise BadRow(f"email is “{found[:60]}”, not an e-mail address") from None
    return found


def yes(values, name):
    """Whether a field that is true or false is true; without it, it is not."""
    sent = values.get(name)
    if isinstance(sent, str | bool | int | None):
        if sent in YES:
            return True
        if sent in NO:
            return False
    raise BadRow(f"{name} is neither true nor false")


def moment(values, name):
    """ISO 8601 dates and times; without a zone they are UTC, and None when it was not sent."""
    sent = values.get(name)
    if sent is not None and not isinstance(sent, str):
        raise BadRow(f"{name} is not a date like 2026-01-31T12:00:00")
    sent = (sent or "").strip()
    if not sent:
        return None
    try:
        found = parse_datetime(sent)
        if found is None and (day := parse_date(sent)):
            found = datetime(day.year, day.month, day.day)
    except ValueError:
        found = None
    if found is None:
        raise BadRow(f"{name} is “{sent[:40]}”, not a date like 2026-01-31T12:00:00")
    if not 1990 <= found.year <= 2100:
        raise BadRow(f"{name} is in the year {found.year}")
    # in UTC: PostgreSQL knows no zone that is more than 16 hours away, Python does
    return found.astimezone(UTC) if timezone.is_aware(found) else found.replace(tzinfo=UTC)


def past(values, name, ahead=AHEAD):
    """A moment that cannot lie ahead: what is newer than the newest would stay so."""
    found = moment(values, name)
    if found and found > timezone.now() + ahead:
        raise BadRow(f"{name} lies in the future")
    return found


def address(values, name="ip"):
    sent = values.get(name)
    if sent is not None and not isinstance(sent, str):
        raise BadRow(f"{name} is not an address")
    sent = (sent or "").strip()
    found = clientip.parse(sent) if sent else None
    if sent and found is None:
        raise BadRow(f"{name} is “{sent[:40]}”, not an address")
    return str(found) if found else None
