"""What goes on inside, for Prometheus: counts of all processes from Redis (console.meter), the rest asked of the
database when somebody scrapes. What cannot be known is absent, and `attendant_up` says which part is away.

Labels have few values: addresses by name, never by path; nobody's ids, names or words.
"""

import logging
from collections import Counter

from django.conf import settings
from django.db import Error, connection
from django.http import HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from console import clientip, health, jobs, meter, sections, workers

log = logging.getLogger("attendant.metrics")
BUCKETS = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000]  # ms; each is one of meter.STEPS
POLL = "console:live"
_JOBS = """
    SELECT kind, state, count(*), min(due_at) FILTER (WHERE state = 'queued' AND due_at <= now())
    FROM console_job WHERE state <> 'done' GROUP BY kind, state
"""
_OUTWARDS = """
    SELECT 'waiting', count(*), min(next_at) FILTER (WHERE next_at <= now())
    FROM console_delivery WHERE state = 'waiting'
    UNION ALL SELECT 'failed', count(*), NULL FROM console_delivery WHERE state = 'failed'
    UNION ALL SELECT 'event', count(*), min(due_at) FILTER (WHERE due_at <= now())
    FROM console_event WHERE withdrawn_at IS NULL AND dispatched_at IS NULL
"""


def metrics(request):
    """The page; 403 for whoever asks neither from this machine nor with METRICS_TOKEN."""
    if not _may_read(request):
        words = "Ask from this machine itself, or with the token that METRICS_TOKEN holds.\n"
        return HttpResponse(words, status=403, content_type="text/plain; charset=utf-8")
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Inside())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _may_read(request):
    token, given = settings.METRICS_TOKEN, request.META.get("HTTP_AUTHORIZATION", "")
    return clientip.is_local(request) or (bool(token) and constant_time_compare(given, f"Bearer {token}"))


class Inside:
    """A collector of prometheus_client."""

    def collect(self):
        up = GaugeMetricFamily("attendant_up", "Whether each part answers and is well.", labels=["part"])
        parts = health.checks()
        for part, state in parts.items():
            up.add_metric([part], state == "ok")
        yield up
        if parts["redis"] == "ok" and (total := meter.total()):
            yield from _requests(total)
            yield from _happened(total)
        if parts["database"] == "ok":
            yield from _database()

    def describe(self):
        return ()


def _requests(total):
    answers, steps = Counter(), {}
    for (view, method, status, step), times in total.counts.items():
        answers[view, method, str(status)] += times
        steps.setdefault(view, Counter())[step] += times
    yield _counter("requests", "Requests answered.", ["view", "method", "status"], answers)
    polls = Counter()
    for (view, _, status), times in answers.items():
        if view == POLL and status in ("200", "204"):
            polls["unchanged" if status == "204" else "changed",] += times
    yield _counter("polls", "Polls, by whether there was anything new.", ["answer"], polls)
    histogram = HistogramMetricFamily("attendant_request_seconds", "How long requests took.", labels=["view"])
    for view, counts in steps.items():
        histogram.add_metric([view], _buckets(counts), total.sums.get(view, 0) / 1000)
    yield histogram


def _buckets(counts):
    """Cumulative, as Prometheus has them."""
    edges = [(str(ms / 1000), meter.STEPS.index(ms)) for ms in BUCKETS]
    found = [(edge, sum(times for step, times in counts.items() if step <= last)) for edge, last in edges]
    return [*found, ("+Inf", counts.total())]


def _happened(total):
    """What processes counted besides requests."""
    for name, words, labels in (
        ("jobs_ended", "Jobs that ended.", ["kind", "state"]),
        ("delivery_tries", "Tries to deliver a message to an endpoint.", ["outcome"]),
        ("slow_statements", "Statements that took SLOW_QUERY_MS or longer.", []),
    ):
        counts = {tuple(key[1:]): times for key, times in total.happened.items() if key[0] == name}
        yield _counter(name, words, labels, counts)


def _database():
    """What the database knows; nothing more after it failed once."""
    for part in (_jobs, _outwards, _workers, _sections):
        try:
            yield from list(part())
        except Error as error:
            log.warning("the database could not be asked for figures: %s", type(error).__name__)
            return


def _jobs():
    now, depth, oldest, several = timezone.now(), {(queue,): 0 for queue in jobs.queues()}, {}, {}
    for kind, state, number, since in _rows(_JOBS):
        several[kind, state] = number
        if state == "queued" and (queue := jobs.queue_of(kind)):
            depth[queue,] = depth.get((queue,), 0) + number
            oldest[queue,] = max(_age(since, now), oldest.get((queue,), 0))
    yield _gauge("jobs", "Jobs that are not done.", ["kind", "state"], several)
    yield _gauge("queue_jobs", "Jobs that wait for a worker.", ["queue"], depth)
    ages = {key: oldest.get(key, 0) for key in depth}
    yield _gauge("queue_oldest_seconds", "How long the oldest of them could have been begun.", ["queue"], ages)


def _outwards():
    now, found = timezone.now(), {what: (number, since) for what, number, since in _rows(_OUTWARDS)}
    counts = {(state,): found[state][0] for state in ("waiting", "failed")}
    due, age = _age(found["waiting"][1], now), _age(found["event"][1], now)
    yield _gauge("deliveries", "Deliveries that are not done.", ["state"], counts)
    yield _gauge("deliveries_oldest_seconds", "How long the oldest one is due.", [], {(): due})
    yield _gauge("events_waiting", "Events that were not given out to endpoints yet.", [], {(): found["event"][0]})
    yield _gauge("events_oldest_seconds", "How long the oldest one is due.", [], {(): age})


def _workers():
    known = workers.seen()
    states = Counter(
        (worker.kind, "missing" if worker.is_missing else "alive") for worker in known if not worker.ended_at
    )
    every = {(kind, state): states[kind, state] for kind in ("worker", "beat") for state in ("alive", "missing")}
    yield _gauge("workers", "Processes that work in the background.", ["kind", "state"], every)
    unserved = set(workers.queues_without(known))
    served = {(queue,): queue not in unserved for queue in jobs.queues()}
    yield _gauge("queue_served", "Whether a worker is there for the queue.", ["queue"], served)


def _sections():
    """What waits for people; the numbers are capped, as they are on badges."""
    now, waiting, oldest = timezone.now(), {}, {}
    for section in sections.every():
        if section.waiting:
            waiting[section.name,] = section.waiting()
        if section.oldest:
            oldest[section.name,] = _age(section.oldest(), now)
    yield _gauge("waiting", "What waits for a person.", ["section"], waiting)
    yield _gauge("waiting_oldest_seconds", "How long the oldest has waited.", ["section"], oldest)


def _rows(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def _age(since, now):
    return max(0, (now - since).total_seconds()) if since else 0


def _counter(name, words, labels, values):
    return _filled(CounterMetricFamily(f"attendant_{name}", words, labels=labels), values)


def _gauge(name, words, labels, values):
    return _filled(GaugeMetricFamily(f"attendant_{name}", words, labels=labels), values)


def _filled(family, values):
    for key, value in sorted(values.items()):
        family.add_metric(key, value)
    return family
