"""Looks at what the console stands on, and says in words what is wrong and what to do about it.

Apps register checks from AppConfig.ready(). Each has LIMIT_S: all run at once, in threads, and whichever does not come
back in time, or raises, is a finding like any other.
"""

import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace

from django.db import connections

from console.logs import one_line

OK, WARN, BAD = "ok", "warn", "bad"
LIMIT_S = 3
KEPT_S = 10  # a page that is loaded again and again asks nobody again
_checks = []
_databases = threading.BoundedSemaphore(2)  # most of a web process's connections stay for its requests
_latest = {"until": 0.0, "at": 0.0, "findings": []}
_looking = threading.Lock()


@dataclass(frozen=True)
class Finding:
    """What a check found: `state` is ok, warn or bad; `todo` says what mends it, "" when nothing needs to be."""

    name: str
    state: str
    sentence: str
    todo: str = ""


@dataclass(frozen=True)
class Check:
    """`look()` returns ok(…), warn(…) or bad(…); what it raises is bad, with `todo`."""

    name: str
    look: Callable
    todo: str = ""
    position: int = 100


def ok(sentence):
    return Finding("", OK, sentence)


def warn(sentence, todo):
    return Finding("", WARN, sentence, todo)


def bad(sentence, todo):
    return Finding("", BAD, sentence, todo)


def register(check):
    _checks.append(check)
    _checks.sort(key=lambda each: each.position)


def check_all(limit=None):
    """Every check's Finding, in order, after `limit` seconds (LIMIT_S) at the most."""
    limit = limit or LIMIT_S
    found, deadline = {}, time.monotonic() + limit
    threads = [threading.Thread(target=_run, args=(check, found), daemon=True) for check in _checks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
    return [found.get(check.name) or _late(check, limit) for check in _checks]


def recent():
    """`(findings, when by time.time())`, looked for at most every KEPT_S in this process."""
    with _looking:
        if time.monotonic() >= _latest["until"]:
            findings, at = check_all(), time.time()
            _latest.update(findings=findings, at=at, until=time.monotonic() + KEPT_S)
        return _latest["findings"], _latest["at"]


def worst(findings):
    states = {finding.state for finding in findings}
    return next((state for state in (BAD, WARN) if state in states), OK)


@contextmanager
def database():
    """For checks that ask the database: few of them at once."""
    with _databases:
        yield connections["default"]


def _run(check, found):
    try:
        found[check.name] = replace(check.look(), name=check.name)
    except Exception as error:  # noqa: BLE001  whatever is wrong there is what is looked for
        said = one_line(" ".join(str(error).split())) or "without a word"
        found[check.name] = Finding(check.name, BAD, f"{type(error).__name__}: {said[:300]}", check.todo)
    finally:
        connections.close_all()  # this thread's


def _late(check, limit):
    return Finding(check.name, BAD, f"There was no answer within {limit} seconds.", check.todo)
