"""What every answer carries, whatever it is; and what errors look like as a page and as a fragment."""

import re
from datetime import timedelta

import psycopg
import pytest
from django.db import IntegrityError, InterfaceError, InternalError, OperationalError, ProgrammingError, connections
from django.db.transaction import TransactionManagementError
from django.test import Client
from django.utils import timezone
from psycopg_pool import PoolTimeout, TooManyRequests

from console import health, logs, views
from console.models import Job
from console.patience import NoAnswer

PAGES = ["/manage/", "/manage/comments/", "/accounts/login/", "/nope/", "/healthz", "/admin/", "/manage/comments/4711/"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("who", ["moses", "nobody"])
@pytest.mark.parametrize("htmx", [True, False])
def test_every_answer_is_guarded(request, who, path, htmx):
    response = request.getfixturevalue(who).get(path, htmx=htmx)
    policy = response["Content-Security-Policy"]
    for rule in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert "no-store" in response["Cache-Control"]
    assert {"Cookie", "HX-Request"} <= set(re.split(r",\s*", response["Vary"]))
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["X-Frame-Options"] == "DENY"
    assert re.fullmatch(r"[0-9a-f]{32}", response["X-Request-ID"])


def test_a_request_id_is_believed_from_our_proxies_only(nobody, settings):
    given = {"X-Request-ID": "from-a-client-1234"}
    assert nobody.get("/healthz", headers=given)["X-Request-ID"] != given["X-Request-ID"]
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    assert nobody.get("/healthz", headers=given)["X-Request-ID"] == given["X-Request-ID"]
    assert nobody.get("/healthz", headers={"X-Request-ID": "a\nb" * 9})["X-Request-ID"] != "a\nb" * 9


@pytest.mark.parametrize(
    ("path", "view"), [("/healthz", "healthz"), ("/accounts/login/", "account_login"), ("/x/", "none")]
)
def test_a_proxy_of_ours_is_told_the_name_that_our_log_has(nobody, db, settings, path, view):
    assert "X-View" not in nobody.get(path)
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    assert nobody.get(path)["X-View"] == view


def test_the_log_line_carries_the_id_and_no_search(moses, caplog):
    with caplog.at_level("INFO"):
        response = moses.get("/manage/comments/?q=somebody", headers={"X-Forwarded-For": "1.2.3.4"})
    line = next(record for record in caplog.records if record.name == "attendant.access")
    assert line.getMessage().startswith("GET /manage/comments/ 200 ")
    formatted = logs.JsonFormatter()
    with logs.of_request("r1"):
        logs.RequestFilter().filter(line)
    assert '"request_id": "r1"' in formatted.format(line)
    assert response["X-Request-ID"]


def break_dashboard(monkeypatch, error):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(views.live.Badges, "_count", fail)


@pytest.mark.parametrize("htmx", [True, False])
def test_a_mistake_of_ours_is_a_500_with_the_request_number(moses, monkeypatch, htmx):
    break_dashboard(monkeypatch, ZeroDivisionError())
    moses.raise_request_exception = False
    response = moses.get("/manage/", htmx=htmx)
    assert response.status_code == 500
    assert "Traceback" not in response.text
    assert response["X-Request-ID"][:8] in response.text
    assert response.get("HX-Retarget") == ("#alert" if htmx else None)


class WithState(psycopg.Error):
    """What PostgreSQL says, by its state."""

    def __init__(self, state):
        self.sqlstate = state


def caused(error, cause):
    error.__cause__ = cause
    return error


SWALLOWED = caused(TransactionManagementError(), caused(OperationalError(), WithState("57014")))
TROUBLES = {
    **{
        state: caused(OperationalError(), WithState(state))
        for state in ("57014", "55P03", "57P01", "57P02", "57P03", "53300", "53100", "08006", "58030", "25006")
    },
    "idle in a transaction": caused(InternalError(), WithState("25P03")),
    "after a swallowed error": caused(InternalError(), WithState("25P02")),
    "after one that Django knows of": SWALLOWED,
    "no connection in time": caused(OperationalError(), PoolTimeout()),
    "too many wait for one": caused(OperationalError(), TooManyRequests()),
    "connection lost": caused(InterfaceError(), psycopg.InterfaceError()),
    "no answer": caused(OperationalError(), NoAnswer()),
}
MISTAKES = {
    "no such column": caused(ProgrammingError(), WithState("42703")),
    "not allowed": caused(ProgrammingError(), WithState("42501")),
    "twice": caused(IntegrityError(), WithState("23505")),
    "a mistake of Django's": InterfaceError("connection already closed"),
    "in a transaction after a mistake": caused(
        TransactionManagementError(), caused(IntegrityError(), WithState("23505"))
    ),
    "none of the database's": ZeroDivisionError(),
}


@pytest.mark.parametrize("kind", TROUBLES)
@pytest.mark.parametrize("htmx", [True, False])
def test_database_trouble_is_a_503_that_says_when_to_come_back(moses, monkeypatch, htmx, kind):
    break_dashboard(monkeypatch, TROUBLES[kind])
    moses.raise_request_exception = False
    response = moses.get("/manage/", htmx=htmx)
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert response.get("HX-Retarget") == ("#alert" if htmx else None)
    assert "the same form counts once" in response.text
    assert response["X-Request-ID"][:8] in response.text


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_of_ours_is_not_blamed_on_the_database(moses, monkeypatch, kind):
    break_dashboard(monkeypatch, MISTAKES[kind])
    moses.raise_request_exception = False
    assert moses.get("/manage/").status_code == 500


@pytest.mark.parametrize("htmx", [True, False])
def test_a_missing_csrf_token_is_refused_in_our_words(moses, htmx):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = moses.cookies
    response = strict.post("/manage/comments/1/approve/", headers={"HX-Request": "true"} if htmx else {})
    assert response.status_code == 403
    assert "This page is out of date" in response.text


def test_expired_session_keeps_htmx_where_it_is(nobody):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/manage/comments/?q=neon"}
    response = nobody.post("/manage/comments/1/approve/", headers=headers)
    assert response.status_code == 401
    assert 'href="/accounts/login/?next=%2Fmanage%2Fcomments%2F%3Fq%3Dneon"' in response.text


def test_health_is_told_by_any_name_and_without_a_session(nobody, django_assert_num_queries):
    nobody.cookies["sessionid"] = "x" * 32
    with django_assert_num_queries(0):
        assert nobody.get("/healthz", headers={"Host": "10.1.2.3"}).status_code == 200
    assert nobody.post("/healthz").status_code == 405


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/manage/comments/", {"Cookie": r'sessionid="\000aaaaaaaaaaaa"'}),
        ("/manage/comments/", {"HX-Request": "true", "HX-Current-URL": "http://["}),
        ("/manage/comments/", {"HX-Request": "true", "HX-Current-URL": "https://evil.example/x"}),
    ],
)
def test_strange_headers_are_no_errors(nobody, path, headers):
    response = nobody.get(path, headers=headers)
    assert response.status_code in (302, 401)
    assert "evil" not in response.text


def test_readyz_tells_what_is_well(nobody, monkeypatch):
    response = nobody.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "ok")
    monkeypatch.setattr(type(health.caches["hot"]), "set", lambda *args, **kwargs: None)
    assert nobody.get("/readyz").json() == {
        "status": "degraded",
        "checks": {"database": "ok", "migrations": "ok", "redis": "down", "jobs": "ok"},
    }


def test_work_that_nobody_does_is_told_within_a_minute(nobody):
    job = Job.objects.create(kind="test.nobody", due_at=timezone.now() - timedelta(seconds=31))
    response = nobody.get("/readyz")
    assert (response.status_code, response.json()["status"], response.json()["checks"]["jobs"]) == (
        200,
        "degraded",
        "delayed",
    )
    Job.objects.filter(pk=job.pk).update(state=Job.RUNNING)
    assert nobody.get("/readyz").json()["status"] == "ok"


def test_a_console_that_is_newer_than_its_tables_is_down(committed_db):
    with connections["owner"].cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'console'")
    response = Client().get("/readyz")
    assert (response.status_code, response.json()["checks"]["migrations"]) == (503, "missing")
