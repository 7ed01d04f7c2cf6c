"""What a process is at: kept for the length of a request or task, and of the work it caused, so that log lines, SQL,
ledger entries and jobs can say it. And lines that are one line each: nothing that somebody sent can forge a second, or
speak to the terminal that shows them.
"""

import logging
import re
import time
import traceback
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection
from structlog.processors import JSONRenderer
from structlog.stdlib import ProcessorFormatter

from console import meter, prepared

NONE = "-"
# links that open an account, or speak for a player
_OPENING = re.compile(r"(/accounts/(?:invite/\d+|password/reset/key)/|/mail/stop/)[^/\s]+")
_STRANGE = re.compile(r"[^A-Za-z0-9_.:-]")
slow = logging.getLogger("attendant.slow")


@dataclass
class Doing:
    """What a process is at. `view` is the name of an address, or of a task, or the kind of a job."""

    request_id: str = NONE
    view: str = NONE
    request: object = None
    actor_id: int | None = None
    task_id: str = ""
    job_id: int | None = None
    queries: int = 0

    def actor(self):
        """Whose doing it is, as far as that is known by now: nobody is looked up for this."""
        person = getattr(self.request, "_cached_user", None)
        return self.actor_id or getattr(person, "pk", None)


_doing = ContextVar("doing")


def doing():
    """The Doing this is part of; outside of any an empty one."""
    return _doing.get(None) or Doing()


def current():
    """The id of the request this is part of; "" outside of any."""
    given = doing().request_id
    return "" if given == NONE else given


@contextmanager
def of_request(given, **known):
    """What is logged and asked of the database inside is part of the request of this id, and of fields of Doing."""
    token = _doing.set(replace(doing(), request_id=given, **known))
    try:
        if _asked in connection.execute_wrappers:  # a job in a task
            yield doing()
        else:
            with connection.execute_wrapper(_asked):
                yield doing()
    finally:
        _doing.reset(token)


def _asked(execute, sql, params, many, context):
    """A statement with its request's id and view on it, so that the server's log knows them; counted and timed."""
    now, began = doing(), time.perf_counter()
    named = sql if prepared.is_prepared(context) else f"{sql} /* {harmless(now.request_id)} {harmless(now.view)} */"
    try:
        return execute(named, params, many, context)
    finally:
        now.queries += 1
        took = 1000 * (time.perf_counter() - began)
        if took >= settings.SLOW_QUERY_MS:
            found = meter.note_slow(took, now.view, now.request_id, sql)
            slow.warning("%.0f ms: %s", took, found.sql)


def harmless(text):
    """What may stand in a comment of SQL: it can neither end it nor take a parameter."""
    return _STRANGE.sub("_", text)


def mark_of(task_id):
    """Stands for the request's id in a task that no request asked for."""
    return f"task-{task_id[:8]}"


@contextmanager
def of_task(name, task_id):
    """As of_request for a task: until a job brings the id of the request that asked for it."""
    with of_request(mark_of(task_id), view=name, task_id=task_id):
        yield


def one_line(text):
    """The text with whatever is no visible character written as its escape."""
    text = str(text)
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _closed(text):
    """The text without what would open somebody's account."""
    return _OPENING.sub(r"\1•••", text)


class RequestFilter(logging.Filter):
    """Puts what the process is at on each record, and its message on one line, without what would open somebody's
    account. Lines tell more as `extra={"told": {...}}`.
    """

    def filter(self, record):
        record.doing = doing()
        record.request_id = getattr(getattr(record, "request", None), "id", record.doing.request_id)
        record.msg, record.args = _closed(one_line(record.getMessage())), None
        return True


def _tell(logger, name, line):
    """structlog's processor: what each line carries, from records of ours and of libraries alike."""
    record = line.pop("_record")
    now, told = getattr(record, "doing", None) or doing(), getattr(record, "told", {})
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    known = {"request_id": getattr(record, "request_id", now.request_id), "actor": now.actor(), "view": now.view}
    known |= {"task_id": now.task_id, "job_id": now.job_id} if now.task_id or now.job_id else {}
    del line["_from_structlog"]
    return {"at": at, "level": record.levelname, "logger": record.name} | line | known | told


def _with_traceback(logger, name, line):
    """structlog's processor: the error as text; never with the values of variables."""
    if info := line.pop("exc_info", None):
        line["traceback"] = "".join(traceback.format_exception(*info)).rstrip()
    return line


def _clean(logger, name, line):
    return {key: _closed(value) if isinstance(value, str) else value for key, value in line.items()}


def _as_text(logger, name, line):
    """One line, and those of a traceback indented: none of them can pass for a record."""
    first = f"{line['level']:<7} {line['request_id']} {line['logger']}: {line['event']}"
    more = [f"    {one_line(each)}" for each in line.get("traceback", "").split("\n") if each]
    return "\n".join([first, *more])


class TextFormatter(ProcessorFormatter):
    """For people."""

    def __init__(self):
        super().__init__(processors=[_tell, _with_traceback, _clean, _as_text])


class JsonFormatter(ProcessorFormatter):
    """For programs: an object a line."""

    def __init__(self):
        super().__init__(processors=[_tell, _with_traceback, _clean, JSONRenderer()])
