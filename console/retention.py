"""What is kept for how long: once a day a job lets go of what is older, in small steps, and leaves one entry.

Apps register rules. Each step commits by itself, together with what the job has counted so far: a worker that is
killed loses nothing of either, and whoever goes on finds only what is left.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from console import jobs
from console.actions import let_go
from console.models import Job, Retention

KIND = "console.retain"
EVERY = timedelta(hours=23)  # asked for each hour: a beat that was away at one hour does it in the next
STEP = 2_000  # rows a statement: a fraction of a second, in which nobody waits long for one of them
SECONDS = 240  # a task has 600; the rest is done by another
MONTH = 365.25 / 12
KNOWN_DAYS = 90  # so much longer an event that comes again is known

# what came from where is kept by entries' references; one that only old entries have is of no more use
_ADDRESSES = """
    DELETE FROM console_personal WHERE ref IN (
        SELECT ref FROM console_personal WHERE kind = 'address' AND NOT EXISTS (
            SELECT FROM console_entry WHERE console_entry.ip = ref AND console_entry.at >= %(before)s
        ) LIMIT %(most)s
    )
"""
_SIGN_INS = """
    DELETE FROM console_signin WHERE id IN (
        SELECT id FROM console_signin WHERE at < %(before)s ORDER BY id LIMIT %(most)s
    )
"""
_RECEIVED = """
    UPDATE console_received SET data = NULL WHERE id IN (
        SELECT id FROM console_received WHERE data IS NOT NULL AND processed_at < %(before)s AND state <> 'waiting'
        ORDER BY processed_at LIMIT %(most)s FOR UPDATE SKIP LOCKED
    )
"""
_KNOWN = """
    DELETE FROM console_received WHERE id IN (
        SELECT id FROM console_received WHERE at < %(before)s AND state <> 'waiting' ORDER BY at LIMIT %(most)s
        FOR UPDATE SKIP LOCKED
    )
"""


@dataclass(frozen=True)
class Rule:
    """What is let go of: `what` in the entry, after a number; `days` says how long it is kept, 0 for good; `sql` deals
    with at most `most` rows that are older than `before`, by one statement that finds none of them again.
    """

    what: str
    days: Callable
    sql: str

    def step(self):
        """Lets go of some, in the caller's transaction. Returns how many."""
        days = self.days()
        if not days:
            return 0
        with connection.cursor() as cursor:
            cursor.execute(self.sql, {"before": timezone.now() - timedelta(days=days), "most": STEP})
            return cursor.rowcount


_rules = []


def register(*rules):
    _rules.extend(rules)


def ready():
    """The shell's own rules, and the job."""
    register(
        Rule("addresses of staff in the ledger", lambda: settings.LEDGER_ADDRESS_DAYS, _ADDRESSES),
        Rule("what received events said", lambda: settings.RECEIVED_DAYS, _RECEIVED),
        Rule("received events", lambda: settings.RECEIVED_DAYS and settings.RECEIVED_DAYS + KNOWN_DAYS, _KNOWN),
        Rule("sign-ins", lambda: round(settings.SIGN_IN_LOG_MONTHS * MONTH), _SIGN_INS),
    )
    jobs.register(jobs.Kind(KIND, run, label="Let old personal data go"))


def begin():
    """Asks for the day's run, unless there was one or is."""
    lately = Q(state__in=Job.OPEN) | Q(created_at__gt=timezone.now() - EVERY)
    if not Job.objects.filter(lately, kind=KIND).exists():
        jobs.enqueue(KIND, [{}])


def run(claim):
    """Every rule until nothing is left for it, then the entry, if there is something to tell."""
    counts, over = dict(claim.job.result), time.monotonic() + SECONDS
    for place, rule in enumerate(_rules):
        while number := _step(claim, rule, counts, 100 * place // len(_rules)):
            claim.check()
            if time.monotonic() > over:
                raise jobs.Later(
                    f"There is much to let go of: {sum(counts.values()):,} so far. It goes on in a moment."
                )
            if number < STEP:
                break
    with claim.fenced(state=Job.DONE, progress=100, result=counts):
        if counts:
            let_go(Retention.objects.create(), by=None, counts=counts)


def _step(claim, rule, counts, progress):
    with claim.fenced(progress=progress):
        number = rule.step()
        if number:
            counts[rule.what] = counts.get(rule.what, 0) + number
            Job.objects.filter(pk=claim.job.pk).update(result=counts)
    return number
