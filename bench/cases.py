"""What is measured, and what is asked of it."""

import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

from bench import data
from bench.data import PER

COMMENTS = "/manage/comments/"
QUEUE = f"{COMMENTS}?per={PER}"
ALL = f"{COMMENTS}?status=all&order=newest&per={PER}"
ADMIN = "/admin/moderation/comment/"
NEWEST = f"{ADMIN}?o=-5"
BY_NAME = "/admin/moderation/commentbyname/?o=-5"


@dataclass(frozen=True)
class Goal:
    """The console must be so many times faster than `than`, or take at most so many times what `than` takes.

    `than` is a target ("admin"), or another case of the console ("first"); `measure` a percentile of milliseconds.
    """

    case: str
    than: str
    at_least: float = 0
    at_most: float = 0
    measure: str = "p50"


# ratios in one run, from the issue that asked for them; --check allows for the noise of a shared machine
GOALS = [
    Goal("queue", "admin", at_least=6),
    Goal("queue", "unfold", at_least=12),
    Goal("queue", "floor", at_most=5),
    Goal("far", "admin", at_least=40),
    Goal("far", "first", at_most=1.2),
    Goal("name", "admin", at_least=15),
    Goal("name", "admin+", at_least=4),
    Goal("rare", "admin", at_least=100),
    Goal("middle", "admin", at_least=100),
    Goal("common", "admin", at_least=100),
    Goal("rare", "admin+", at_least=3),
    Goal("middle", "admin+", at_least=3),
    Goal("common", "admin+", at_least=3),
    Goal("approve", "admin", at_least=10),
    Goal("approve", "approve", at_most=4, measure="p99"),
    Goal("bulk 1000 row by row", "admin", at_least=12),
    Goal("poll unchanged", "admin", at_least=5),
    Goal("traffic", "queue", at_most=3),
    Goal("traffic, most days", "queue", at_most=3),
    Goal("traffic, year", "queue", at_most=3),
    Goal("ops", "queue", at_most=3),
]
SEARCHES = ("rare", "middle", "common", "absent", "run together", "name")
LISTS = ("queue", "first", "far", "game", *SEARCHES)
GROWTH = dict.fromkeys(("queue", "first", "far", "game", "approve", "bulk 50"), 1.2) | dict.fromkeys(SEARCHES, 2)
MOST_SQL, MOST_MIB = 6, 70


def reads(target):
    """`{case: function that makes one request}` for the cases that this kind of server knows."""
    if target.kind == "console":
        return _console_reads(target.browser.ask, target.sought) | _operator_reads(target.operator.ask)
    return {
        "admin": _admin_reads,
        "admin+": _admin_reads,
        "unfold": _admin_reads,
        "floor": _floor_reads,
    }[target.kind](target.browser.ask, target.sought)


def _operator_reads(ask):
    today = datetime.now(UTC).date()
    widest, year = today - timedelta(days=119), today - timedelta(days=365)  # the most there is by the day, and at all
    paths = {
        "traffic": "/manage/traffic/?period=90d",
        "traffic, most days": f"/manage/traffic/?from={widest}&to={today}",
        "traffic, year": f"/manage/traffic/?from={year}&to={today}",
        "traffic, hours": "/manage/traffic/?period=24h",
        "ops": "/manage/ops/",
        "jobs": "/manage/ops/jobs/",
    }
    return {name: lambda path=path: ask(path) for name, path in paths.items()}


def _console_reads(ask, sought):
    cursor = f"{sought.far[0].isoformat()}~{sought.far[1]}"
    month = urlencode({"game": sought.game, "from": sought.first, "to": sought.last})
    paths = {
        "queue": QUEUE,
        "first": ALL,
        "far": f"{ALL}&after={quote(cursor)}",
        "game": f"{ALL}&{month}",
        "rare": f"{ALL}&q={sought.rare}",
        "middle": f"{ALL}&q={sought.middle}",
        "common": f"{ALL}&q={sought.common}",
        "absent": f"{ALL}&q={sought.absent}",
        "run together": f"{ALL}&q={sought.run_together}",
        "name": f"{ALL}&player={sought.name}",
        "item": f"{COMMENTS}{sought.far[1]}/",
        "dashboard": "/manage/",
        "poll changed": "/manage/live/?v=x",
    }
    cases = {name: lambda path=path: ask(path) for name, path in paths.items() if not name.startswith("poll")}
    cases["fragment"] = lambda: ask(QUEUE, htmx=QUEUE)
    cases["poll changed"] = lambda: ask(paths["poll changed"], htmx=QUEUE)
    cases["poll unchanged"] = _unchanged(ask)
    return cases


def _unchanged(ask):
    """Polls with a tag from a page, as long as it is valid."""
    tag = []

    def poll():
        answer = ask(f"/manage/live/?v={quote(tag[0])}", htmx=QUEUE) if tag else None
        if answer is None or answer.status != 204:
            tag[:] = [ask(QUEUE).text.split('id="live-tag" type="hidden" name="v" value="')[1].split('"')[0]]
            answer = ask(f"/manage/live/?v={quote(tag[0])}", htmx=QUEUE)
        return answer

    return poll


def _admin_reads(ask, sought):
    month = {
        "game__id__exact": sought.game_id,
        "created_at__gte": sought.first,
        "created_at__lt": f"{sought.last} 23:59:59.999999",
    }
    paths = {
        "queue": f"{ADMIN}?status__exact=pending",
        "first": NEWEST,
        "far": f"{NEWEST}&p={sought.far_page + 1}",
        "game": f"{NEWEST}&{urlencode(month)}",
        "rare": f"{NEWEST}&q={sought.rare}",
        "middle": f"{NEWEST}&q={sought.middle}",
        "common": f"{NEWEST}&q={sought.common}",
        "absent": f"{NEWEST}&q={sought.absent}",
        "run together": f"{NEWEST}&q={sought.run_together}",
        "name": f"{BY_NAME}&q={sought.name}",
        "item": f"{ADMIN}{sought.far[1]}/change/",
        "dashboard": "/admin/",
        "poll unchanged": "/count/",
        "poll changed": "/count/",
    }
    return {name: lambda path=path: ask(path) for name, path in paths.items()}


def _floor_reads(ask, sought):
    month = {"id": sought.game_id, "first": sought.first, "last": f"{sought.last} 23:59:59.999999"}
    paths = {
        "queue": "/queue",
        "first": "/first",
        "far": "/far?" + urlencode({"at": sought.far[0].isoformat(), "id": sought.far[1]}),
        "game": f"/game?{urlencode(month)}",
        "rare": f"/search?like=%25{sought.rare}%25",
        "middle": f"/search?like=%25{sought.middle}%25",
        "common": f"/search?like=%25{sought.common}%25",
        "absent": f"/search?like=%25{sought.absent}%25",
        "run together": f"/search?like=%25{sought.run_together}%25",
        "name": f"/name?like=%25{sought.name}%25",
        "item": f"/item?id={sought.far[1]}",
        "poll unchanged": "/poll",
    }
    return {name: lambda path=path: ask(path) for name, path in paths.items()}


class Pending:
    """Comments to decide on, each target its own; pending again after every request."""

    def __init__(self, name):
        self.name = name
        with data.connect(name) as connection:
            found = "SELECT id FROM moderation_comment WHERE status = 'pending' ORDER BY created_at, id"
            self.ids = [pk for (pk,) in connection.execute(found)]

    @contextmanager
    def some(self, number, undone=False):
        """`(id, version)` of so many, others every time as long as there are. Raises RuntimeError when they were not
        approved afterwards (or when they were, if that should be `undone`).
        """
        ids, rest = self.ids[:number], self.ids[number:]
        self.ids = rest + ids
        decided = "SELECT count(*) FROM moderation_comment WHERE id = ANY(%s) AND status = 'approved'"
        with data.connect(self.name) as connection:
            read = "SELECT id, version FROM moderation_comment WHERE id = ANY(%s) ORDER BY id"
            yield connection.execute(read, [ids]).fetchall()
            (done,) = connection.execute(decided, [ids]).fetchone()
            if done != (0 if undone else number):
                raise RuntimeError(f"Of {number} comments on {self.name}, {done} were approved.")
            undecided = "UPDATE moderation_comment SET status = 'pending' WHERE id = ANY(%s) AND status <> 'pending'"
            connection.execute(undecided, [ids])


def key():
    return ("idempotency_key", str(uuid.uuid4()))


def approve(target, pending, with_list=True):
    """Approves one comment; the admin's answer leads to its list, the console's takes the card away."""
    if target.kind != "console":
        return bulk(target, pending, 1, with_list=with_list)
    with pending.some(1) as [(pk, version)]:
        fields = [("version", version), key(), ("next", QUEUE)]
        return target.browser.ask(f"{COMMENTS}{pk}/approve/", fields, htmx=QUEUE)


def bulk(target, pending, number, action="approve", with_list=True):
    """Approves many, with the list afterwards: part of the console's answer, a page of its own elsewhere."""
    with pending.some(number) as rows:
        if target.kind == "console":
            return _bulk(target, rows)
        if target.kind == "floor":
            return target.browser.ask("/approve", [("ids", pk) for pk, _ in rows])
        path = f"{ADMIN}?status__exact=pending"
        fields = [("action", action), ("index", 0), *(("_selected_action", pk) for pk, _ in rows)]
        answer = target.browser.ask(path, fields)
        if not with_list:
            return answer
        then = target.browser.ask(path)
    for name in ("ms", "cpu", "sql", "db", "client"):
        answer.cost[name] += then.cost[name]
    answer.body += then.body
    return answer


def _bulk(target, rows):
    selected = [("selected", f"{pk}:{version}") for pk, version in rows]
    fields = [("verb", "comment.approve"), *selected, key(), ("next", QUEUE)]
    return target.browser.ask(f"{COMMENTS}bulk/", fields, htmx=QUEUE)


def undo(target, pending):
    """Undoes a bulk of 1,000 by the toast in its answer."""
    with pending.some(1000, undone=True) as rows:
        path = _bulk(target, rows).text.split('hx-post="/manage/ledger/')[1].split('"')[0]
        return target.browser.ask(f"/manage/ledger/{path}", [("version", 0), key(), ("next", QUEUE)], htmx=QUEUE)
