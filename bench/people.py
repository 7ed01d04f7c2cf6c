"""What the pages of players, bans, the ledger and staff cost at full size, a door's check, and checking the ledger.

On a copy of the data set with what issue 6 asks for besides: bans of networks, strikes, sign-ins, seals.
"""

import json
import subprocess
import sys
import time

from bench import data, report
from bench.peoplecases import FILL, cases
from bench.servers import Target
from project.processes import Group

WARM = 3
SLOW_MS, FEW = 500, 7
MOST_SQL, SLUGGISH_MS = 8, 150
HEAD = ("case", "rows", "SQL", "p50 ms", "p95 ms", "DB ms", "bytes", "")


def main(size, number, say):
    """Returns lines of a report, and whether a page takes more statements than it may."""
    name = f"people_{size}"
    data.ensure_people(name, size, FILL, say)
    data.collect_static(name)
    with Group() as group:
        target = Target(group, "console", name, None)
        target.browser.sign_in("/accounts/login/", "login", "senior", data.PASSWORD, "/manage/")
        runs = {case: ask(target.browser, case, path, number, say) for case, path in cases(name).items()}
    rows = [HEAD, *(line(case, *run) for case, run in runs.items())]
    over = [case for case, (_, samples) in runs.items() if report.median(samples, "sql") > MOST_SQL]
    counts = [f"More than {MOST_SQL} statements: {', '.join(over) or 'none'}.", *differing(runs)]
    return [report.lined_up(rows), "", *counts, doors(name), verify(name)], bool(over)


def ask(browser, case, path, number, say):
    """`(rows shown, samples)`."""
    say(f"{case} ...")
    samples, rows = [], 0
    for turn in range(WARM + number):
        answer = browser.ask(path)
        rows = answer.text.count('data-item="')
        if turn >= WARM:
            samples.append({**answer.cost, "bytes": len(answer.body)})
        if len(samples) >= FEW and report.median(samples) > SLOW_MS:
            break
    return rows, samples


def line(case, rows, samples):
    sql, middle = report.median(samples, "sql"), report.median(samples)
    marks = [f"{sql} SQL"] * (sql > MOST_SQL) + ["slow"] * (middle > SLUGGISH_MS)
    figures = (f"{middle:.1f}", f"{report.percentile(samples, 0.95):.1f}", f"{report.median(samples, 'db'):.1f}")
    return (case, rows, sql, *figures, report.median(samples, "bytes"), ", ".join(marks))


def differing(runs):
    """Lists that take more statements for 100 rows than for 25."""
    counts = {case: report.median(samples, "sql") for case, (_, samples) in runs.items()}
    other = [case[:-5] for case in counts if case.endswith(", 100") and counts[case] != counts[f"{case[:-5]}, 25"]]
    return [f"Another number of statements for 100 rows than for 25: {', '.join(other) or 'none'}."]


def doors(name):
    times = json.loads(subprocess.check_output([sys.executable, "-m", "bench.doors"], env=data.environment(name)))
    samples = [{"ms": ms} for ms in times["ms"]]
    p50, p95 = report.median(samples), report.percentile(samples, 0.95)
    told = f"{len(samples):,} times, {times['bans']:,} bans, {times['refused']:.0%} refused"
    return f"moderation.doors.check, {told}: SQL p50 {p50:.2f} ms, p95 {p95:.2f} ms."


def verify(name):
    command, started = [sys.executable, data.ROOT / "manage.py", "verify_ledger"], time.perf_counter()
    done = subprocess.run(command, env=data.environment(name), capture_output=True, text=True, check=False)
    took, said = time.perf_counter() - started, (done.stdout + done.stderr).strip()
    return f"verify_ledger: {took:.1f} s, exit code {done.returncode}: {said}"
