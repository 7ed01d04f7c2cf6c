"""Removes files that nobody will ask for again: of builds that failed or were superseded, and what uploads left over.

Never what is live, nor what could be made live again by a verb or its undo within KEEP.
"""

import shutil
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from games import quarantine
from games.intake import HELD_S
from games.models import Build, Game

KEEP = timedelta(days=30)  # for second thoughts about builds that are over
KEEP_ZIP = timedelta(days=1)  # of a build that is ready, in case it has to be looked at
WORK_S = 6 * 3600  # no job takes that long
OVER = (Build.FAILED, Build.CANCELLED, Build.REJECTED, Build.SUPERSEDED)
PLAYABLE = (Build.READY, Build.REJECTED, Build.SUPERSEDED)


def run(now=None):
    """Returns how many builds were swept."""
    now = now or timezone.now()
    _zips(now)
    _work()
    old = Build.objects.filter(state__in=OVER, swept_at=None, changed_at__lt=now - KEEP)
    return sum(_sweep(pk) for pk in old.order_by("pk").values_list("pk", flat=True)[:500])


def _sweep(pk):
    """One build's files, under its game's lock: Publish and undo wait, and find that it is gone."""
    with transaction.atomic():
        Build.lock_above([pk])
        build = Build.objects.select_for_update().filter(pk=pk, state__in=OVER, swept_at=None).first()
        if build is None or Game.objects.filter(current_build=build).exists():
            return False
        build.swept_at = timezone.now()
        build.zip, zip_name = "", build.zip
        build.save(update_fields=["swept_at", "zip"])
    for path, _, _ in build.files:
        default_storage.delete(build.folder + path)
    folders = {parent for path, _, _ in build.files for parent in PurePosixPath(build.folder + path).parents}
    for folder in sorted(folders, key=lambda folder: -len(folder.parts)):
        if folder.is_relative_to(build.folder):
            with suppress(OSError):
                default_storage.delete(str(folder))
    if build.thumbnail:
        default_storage.delete(build.thumbnail)
    if zip_name:
        quarantine.remove(zip_name)
    return True


def _zips(now):
    """Zips of builds that are done with theirs, and those that no build came of."""
    done = Build.objects.filter(state__in=PLAYABLE, changed_at__lt=now - KEEP_ZIP).exclude(zip="")
    for build in done[:500]:
        Build.objects.filter(pk=build.pk, state__in=PLAYABLE).update(zip="")
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
