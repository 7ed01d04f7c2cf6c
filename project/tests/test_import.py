"""import_comments as a process of its own on a large file: killed, twice at once, and how much memory it takes."""

import csv
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db.models import Count, F

from moderation.imports import BATCH
from moderation.models import Comment, CommentText, Player
from project.testing import environment

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


def write(path, numbers):
    """A portal's export: players write several comments each, the first row and the last are unusable."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["external_id", "author", "game", "body"])
        rows.writerow(["", "Ann", "", "first"])
        for number in numbers:
            author, game = f"player {number * number % 9973}", f"game-{number % 50}"
            rows.writerow([f"c{number}", author, game, f"comment {number} is about the sea, " * 5])
        rows.writerow(["", "Ann", "", "last"])
    return path


@pytest.fixture
def start(committed_db):
    started = []

    def start(path):
        process = subprocess.Popen(
            [sys.executable, ROOT / "manage.py", "import_comments", path],
            env=os.environ | environment(committed_db),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def finish(process):
    """What it said; the two unusable rows are all that was wrong."""
    said, complaints = process.communicate()
    assert process.returncode == 1, complaints
    assert "Rejected 2 rows" in complaints
    return said


def assert_all_is_there_once(number):
    assert (Comment.objects.count(), CommentText.objects.count()) == (number, number)
    counted = Player.objects.annotate(number=Count("comments")).exclude(number=F("comment_count"))
    assert not counted.exists()


def test_after_kill_9_a_second_run_imports_what_is_missing(start, tmp_path):
    path = write(tmp_path / "export.csv", range(30_000))
    killed = start(path)
    while not Comment.objects.exists():
        assert killed.poll() is None
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    before = Comment.objects.count()
    imported, known = map(int, re.findall(r"\d+", finish(start(path)).replace(",", ""))[:2])
    assert before <= known < imported + known == 30_000
    assert known % BATCH == BATCH - 1, "whole batches, less the row rejected from the first"
    assert_all_is_there_once(30_000)
    with (tmp_path / "export.csv.rejects.csv").open() as file:
        assert [row["body"] for row in csv.DictReader(file)] == ["first", "last"]


def test_imports_at_once_wait_for_each_other_and_bring_nothing_twice(start, tmp_path):
    there = range(10_000)
    back = sorted(there, key=lambda number: (number // BATCH, -number))  # the same batches, each from its end
    processes = [start(write(tmp_path / f"{place}.csv", way)) for place, way in enumerate([there, back, there[::-1]])]
    for process in processes:
        finish(process)
    assert_all_is_there_once(10_000)


def test_a_large_file_takes_no_more_memory_than_a_small_one(start, tmp_path):
    def peak_mb(rows):
        process = start(write(tmp_path / "export.csv", range(rows)))
        status, peak = Path(f"/proc/{process.pid}/status"), 0
        while process.poll() is None:  # what wait4 tells counts the memory of this process, from before exec
            found = re.search(r"VmHWM:\s*(\d+)", status.read_text())
            peak = int(found[1]) if found else peak
            time.sleep(0.02)
        finish(process)
        return peak / 1024

    small = peak_mb(2_000)
    assert peak_mb(40_000) - small < 5
    assert_all_is_there_once(40_000)
