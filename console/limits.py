"""How often one person, and one address, may ask for what costs much or is worth guessing at.

Counted in PostgreSQL by one statement, outside of any transaction of the request's: limits hold over all processes and
while Redis is away. A window opens with the first request and closes by the clock, so nobody is kept out for good.
"""

import logging
import re
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.utils.crypto import salted_hmac

from console import clientip, prepared

log = logging.getLogger("attendant.limits")


@dataclass(frozen=True)
class Limit:
    """So many in so many seconds: of one person, and of one address (0: any number)."""

    person: int
    address: int
    seconds: int = 60

    def times(self, factor):
        return Limit(self.person * factor, self.address * factor, self.seconds)


# whole offices share an address, and people decide three times a second and type ten letters
LIMITS = {
    "sign-in": Limit(0, 60),  # whatever is posted below /accounts/; wrong passwords are counted apart from this
    "reset": Limit(0, 20),
    "invite": Limit(20, 20),
    "search": Limit(600, 3_000),
    "verb": Limit(600, 3_000),  # each can be undone once: that is not counted again
    "bulk": Limit(60, 300),
    "export": Limit(20, 100),
    "unmask": Limit(60, 300),
    # of the API, which counts by token: a whole portal comes from one address
    "api": Limit(120_000, 0),
    "api-write": Limit(6_000, 0),  # each may hold thousands of rows
    "api-guess": Limit(0, 600),  # with tokens that are none
}
OFF = "off"
_ONE = re.compile(r"(?P<name>[a-z-]+)=(?P<person>[0-9]{1,9}):(?P<address>[0-9]{1,9})")

# {} may say under which condition
TAKING = """
    INSERT INTO console_limit AS kept (key, used, until)
    SELECT key, 1, statement_timestamp() + make_interval(secs => %s) FROM unnest(%s::text[]) AS asked(key) {}
    ON CONFLICT (key) DO UPDATE SET
        used = CASE WHEN kept.until <= statement_timestamp() THEN 1 ELSE kept.used + 1 END,
        until = CASE WHEN kept.until <= statement_timestamp() THEN excluded.until ELSE kept.until END
    RETURNING key, used, ceil(extract(epoch FROM until - statement_timestamp()))::int AS left_s
"""
_TAKE = TAKING.format("")


@lru_cache(maxsize=8)
def table(text):
    """The limits under the setting RATE_LIMITS, by name; ImproperlyConfigured says what is wrong with it.

    "off" is none at all, "x10" ten times as much of everything, "search=100:900" that many for a person and an
    address; with commas between several.
    """
    limits, factor = dict(LIMITS), 1
    for part in filter(None, map(str.strip, text.split(","))):
        if part == OFF:
            return {}
        if re.fullmatch(r"x[0-9]{1,6}", part):
            factor = int(part[1:])
            continue
        found = _ONE.fullmatch(part)
        if not found or found["name"] not in LIMITS:
            raise ImproperlyConfigured(
                f"RATE_LIMITS: “{part}” is none of off, x10 and search=100:900. There are {', '.join(LIMITS)}."
            )
        limits[found["name"]] = Limit(int(found["person"]), int(found["address"]), LIMITS[found["name"]].seconds)
    return {name: each.times(factor) for name, each in limits.items()}


def wait(name, request, person=None):
    """Counts this request. Seconds to wait when that was one too many, else 0.

    `person` is who asks, when the request has no user that says so: a text, such as a token's.
    """
    seconds, counted = asked(name, request, person)
    if not counted:
        return 0
    with prepared.cursor() as cursor:
        cursor.execute(_TAKE, [seconds, list(counted)])
        return judged(name, counted, cursor.fetchall())


def asked(name, request, person):
    """`(seconds of the window, {key: how many it may have})`: what TAKING is asked with."""
    limit = table(settings.RATE_LIMITS).get(name)
    return (limit.seconds, _counted(name, limit, request, person)) if limit else (0, {})


def judged(name, counted, rows):
    """The same as `wait` says, of what TAKING returned."""
    over = {key: (used, left) for key, used, left in rows if used > counted[key]}
    if any(used == counted[key] + 1 for key, (used, _) in over.items()):  # once a window: a flood fills no log
        log.warning("too many requests of the kind “%s”", name)
    return max((max(left, 1) for _, left in over.values()), default=0)


def _counted(name, limit, request, person):
    """`{key: how many it may have}`: always the person before the address, so that no two wait for each other."""
    if person is None and getattr(request, "user", None) and request.user.is_authenticated:
        person = str(request.user.pk)
    address = clientip.subscriber(request) if limit.address else ""
    found = {"person": (person, limit.person), "address": (address, limit.address)}
    return {_key(name, kind, value): most for kind, (value, most) in found.items() if value and most}


def _key(*parts):
    """Tells nothing of the address it stands for."""
    return salted_hmac("console.limits", "/".join(parts)).hexdigest()


def sweep():
    """Removes what counts no more."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM console_limit WHERE until <= statement_timestamp()")
