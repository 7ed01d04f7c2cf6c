"""What is counted of requests and statements, over all processes; and what is said when Redis is away."""

import logging
from collections import Counter

import pytest
from django.core.cache import caches
from django.db import connection

from console import logs, meter
from console.hot import HotCache
from console.meter import Figures


def away(monkeypatch):
    monkeypatch.setattr(HotCache, "asleep_until", float("inf"))


def test_figures_say_how_often_how_long_and_what_failed():
    for ms in range(1, 101):
        meter.count("a:page", "GET", 500 if ms > 97 else 200, ms)
    (found,) = meter.figures()
    assert (found.view, found.requests, found.errors, found.slowest_ms) == ("a:page", 100, 3, 100)
    assert found.p50_ms == pytest.approx(50, rel=0.25)
    assert found.p95_ms == pytest.approx(95, rel=0.25)


def test_the_slowest_come_first_and_no_more_than_asked():
    for view, ms in (("fast", 2), ("slow", 900), ("middling", 40)):
        meter.count(view, "GET", 200, ms)
    assert [each.view for each in meter.figures(n=2)] == ["slow", "middling"]


def test_processes_add_up_and_each_is_counted_once():
    for _process in range(2):
        meter.count("a:page", "GET", 200, 5)
        assert meter.flush()
    assert meter.flush()
    assert meter.figures()[0].requests == 2
    assert meter.total().counts == {("a:page", "GET", 200, meter.STEPS.index(5)): 2}
    assert meter.total().sums == {"a:page": 10}


def test_nobody_can_make_up_methods_without_end():
    for number in range(20):
        meter.count("none", f"METHOD{number}", 404, 1)
    assert len(meter.total().counts) == 1


def test_what_is_slower_than_any_step_is_counted_too():
    meter.count("a:page", "GET", 200, 99_000)
    assert meter.figures() == [Figures("a:page", 1, 0, 30_000, 30_000, 99_000)]


def test_flags_are_counted_on_and_off():
    meter.count("a:page", "GET", 200, 10, {"labs": True, "other": False})
    meter.count("b:page", "GET", 500, 100, {"labs": True})
    meter.count("a:page", "GET", 200, 20, {"labs": False})
    on, off = meter.by_flag("labs")
    assert (on.requests, on.errors, on.slowest_ms) == (2, 1, 100)
    assert (off.requests, off.errors, off.slowest_ms) == (1, 0, 20)
    assert meter.by_flag("nowhere") == (Figures("", 0, 0, 0, 0, 0),) * 2


def test_without_redis_nobody_knows_and_nobody_fails(nobody, monkeypatch):
    away(monkeypatch)
    assert nobody.get("/accounts/login/").status_code == 200
    asked = meter.figures(), meter.by_flag("labs"), meter.slow_queries(), meter.total(), meter.flush()
    assert asked == (None, None, None, None, False)


def test_all_that_is_kept_by_the_hour_expires():
    meter.count("a:page", "GET", 200, 5, {"labs": True})
    meter.flush()
    kept = caches["hot"].ask(lambda redis: {key: redis.ttl(key) for key in redis.keys(meter._key("*"))})
    forever = {key for key, seconds in kept.items() if seconds < 0}
    assert forever == {meter._key("total").encode(), meter._key("sums").encode()}
    assert max(kept.values()) <= meter.KEPT_S


def test_a_request_is_counted_by_the_name_of_its_address(moses):
    moses.get("/manage/comments/")
    moses.get("/nope/")
    moses.get("/nope/either/")
    moses.get("/healthz")
    counted = Counter()
    for (view, _, status, _), n in meter.total().counts.items():
        counted[view, status] += n
    assert counted == {("moderation:comments", 200): 1, ("none", 404): 2, ("healthz", 200): 1}


def test_an_unchanged_poll_is_a_poll(moses):
    tag = moses.get("/manage/").text.partition('name="v" value="')[2].partition('"')[0]
    meter.forget()
    assert moses.get(f"/manage/live/?v={tag}").status_code == 204
    assert [key[:3] for key in meter.total().counts] == [("console:live", "GET", 204)]


SECRET = "meet me behind the arcade"


def test_a_slow_statement_is_kept_without_what_was_asked(db, settings, caplog):
    settings.SLOW_QUERY_MS = 0
    sql = f"SELECT %s AS a, '{SECRET}' AS b, 17 AS c1, $${SECRET}$$, E'it\\'s {SECRET}'"
    with caplog.at_level(logging.WARNING), logs.of_request("r-17", view="a:page"), connection.cursor() as cursor:
        cursor.execute(sql, [SECRET])
    (kept,) = meter.slow_queries()
    assert (kept.view, kept.request_id, kept.sql) == ("a:page", "r-17", "SELECT %s AS a, ? AS b, ? AS c1, ?, ?")
    assert SECRET not in caplog.text
    assert "SELECT %s AS a, ?" in caplog.text


def test_a_fast_statement_is_not_kept(moses):
    moses.get("/manage/comments/")
    assert meter.slow_queries() == []


def test_slow_statements_are_capped_and_the_newest_comes_first():
    for number in range(meter.SLOW_KEPT + 20):
        meter.note_slow(number, "a:page", "r-1", "SELECT")
        meter.flush()
    assert [query.ms for query in meter.slow_queries(2)] == [119, 118]
    assert len(meter.slow_queries(1000)) == meter.SLOW_KEPT


@pytest.mark.parametrize(
    ("sql", "left"), [('"U0"."id" = 5 AND t3.x2 > 1.5', '"U0"."id" = ? AND t3.x2 > ?'), ("a''b 'c''d'", "a?b ?")]
)
def test_names_stay_and_literals_go(sql, left):
    assert meter.without_literals(sql) == left


def test_percentiles_are_of_requests_not_of_steps():
    for ms in [2] * 90 + [400] * 10:
        meter.count("a:page", "GET", 200, ms)
    (found,) = meter.figures()
    assert (found.p50_ms, found.p95_ms) == (pytest.approx(2, rel=0.25), pytest.approx(400, rel=0.25))
