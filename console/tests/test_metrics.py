"""/metrics tells what goes on inside, to those who may know, whatever is away."""

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from console import jobs, meter, metrics
from console.hot import HotCache
from console.models import Job
from console.testing import Person


def read(person, **headers):
    """`{name: {labels: value}}` of what a scrape answers; what is malformed raises."""
    response = person.get("/metrics", **headers)
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    found = {}
    for family in text_string_to_metric_families(response.text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def one(values, **labels):
    return values[tuple(sorted(labels.items()))]


@pytest.mark.parametrize(
    ("asking", "status"),
    [
        ({"REMOTE_ADDR": "127.0.0.1"}, 200),
        ({"REMOTE_ADDR": "::1"}, 200),
        ({"REMOTE_ADDR": "203.0.113.9"}, 403),
        ({"REMOTE_ADDR": ""}, 403),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}, 403),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 403),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_FORWARDED": "for=127.0.0.1"}, 403),
        ({"REMOTE_ADDR": "203.0.113.9", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 403),
        ({"REMOTE_ADDR": "203.0.113.9", "HTTP_AUTHORIZATION": "Bearer of-metrics"}, 200),
        ({"REMOTE_ADDR": "203.0.113.9", "HTTP_AUTHORIZATION": "Bearer of-metrics2"}, 403),
        ({"REMOTE_ADDR": "203.0.113.9", "HTTP_AUTHORIZATION": "Bearer é"}, 403),
    ],
)
@pytest.mark.parametrize("proxies", [[], ["127.0.0.1", "unix"]])
def test_only_this_machine_or_the_token_may_read(nobody, settings, asking, status, proxies):
    settings.METRICS_TOKEN, settings.TRUSTED_PROXIES = "of-metrics", proxies
    assert nobody.get("/metrics", **asking).status_code == status


@pytest.mark.parametrize("given", ["Bearer ", "Bearer", ""])
def test_without_a_token_none_is_right(nobody, settings, given):
    settings.METRICS_TOKEN = ""
    assert nobody.get("/metrics", REMOTE_ADDR="203.0.113.9", HTTP_AUTHORIZATION=given).status_code == 403


def test_requests_are_told_by_name_and_status_never_by_path(moses):
    moses.get("/manage/comments/?q=somebody")
    moses.get("/nope/somebody/")
    found = read(moses)
    assert one(found["attendant_requests_total"], view="moderation:comments", method="GET", status="200") == 1
    assert one(found["attendant_requests_total"], view="none", method="GET", status="404") == 1
    assert "somebody" not in moses.get("/metrics").text


def test_the_histogram_is_one(nobody):
    for ms in (1, 5, 5.1, 99, 100, 20_000, 99_000):
        meter.count("a:page", "GET", 200, ms)
    found = read(nobody)
    buckets = [one(found["attendant_request_seconds_bucket"], view="a:page", le=le) for le in ("0.005", "0.1", "+Inf")]
    assert buckets == [2, 5, 7]
    assert one(found["attendant_request_seconds_count"], view="a:page") == 7
    assert one(found["attendant_request_seconds_sum"], view="a:page") == pytest.approx(119.2101)


def test_every_step_of_the_histogram_is_a_step_of_the_meter():
    assert set(metrics.BUCKETS) <= set(meter.STEPS)


def test_jobs_are_told_by_queue_and_when_they_end(nobody, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        (job,) = jobs.enqueue("console.retain", [{}])
    Job.objects.update(due_at="2020-01-01T00:00Z")
    before = read(nobody)
    with django_capture_on_commit_callbacks(execute=True):
        jobs.work(job.pk)
    after = read(nobody)
    assert one(before["attendant_jobs"], kind="console.retain", state="queued") == 1
    assert one(before["attendant_queue_jobs"], queue="default") == 1
    assert one(before["attendant_queue_oldest_seconds"], queue="default") > 100_000_000
    assert one(after["attendant_queue_jobs"], queue="default") == 0
    assert one(after["attendant_jobs_ended_total"], kind="console.retain", state="done") == 1


def test_a_poll_is_unchanged_or_changed(moses):
    tag = moses.get("/manage/").text.partition('name="v" value="')[2].partition('"')[0]
    assert [moses.get(f"/manage/live/?v={v}", htmx=True).status_code for v in (tag, "old")] == [204, 200]
    polls = read(moses)["attendant_polls_total"]
    assert (one(polls, answer="unchanged"), one(polls, answer="changed")) == (1, 1)


def test_a_scrape_costs_few_statements(nobody):
    read(nobody)
    with CaptureQueriesContext(connection) as asked:
        read(nobody)
    assert len(asked) <= 11, [query["sql"][:90] for query in asked]


def test_without_redis_the_rest_is_told(nobody, monkeypatch):
    monkeypatch.setattr(HotCache, "asleep_until", float("inf"))
    found = read(nobody)
    assert one(found["attendant_up"], part="redis") == 0
    assert one(found["attendant_up"], part="database") == 1
    assert "attendant_requests_total" not in found
    assert "attendant_queue_jobs" in found


def test_without_a_database_the_rest_is_told(nobody):
    def refuse(*args):
        raise DatabaseError("away")

    nobody.get("/healthz")
    with connection.execute_wrapper(refuse):
        found = read(Person(None))
    assert [one(found["attendant_up"], part=part) for part in ("database", "redis")] == [0, 1]
    assert one(found["attendant_requests_total"], view="healthz", method="GET", status="200") == 1
    assert "attendant_jobs" not in found


def test_nobody_needs_a_name_of_ours_or_a_session(nobody):
    response = nobody.get("/metrics", headers={"host": "10.0.0.5:8000"})
    assert response.status_code == 200
    assert not response.cookies
    assert nobody.post("/metrics").status_code == 405
