"""What a request cost the server, told in a header: time, CPU, statements and the time they took. For any WSGI app."""

import json
import os
import time

from django.db.backends.utils import CursorWrapper

_sql = {"count": 0, "seconds": 0.0}


def _counted(method):
    def counted(*args, **kwargs):
        started = time.perf_counter()
        try:
            return method(*args, **kwargs)
        finally:
            _sql["count"] += 1
            _sql["seconds"] += time.perf_counter() - started

    return counted


def count_sql(cls, *names):
    """Makes these methods of a cursor's class count."""
    for name in names:
        setattr(cls, name, _counted(getattr(cls, name)))


count_sql(CursorWrapper, "execute", "executemany")


class Meter:
    """Wraps a WSGI application. The answer is held back until it is whole: pages here are not streamed."""

    def __init__(self, application):
        self.application = application

    def __call__(self, environ, start_response):
        _sql.update(count=0, seconds=0.0)
        wall, cpu, started = time.perf_counter(), time.process_time(), []
        answer = self.application(environ, lambda status, headers, exc_info=None: started.append((status, headers)))
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        cost = {
            "ms": 1000 * (time.perf_counter() - wall),
            "cpu": 1000 * (time.process_time() - cpu),
            "sql": _sql["count"],
            "db": 1000 * _sql["seconds"],
            "rss": _rss_mib(),
            "pid": os.getpid(),
        }
        status, headers = started[0]
        start_response(status, [*headers, ("X-Bench", json.dumps(cost))])
        return [body]


def _rss_mib():
    with open("/proc/self/statm") as statm:  # noqa: PTH123
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
