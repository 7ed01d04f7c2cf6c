"""A Celery worker that stops where a test wants it to: `python -m project.tests.halting` in place of `-m celery`.

The work is the product's own; around each stage of a build it looks for an order: a file `<zip's name>@<point>`.
Points are `<stage>-before`, `-after` (its work), `-inside` (the transaction in which it takes effect), `-committed`,
and `put` (a file of it is in the storage); of an export (`export-<id>@`), `written` (half of its rows) and `put`.
"wait" waits until the order is gone, "die" is kill -9.
"""

import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import django

from project.celery import app  # noqa: F401  first of all: it says that this is a worker

django.setup()

from celery.__main__ import main  # noqa: E402

from console import jobs  # noqa: E402
from console.exporting import work  # noqa: E402
from games import pipeline  # noqa: E402
from games.models import Build, StageRun  # noqa: E402
from games.pipeline import Line  # noqa: E402

ORDERS = Path(os.environ["ATTENDANT_ORDERS"])
at_work = []  # the Line whose stage runs in this process


def halt(line, point):
    halt_by_name(line.build.zip_name, point)


def halt_by_name(name, point):
    order = ORDERS / f"{name}@{point}"
    try:
        words = order.read_text()
    except FileNotFoundError:
        return
    if words == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    order.with_name(f"{order.name}.here").write_text(str(os.getpid()))
    while order.exists():
        time.sleep(0.02)


def wrap_stage(name):
    work = getattr(Line, f"_{name}")

    def stage(self):
        at_work[:] = [self]
        halt(self, f"{name}-before")
        work(self)
        halt(self, f"{name}-after")

    setattr(Line, f"_{name}", stage)


def wrap_commit():
    commit, close = Line._commit, Line._close

    def committed(self, name, log):
        commit(self, name, log)
        halt(self, f"{name}-committed")

    def closed(self, log, outcome, error=""):
        close(self, log, outcome, error)
        if outcome == StageRun.DONE:
            halt(self, f"{log.name}-inside")

    Line._commit, Line._close = committed, closed


def wrap_put():
    put = pipeline._put

    def putting(name, path):
        put(name, path)
        if name.startswith("builds/"):
            halt(at_work[0], "put")

    pipeline._put = putting


def wrap_export():
    make, put = work._make, work.put

    def making(source, folder):
        pieces = source.pieces
        name = folder.name.rpartition("-")[0]
        source.pieces = lambda folder: _halted(pieces(folder), name)
        return make(source, folder)

    def putting(name, path):
        put(name, path)
        halt_by_name(path.parent.name.rpartition("-")[0], "put")

    work._make, work.put = making, putting


def _halted(pieces, name):
    for number, piece in enumerate(pieces):
        if number == 1:
            halt_by_name(name, "written")
        yield piece


def hurry(seconds):
    """Shorter times to wait for those who died, so that a test may see many of them."""
    jobs.RESEND_S = seconds
    jobs.register(replace(jobs._kinds[pipeline.KIND], lease_s=seconds))


if __name__ == "__main__":
    for each in Build.STAGES:
        wrap_stage(each)
    wrap_commit()
    wrap_put()
    wrap_export()
    if "ATTENDANT_HURRY_S" in os.environ:
        hurry(float(os.environ["ATTENDANT_HURRY_S"]))
    sys.argv[0] = "celery"
    sys.exit(main())
