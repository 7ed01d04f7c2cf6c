"""The bench measures what it says, and says what was missed."""

import json
import os
import subprocess
import sys

import pytest

from bench import cases, report
from project.testing import ROOT


def samples(ms, sql=5):
    return [{"ms": each, "cpu": each, "sql": sql, "db": 1, "bytes": 10, "zipped": 5} for each in ms]


@pytest.fixture
def runs():
    """A run in which every goal is met by a hair."""
    made = {"first": {"console": samples([10])}, "memory": {"console": cases.MOST_MIB}}
    for goal in cases.GOALS:
        targets = made.setdefault(goal.case, {"console": samples([10])})
        if goal.at_least:
            targets[goal.than] = samples([max(10 * goal.at_least, targets.get(goal.than, samples([0]))[0]["ms"])])
        elif goal.than == "floor":
            targets["floor"] = samples([10 / goal.at_most])
    made["poll unchanged"]["console"] = samples([10], sql=0)
    return made


def test_nothing_is_missed_when_every_goal_is_met(runs):
    assert report.missed(runs, is_growth=False) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda runs: runs["queue"].update(admin=samples([59])), "queue is 5.9 times as fast as admin, not 6."),
        (lambda runs: runs["far"].update(console=samples([12.5])), "far (p50) takes 1.25 times what first takes"),
        (lambda runs: runs["approve"].update(console=samples([10] * 98 + [50] * 2)), "approve (p99) takes 5.00 times"),
        (lambda runs: runs["queue"].update(console=samples([10], sql=7)), "queue takes 7 statements, not 6."),
        (lambda runs: runs["poll unchanged"].update(console=samples([10], sql=1)), "an unchanged poll asks"),
        (lambda runs: runs["memory"].update(console=71), "a worker takes 71 MiB, not 70."),
    ],
)
def test_what_is_missed_is_said(runs, change, said):
    change(runs)
    missed = report.missed(runs, is_growth=False)
    assert any(said in sentence for sentence in missed), missed


def test_growth_is_judged_by_the_ends():
    runs = {"queue": {"20000": samples([10]), "200000": samples([30]), "2000000": samples([12.1])}}
    assert report.missed(runs, is_growth=True) == ["Missed: queue grew 1.21 times, not 1.2."]
    assert report.missed(runs, is_growth=True, slack=report.NOISE) == []
    assert "| queue " in report.growth(runs)


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """Where the bench keeps its data set: made once for both tests."""
    return tmp_path_factory.mktemp("bench")


@pytest.mark.slow
@pytest.mark.xdist_group("bench")
def test_it_compares(state):
    """With the peers that are installed; it fails by itself when lists differ in rows or a decision did nothing."""
    environ = {**os.environ, "ATTENDANT_STATE": str(state)}
    command = [sys.executable, "-m", "bench", "--comments", "20000", "--requests", "2"]
    command += [part for case in ("queue", "item", "approve") for part in ("--only", case)]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads((state / "bench" / "results.json").read_text())["runs"]
    for case in ("queue", "item", "approve"):
        assert {"console", "admin", "admin+", "floor"} <= set(found[case])
    assert report.median(found["item"]["admin"], "sql") <= cases.MOST_SQL, "no list of all rows to choose from"


@pytest.mark.slow
@pytest.mark.xdist_group("bench")
def test_it_runs(state):
    """On the smallest data set, the console alone: the peers need a package that only the bench has."""
    environ = {**os.environ, "ATTENDANT_STATE": str(state)}
    command = [sys.executable, "-m", "bench", "--growth", "--comments", "20000", "--requests", "3"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads((state / "bench" / "growth.json").read_text())["runs"]
    assert {"queue", "far", "rare", "approve", "bulk 50", "poll unchanged"} <= set(found)
    # once a minute a request notes, by one statement more, that its person is still here
    assert report.median(found["queue"]["20000"], "sql") <= cases.MOST_SQL
    assert all(each["sql"] == 0 for each in found["poll unchanged"]["20000"])
