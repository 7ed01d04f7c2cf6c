"""Measures the console beside its peers on the same rows, and prints one table. See README.md."""

import argparse
import json
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec

from bench import bans, cases, data, people, report, uploads
from bench.servers import Target
from project import embedded
from project.processes import Group, stop_on_signals

WARM = 3
SLOW_MS, FEW = 500, 7  # what takes longer is asked less often


def main():
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    parser.add_argument("--comments", type=int, default=2_000_000, choices=sorted(data.SIZES), help="the data set")
    parser.add_argument("--requests", type=int, default=50, help="for each case and target; fewer for what is slow")
    parser.add_argument("--only", action="append", help="cases with this in their name; may be given again")
    parser.add_argument("--growth", action="store_true", help="the console alone on every size up to --comments")
    parser.add_argument("--check", action="store_true", help="exit 1 when a budget is missed by more than the noise")
    parser.add_argument("--uploads", action="store_true", help="an upload of 50 MB, and polls, instead of lists")
    parser.add_argument("--bans", action="store_true", help="ban checks a second of one worker process")
    parser.add_argument(
        "--people", action="store_true", help="players, bans, the ledger and staff, instead of comments"
    )
    given = parser.parse_args()
    stop_on_signals()
    if given.uploads:
        print("\n".join(uploads.main(say)))
        return
    if given.bans:
        with embedded.Services(data.STATE):
            lines = bans.main(say)
        print("\n".join(lines))
        return
    if given.people:
        with embedded.Services(data.STATE):
            lines, over = people.main(given.comments, given.requests, say)
        print("\n".join(lines))
        sys.exit(1 if given.check and over else 0)
    with embedded.Services(data.STATE):
        runs = grow(given) if given.growth else compare(given)
    when = datetime.now(UTC).replace(microsecond=0)
    path = data.STATE / f"{'growth' if given.growth else 'results'}.json"
    path.write_text(json.dumps({"at": when.isoformat(), "comments": given.comments, "runs": runs}, indent=1))
    print(report.growth(runs) if given.growth else report.table(runs))
    print("\n".join([*report.missed(runs, given.growth), report.judged(runs, given.growth)]))
    print(f"Details: {path}")
    sys.exit(1 if given.check and report.missed(runs, given.growth, report.NOISE) else 0)


def say(words):
    print(words, file=sys.stderr, flush=True)


@contextmanager
def running(kinds):
    """Targets for `(kind, name of a data set, what is sought)`, signed in."""
    data.collect_static(kinds[0][1])
    with Group() as group:
        targets = [Target(group, *kind) for kind in kinds]
        for target in targets:
            target.sign_in()
        yield targets


def compare(given):
    """`{case: {target: samples}}`: the console beside everybody else on one data set."""
    size = given.comments
    data.ensure(size, say)
    data.ensure_plain(size, say)
    sought = data.sought(size)
    kinds = [("console", size), ("admin", data.plain(size)), ("admin+", size), ("floor", size)]
    if find_spec("unfold"):  # bench/run installs it
        kinds.append(("unfold", data.plain(size)))
    with running([(*kind, sought) for kind in kinds]) as targets:
        named = {target.kind: target for target in targets}
        runs = read(named, given)
        runs |= write(named, given)
        if not given.only:
            runs["memory"] = memory(named)
    return runs


def grow(given):
    """`{case: {size: samples}}`: the console on every size, interleaved."""
    sizes = [size for size in sorted(data.SIZES) if size <= given.comments]
    for size in sizes:
        data.ensure(size, say)
    with running([("console", size, data.sought(size)) for size in sizes]) as targets:
        named = {str(target.name): target for target in targets}
        return read(named, given) | write(named, given)


def asked_for(case, given):
    return not given.only or any(part in case for part in given.only)


def read(named, given):
    known = {name: cases.reads(target) for name, target in named.items()}
    wanted = [case for case in known[next(iter(named))] if asked_for(case, given)]
    return {
        case: interleave({n: known[n][case] for n in named if case in known[n]}, given.requests, case)
        for case in wanted
    }


def write(named, given):
    """Decisions; each target on rows of its own, which are put back after every request."""
    pending = {name: cases.Pending(target.name) for name, target in named.items()}
    for place, each in enumerate(pending.values()):
        each.ids = each.ids[place :: len(pending)]  # some share a data set
    most, few = min(len(each.ids) for each in pending.values()), max(5, given.requests // 10)
    asked = {
        "approve": (1, given.requests * 2, cases.approve),
        "approve, no list": (1, given.requests * 2, partial(cases.approve, with_list=False)),
        "bulk 50": (50, given.requests, partial(cases.bulk, number=50)),
        "bulk 1000": (1000, few, partial(cases.bulk, number=1000)),
        "bulk 1000 row by row": (1000, few, partial(cases.bulk, number=1000, action="approve_each")),
        "undo 1000": (1000, few, cases.undo),
    }
    runs = {}
    for case, (rows, number, function) in asked.items():
        if asked_for(case, given) and rows <= most:
            able = {name: target for name, target in named.items() if case != "undo 1000" or target.kind == "console"}
            runs[case] = interleave({n: partial(function, t, pending[n]) for n, t in able.items()}, number, case)
    return runs


def memory(named):
    """The larger worker of each, in MiB, after 500 requests to the queue and all that came before."""
    result = {}
    for name, target in named.items():
        queue, workers = cases.reads(target)["queue"], {}
        for _ in range(500):
            cost = queue().cost
            workers[cost["pid"]] = cost["rss"]
        result[name] = max(workers.values())
    return result


def interleave(functions, number, case):
    """`{name: samples}`: one request to each in turn, after some that warm up. Lists must show the same rows to all.

    Raises RuntimeError when they do not: then there is nothing to compare.
    """
    say(f"{case} ...")
    samples, shown = {name: [] for name in functions}, {}
    for turn in range(WARM + number):
        for name, function in functions.items():
            if len(samples[name]) >= FEW and report.median(samples[name]) > SLOW_MS:
                continue
            answer = function()
            shown[name] = answer.rows
            if turn >= WARM:
                samples[name].append(sample(answer))
    if case in cases.LISTS and "console" in functions and len(set(shown.values())) > 1:
        raise RuntimeError(f"{case} shows different numbers of rows: {shown}")
    return samples


def sample(answer):
    return {**answer.cost, "bytes": len(answer.body), "zipped": answer.zipped}


if __name__ == "__main__":
    main()
