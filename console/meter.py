"""How long requests take and what goes wrong, counted over all processes, in Redis: it may vanish, then nobody knows.

A request costs an addition in memory. A thread of each process writes what came together every few seconds, in one
round trip, so what is read is that old; where there is no such thread (commands, tests) whoever reads writes first.
"""

import atexit
import math
import os
import re
import threading
import time
from bisect import bisect_left
from collections import Counter, deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from json import dumps, loads

from django.conf import settings

from console.hot import hot

# ten to a decade, in ms, as preferred numbers round them: a percentile is right within its step, a quarter of itself
STEPS = [m * 10**e for e in range(4) for m in (1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8)] + [10_000, 30_000]
BIN_S, HOUR_S, KEPT_S = 300, 3600, 25 * 3600
SLOW_KEPT = 100
METHODS = {"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"}
_QUOTED = re.compile(r"\$(\w*)\$.*?\$\1\$|[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'", re.DOTALL)
_NUMBER = re.compile(r"(?<![\w$\".])\d+(?:\.\d+)?(?![\w\"])")


@dataclass(frozen=True)
class Figures:
    """`errors` are answers from 500 up; times in ms, of all requests. p50 and p95 are right within a quarter."""

    view: str
    requests: int
    errors: int
    p50_ms: float
    p95_ms: float
    slowest_ms: float


@dataclass(frozen=True)
class SlowQuery:
    """A statement that took its time; `sql` has `?` for each literal and holds no parameters."""

    at: datetime
    ms: float
    view: str
    request_id: str
    sql: str


@dataclass(frozen=True)
class Total:
    """What came together since Redis was last empty: `counts` by (view, method, status, step), `sums` of ms by view,
    `happened` by what and its labels.
    """

    counts: dict
    sums: dict
    happened: dict


class _Memory:
    """Of this process, since it last wrote."""

    def __init__(self):
        self.lock, self.writer = threading.Lock(), None
        self.clear()

    def clear(self):
        self.counts, self.sums, self.happened = Counter(), Counter(), Counter()
        self.most, self.flags, self.slow = {}, {}, deque(maxlen=SLOW_KEPT)

    def take(self):
        """What came together, as another _Memory; this one begins anew."""
        taken = _Memory()
        with self.lock:
            for name in ("counts", "sums", "happened", "most", "flags", "slow"):
                setattr(taken, name, getattr(self, name))
            self.clear()
        return taken


_memory = _Memory()
os.register_at_fork(after_in_child=_memory.__init__)  # the parent writes what is the parent's


def count(view, method, status, ms, flags=None):
    """Notes one request; `flags` are those decided for it, `{name: whether on}`."""
    method = method if method in METHODS else "other"
    step = bisect_left(STEPS, ms)
    with _memory.lock:
        _memory.counts[view, method, status, step] += 1
        _memory.sums[view] += ms
        _memory.most[view] = max(ms, _memory.most.get(view, 0))
        for name, is_on in (flags or {}).items():
            counts, most = _memory.flags.get((name, bool(is_on))) or (Counter(), 0)
            counts[status >= 500, step] += 1
            _memory.flags[name, bool(is_on)] = counts, max(ms, most)
    _write_soon()


def happened(*what):
    """Notes that something happened: its name and labels, of which there are few."""
    with _memory.lock:
        _memory.happened[what] += 1
    _write_soon()


def note_slow(ms, view, request_id, sql):
    """Notes a statement, as it was before its parameters came in. Its literals are left out."""
    query = SlowQuery(datetime.now(UTC), round(ms, 1), view, request_id, without_literals(sql))
    with _memory.lock:
        _memory.slow.append(query)
    happened("slow_statements")
    return query


def without_literals(sql):
    """The statement on one line, with `?` for each text and number in it."""
    return " ".join(_NUMBER.sub("?", _QUOTED.sub("?", str(sql))).split())[:2000]


def figures(minutes=60, n=10):
    """`[Figures]` by view, those with the slowest p95 first: of so many minutes and the five that have begun. None
    without Redis.
    """
    bins = range(_number(BIN_S) - math.ceil(60 * minutes / BIN_S), _number(BIN_S) + 1)
    read = _read([f"bin:{each}" for each in bins])
    if read is None:
        return None
    views = {}
    for field, times in read[0].items():
        view, _, status, step = field.split("|")
        errors, steps = views.setdefault(view, (Counter(), Counter()))
        errors[int(status) >= 500] += times
        steps[int(step)] += times
    found = [_figures(view, errors[True], steps, read[1][view]) for view, (errors, steps) in views.items()]
    return sorted(found, key=lambda each: (-each.p95_ms, each.view))[:n]


def by_flag(name, hours=24):
    """`(Figures with it on, Figures with it off)` of so many hours and the one that has begun; None without Redis."""
    wanted = range(_number(HOUR_S) - hours, _number(HOUR_S) + 1)
    read = _read([f"flag:{each}" for each in wanted])
    if read is None:
        return None
    sides = {"1": (Counter(), Counter()), "0": (Counter(), Counter())}
    for field, times in read[0].items():
        flag, side, failed, step = field.split("|")
        if flag == name:
            sides[side][0][failed == "1"] += times
            sides[side][1][int(step)] += times
    return tuple(_figures("", sides[s][0][True], sides[s][1], read[1].get(f"{name}|{s}", 0)) for s in ("1", "0"))


def slow_queries(n=20):
    """`[SlowQuery]`, the newest first; None without Redis."""
    if not flush():
        return None
    rows = hot().ask(lambda redis: redis.lrange(_key("slow"), 0, n - 1))
    return None if rows is None else [_slow(row) for row in rows]


def total():
    """The Total of all processes, or None without Redis."""
    if not flush():
        return None
    read = hot().ask(lambda redis: [redis.hgetall(_key(name)) for name in ("total", "sums", "happened")])
    if read is None:
        return None
    counts = {_of_field(field): int(times) for field, times in read[0].items()}
    sums = {view.decode(): float(ms) for view, ms in read[1].items()}
    return Total(counts, sums, {tuple(what.decode().split("|")): int(times) for what, times in read[2].items()})


def flush():
    """Writes what came together in this process. Whether Redis is there: what it did not take is lost."""
    taken = _memory.take()
    return bool(hot().ask(lambda redis: _write(redis, taken)))


def _write(redis, taken):
    pipe = redis.pipeline(transaction=False)
    counts = {"|".join(map(str, key)): times for key, times in taken.counts.items()}
    _add(pipe, f"bin:{_number(BIN_S)}", counts, taken.most)
    for (name, is_on), (steps, ms) in taken.flags.items():
        side = f"{name}|{int(is_on)}"
        fields = {f"{side}|{int(failed)}|{step}": times for (failed, step), times in steps.items()}
        _add(pipe, f"flag:{_number(HOUR_S)}", fields, {side: ms})
    for field, times in counts.items():
        pipe.hincrby(_key("total"), field, times)
    for view, ms in taken.sums.items():
        pipe.hincrbyfloat(_key("sums"), view, round(ms, 3))
    for what, times in taken.happened.items():
        pipe.hincrby(_key("happened"), "|".join(what), times)
    if taken.slow:
        pipe.lpush(_key("slow"), *(dumps(asdict(each), default=str) for each in taken.slow))
        pipe.ltrim(_key("slow"), 0, SLOW_KEPT - 1)
    pipe.ping()
    return bool(pipe.execute())


def forget():
    """For tests: nothing came together in this process."""
    _memory.take()


def _add(pipe, name, fields, most):
    """Adds to a hash that expires, and keeps the slowest of each beside it."""
    for field, times in fields.items():
        pipe.hincrby(_key(name), field, times)
    if most:
        pipe.zadd(_key(f"{name}:most"), most, gt=True)
    for key in (_key(name), _key(f"{name}:most")):
        pipe.expire(key, KEPT_S)


def _read(names):
    """`(sums by field, slowest)` of these hashes together, or None."""
    if not flush():
        return None

    def ask(redis):
        pipe = redis.pipeline(transaction=False)
        for name in names:
            pipe.hgetall(_key(name))
            pipe.zrange(_key(f"{name}:most"), 0, -1, withscores=True)
        return pipe.execute()

    rows = hot().ask(ask)
    if rows is None:
        return None
    fields, most = Counter(), {}
    for counts, slowest in zip(rows[::2], rows[1::2], strict=True):
        for field, times in counts.items():
            fields[field.decode()] += int(times)
        for member, ms in slowest:
            most[member.decode()] = max(ms, most.get(member.decode(), 0))
    return fields, most


def _figures(view, errors, steps, slowest):
    within = [min(slowest, percentile(steps, share)) for share in (0.5, 0.95)]
    return Figures(view, steps.total(), errors, *(round(ms, 1) for ms in (*within, slowest)))


def percentile(steps, share):
    """The time that this share of requests took at most, `{step: how many}` given; 0 of none."""
    wanted, seen = share * steps.total(), 0
    for step, times in sorted(steps.items()):
        low, high = (STEPS[step - 1] if step else 0), STEPS[min(step, len(STEPS) - 1)]
        if seen + times >= wanted and times:
            return low + (high - low) * (wanted - seen) / times
        seen += times
    return 0


def _slow(row):
    fields = loads(row)
    return SlowQuery(**fields | {"at": datetime.fromisoformat(fields["at"])})


def _of_field(field):
    view, method, status, step = field.decode().split("|")
    return view, method, int(status), int(step)


def _number(seconds):
    return int(time.time()) // seconds


def _key(name):
    return hot().make_key(f"meter:{name}")


def _write_soon():
    """Begins the thread that writes, once a process: after it was forked, and not in commands and tests."""
    if _memory.writer is None and settings.METER_WRITES_S:
        with _memory.lock:
            if _memory.writer is None:
                _memory.writer = threading.Thread(target=_write_always, daemon=True)
                _memory.writer.start()
                atexit.register(flush)


def _write_always():
    while True:
        time.sleep(settings.METER_WRITES_S)
        flush()
