"""A record is one line and speaks to nobody's terminal, whatever somebody sent."""

import json
import logging
import re
import sys

import pytest
from django.db import connection
from django.db.backends.utils import CursorWrapper

from console import logs

NASTY = "a\r\nINFO    - forged: line\x1b[2J\x1b]0;x\x07\u202eb\u2028c\x00\x85d"


def record(message, *args, **kwargs):
    made = logging.LogRecord("attendant", logging.INFO, "x.py", 1, message, args, kwargs.get("exc_info"))
    logs.RequestFilter().filter(made)
    return made


@pytest.mark.parametrize("formatter", [logs.TextFormatter(), logs.JsonFormatter()])
def test_a_record_is_one_line_of_what_can_be_seen(formatter):
    line = formatter.format(record("by %s", NASTY))
    assert line.isprintable()
    assert len(line.splitlines()) == 1
    assert "\\x1b[2J" in line.replace("\\\\", "\\")


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/invite/7/7ed1321d9d7a/",
        "/accounts/password/reset/key/5-abc-7ed1321d9d7a/",
        "/mail/stop/17:7ed1321d9d7a/",
    ],
)
def test_no_record_holds_a_link_that_opens_an_account(path):
    said = record("GET %s %s", path, 200).getMessage()
    assert "7ed1321d9d7a" not in said
    assert said.endswith("/•••/ 200")


def test_a_traceback_cannot_pass_for_a_record():
    try:
        raise ValueError(NASTY)
    except ValueError:
        lines = logs.TextFormatter().format(record("failed", exc_info=sys.exc_info())).split("\n")
    assert lines[0] == "INFO    - attendant: failed"
    assert all(line.startswith("    ") and line.isprintable() for line in lines[1:])


@pytest.mark.parametrize("path", ["/nope\r\nforged", "/nope%0d%0aforged%1b[2J", "/%E2%80%AE/"])
def test_the_access_log_takes_a_line_whatever_the_path(nobody, path, capsys):
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(logs.RequestFilter())
    handler.setFormatter(logs.JsonFormatter())
    logging.getLogger("attendant.access").addHandler(handler)
    try:
        nobody.get(path, headers={"User-Agent": NASTY, "Referer": NASTY})
    finally:
        logging.getLogger("attendant.access").removeHandler(handler)
    said = [line for line in capsys.readouterr().err.split("\n") if '"attendant.access"' in line]
    assert len(said) == 1
    assert said[0].isprintable()


def fields(made):
    return json.loads(logs.JsonFormatter().format(made))


def test_a_line_says_who_is_at_what():
    with logs.of_request("r-17", view="a:page", actor_id=7):
        said = fields(record("%s did it", "somebody"))
    assert said.pop("at").endswith("+00:00")
    known = {"request_id": "r-17", "view": "a:page", "actor": 7}
    assert said == {"level": "INFO", "logger": "attendant", "event": "somebody did it", **known}


def test_a_line_of_a_job_names_its_task_and_whose_request_it_serves():
    with logs.of_task("console.tasks.run_job", "0123456789"), logs.of_request("r-17", view="a.kind", job_id=5):
        said = fields(record("at work"))
    assert (said["task_id"], said["job_id"]) == ("0123456789", 5)
    assert (said["request_id"], said["view"]) == ("r-17", "a.kind")


def test_a_traceback_in_json_opens_no_account_and_shows_no_variable():
    secret = "7ed1321d9d7a"
    try:
        raise ValueError("/accounts/invite/7/7ed1321d9d7a/")
    except ValueError:
        said = fields(record("failed", exc_info=sys.exc_info()))
    assert "ValueError: /accounts/invite/7/•••/" in said["traceback"]
    assert f"/{secret}/" not in said["traceback"]


def test_the_access_line_has_fields_and_no_name(moses, caplog):
    caplog.handler.addFilter(logs.RequestFilter())
    with caplog.at_level(logging.INFO):
        response = moses.get("/manage/comments/?q=somebody")
    said = fields(next(each for each in caplog.records if each.name == "attendant.access"))
    assert (said["method"], said["path"], said["status"]) == ("GET", "/manage/comments/", 200)
    assert (said["view"], said["actor"]) == ("moderation:comments", moses.user.pk)
    assert said["request_id"] == response["X-Request-ID"]
    assert said["queries"] > 3
    assert "moses" not in json.dumps(said)


def test_a_statement_says_whose_it_is_and_nothing_else(moses, monkeypatch):
    asked, execute = [], CursorWrapper._execute
    monkeypatch.setattr(
        CursorWrapper, "_execute", lambda self, sql, *more: asked.append(sql) or execute(self, sql, *more)
    )
    response = moses.get("/manage/comments/", headers={"User-Agent": "*/ DROP TABLE x; --"})
    told = f"/* {response['X-Request-ID']} moderation:comments */"
    assert [sql[-100:] for sql in asked if "/*" in sql and not sql.endswith(told)] == []
    assert any(sql.endswith(told) for sql in asked)


@pytest.mark.parametrize("given", ["*/ DROP", "%s", "a'b", "\u00e9\u202e", "a\nb"])
def test_what_is_told_with_a_statement_cannot_end_it(given, db):
    with logs.of_request(given, view=given), connection.cursor() as cursor:
        cursor.execute("SELECT query, %s FROM pg_stat_activity WHERE pid = pg_backend_pid()", [1])
        said = cursor.fetchone()[0]
    assert re.search(r"/\* [A-Za-z0-9_.:-]+ [A-Za-z0-9_.:-]+ \*/$", said)
