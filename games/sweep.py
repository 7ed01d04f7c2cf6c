"""Removes files that nobody will ask for again: of builds that failed or were superseded, and what uploads left over.

Never what is live, nor what could be made live again by a verb or its undo within KEEP.
"""

import logging
import shutil
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from console import jobs
from console.models import Job
from games import quarantine
from games.intake import HELD_S
from games.models import Build, Game

KEEP = timedelta(days=30)  # for second thoughts about builds that are over
KEEP_ZIP = timedelta(days=1)  # of a build that is ready, in case it has to be looked at
BATCH = 200  # builds a round
WORK_S = 6 * 3600  # no job takes that long
OVER = (Build.FAILED, Build.CANCELLED, Build.REJECTED, Build.SUPERSEDED)
PLAYABLE = (Build.READY, Build.REJECTED, Build.SUPERSEDED)


KIND = "games.sweep"
log = logging.getLogger("attendant.games")


def work(claim):
    claim.finish(swept=run(check=claim.check))


def register():
    jobs.register(jobs.Kind(KIND, work, queue="uploads", label="Remove files of old builds"))


def begin():
    """Asks for a round, unless one is on its way."""
    if not Job.objects.filter(kind=KIND, state__in=Job.OPEN).exists():
        jobs.enqueue(KIND, [{}])


def run(now=None, check=lambda: None):
    """Returns how many builds were swept. `check()` is called between steps and may raise, to end it there."""
    now = now or timezone.now()
    _zips(now)
    _work()
    over = Build.objects.filter(state__in=OVER, swept_at=None, changed_at__lt=now - KEEP).order_by("pk")
    for pk in over.values_list("pk", flat=True)[:BATCH]:
        check()
        _close(pk)
    swept = 0
    closed = Build.objects.exclude(swept_at=None).filter(Q(unpacked__gt=0) | ~Q(thumbnail="") | ~Q(zip=""))
    for pk in closed.order_by("pk").values_list("pk", flat=True)[:BATCH]:
        check()
        try:
            swept += _remove(Build.objects.defer(None).get(pk=pk))
        except Exception:  # each kind of storage has errors of its own
            log.exception("Files of build %s could not be removed; the next round tries again", pk)
    return swept


def _close(pk):
    """From here on nobody plays it: under its game's lock, so that Publish and undo wait and find it closed."""
    with transaction.atomic():
        Build.lock_above([pk])
        build = Build.objects.select_for_update().filter(pk=pk, state__in=OVER, swept_at=None).first()
        if build and not Game.objects.filter(current_build=build).exists():
            Build.objects.filter(pk=pk).update(swept_at=timezone.now())


def _remove(build):
    """A closed build's files; says so in its row when all are gone."""
    for path, _, _ in build.files:
        default_storage.delete(build.folder + path)
    folders = {parent for path, _, _ in build.files for parent in PurePosixPath(build.folder + path).parents}
    for folder in sorted(folders, key=lambda folder: -len(folder.parts)):
        if folder.is_relative_to(build.folder):
            with suppress(OSError):
                default_storage.delete(str(folder))
    if build.thumbnail:
        default_storage.delete(build.thumbnail)
    if build.zip:
        quarantine.remove(build.zip)
    return Build.objects.filter(pk=build.pk).update(unpacked=0, thumbnail="", zip="")


def _zips(now):
    """Zips of builds that are done with theirs, and those that no build came of."""
    done = Build.objects.filter(state__in=PLAYABLE, changed_at__lt=now - KEEP_ZIP).exclude(zip="")
    for build in done[:500]:
        if Build.objects.filter(pk=build.pk, state__in=PLAYABLE).update(zip=""):
            quarantine.remove(build.zip)
    folder = Path(settings.QUARANTINE_DIR)
    left = [path for path in folder.glob("*.zip") if time.time() - path.stat().st_mtime > HELD_S]
    known = set(Build.objects.filter(zip__in=[path.name for path in left]).values_list("zip", flat=True))
    for path in left:
        if path.name not in known:
            path.unlink(missing_ok=True)


def _work():
    """What killed workers left behind."""
    for path in Path(settings.WORK_DIR).glob("*"):
        if time.time() - path.stat().st_mtime > WORK_S:
            shutil.rmtree(path, ignore_errors=True)
