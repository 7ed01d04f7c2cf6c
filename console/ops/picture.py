"""How the console fares: what waits and fails, who works, and whether that has changed since somebody looked."""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from console import jobs, respond, workers
from console.base import COUNTED
from console.models import Job
from console.webhooks import drawing as endpoints

SHOWN = (Job.QUEUED, Job.RUNNING, Job.FAILED, Job.DEAD)
FAILING = 6  # of those that failed so many are shown
RECENT = timedelta(days=7)  # what failed before then troubles nobody any more; the list still has it
_LETTERS = str.maketrans("0123456789", "ghijklmnop")
# of each kind and state by itself, along its index: what is done may be millions of rows
_JOBS = """
    SELECT kind, state, few.number, few.oldest
    FROM unnest(%s::text[]) AS kind CROSS JOIN unnest(%s::text[]) AS state CROSS JOIN LATERAL (
        SELECT count(*) AS number, min(created_at) AS oldest FROM (
            SELECT created_at FROM console_job
            WHERE console_job.kind = kind.kind AND console_job.state = state.state ORDER BY id LIMIT %s
        ) AS those
    ) AS few
    WHERE few.number > 0
"""
_TROUBLE = """
    SELECT (
        SELECT count(*) FROM (SELECT FROM console_job WHERE state = ANY(%s) AND ended_at >= %s LIMIT %s) AS given_up
    ) + (SELECT count(*) FROM console_worker WHERE ended_at IS NULL AND seen_at < %s)
"""


@dataclass
class OfKind:
    """Jobs of one kind: `numbers` by state, counted up to COUNTED, and since when the oldest of them waits."""

    kind: jobs.Kind
    numbers: dict
    oldest: object = None

    @property
    def cells(self):
        return [(state, self.numbers.get(state, 0)) for state in SHOWN]

    @property
    def label(self):
        return self.kind.label or self.kind.name


@dataclass
class Picture:
    """What the overview shows of jobs, workers and endpoints, and what tells whether it has changed."""

    kinds: list
    failing: list
    workers: list
    endpoints: list

    @property
    def missing(self):
        return [worker for worker in self.workers if worker.is_missing]

    @property
    def unserved(self):
        return workers.queues_without(self.workers)

    @property
    def digest(self):
        """Letters that differ when what is shown does; times that pass leave them as they are."""
        told = [
            [[each.kind.name, each.numbers] for each in self.kinds],
            [[job.pk, job.state] for job in self.failing],
            sorted([worker.name, worker.state] for worker in self.workers),
            [[each.pk, each.state, each.waiting, each.failed] for each in self.endpoints],
        ]
        hashed = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
        return hashed[:16].translate(_LETTERS)


def look():
    """The Picture as it is now: five statements, each along an index."""
    return Picture(_kinds(), _failing(), workers.seen(), _endpoints())


def _kinds():
    known = {kind.name: OfKind(kind, {}) for kind in jobs.every_kind()}
    with connection.cursor() as cursor:
        cursor.execute(_JOBS, [list(known), list(SHOWN), COUNTED + 1])
        for name, state, number, oldest in cursor.fetchall():
            of = known[name]
            of.numbers[state] = number
            if state in Job.OPEN:
                of.oldest = min(filter(None, (of.oldest, oldest)))
    return sorted((each for each in known.values() if each.numbers), key=lambda each: each.label)


def _failing():
    """The newest that were given up, of each state along its index."""
    failed, dead = (Job.objects.for_verbs().filter(state=state).order_by("-id")[:FAILING] for state in Job.GIVEN_UP)
    return list(failed.union(dead).order_by("-id")[:FAILING])


def _endpoints():
    return endpoints.with_numbers(list(endpoints.endpoints().order_by("name", "id")))


def trouble():
    """What somebody should look at, for the badge: jobs given up lately, and workers that are missing; the count stops
    behind COUNTED.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TROUBLE, [list(Job.GIVEN_UP), timezone.now() - RECENT, COUNTED + 1, workers.missing_since()])
        return cursor.fetchone()[0]


def bring_up_to_date(request, seen, here):
    """For polls (console.live.watch): the overview anew, when it shows something else by now."""
    if not request.user.has_perm("console.view_ops") or respond.root_of(here) != "#ops":
        return "", ""
    if list(seen.values()) == [look().digest]:
        return "", ""
    return respond.partial_at(request, here, oob=True), ""
