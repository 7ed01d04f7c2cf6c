"""The job that writes an export. A worker that is killed leaves nothing anybody sees: the file is made in the work
folder, put into the storage under a name of this attempt alone, and belongs to the export only when the job is done.
Files are named by chance and lie below a prefix that nothing is served from.
"""

import logging
import shutil
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone

from console import jobs, personal
from console.exporting import sources
from console.exporting.actions import KIND
from console.models import Entry, Export, Job

PREFIX = "exports/"
SECONDS = 480  # a task has 540
EVERY_S = 3  # so often it says how far it is
BATCH = 200  # files a sweep
CANCELLED = "The export was cancelled. Ask for it again."
NOT_YOURS = "Your account may not export this list any more."
GONE = "There is no such list any more."
NO_FILTER = "What the list was narrowed by has been erased since, with the person it named. Ask for the export again."
TOO_LONG = "It took longer than eight minutes. Narrow the list, or ask for it in parts."
AWAY = "The file cannot be stored just now. It is tried again until it can."
log = logging.getLogger("attendant.exports")


def register():
    # not "default", where one worker looks after all jobs and seals: it must not wait for minutes
    jobs.register(jobs.Kind(KIND, write, queue="uploads", label="Write an export"))


def asking(export):
    """The entry by which it was asked for."""
    about = Entry.objects.filter(target_type="console.export", target_id=export.pk, verb="export.ask")
    return about.order_by("pk").first()


def query_of(entry):
    """What that one was narrowed by, as a QueryDict; None when it has been erased."""
    said = personal.reveal([entry.note]).get(entry.note) if entry.note else ""
    return None if said is None else QueryDict(said)


def write(claim):
    """The job. Raises jobs.Failed, jobs.Later and jobs.Lost."""
    export = Export.objects.select_related("owner").get(pk=claim.job.args["export"])
    _forget(export)
    if export.cancelled_at:  # and then somebody had the job tried again
        raise jobs.Failed(CANCELLED)
    work = Path(settings.WORK_DIR)
    for left in work.glob(f"export-{export.pk}-*"):  # by attempts that were killed
        shutil.rmtree(left, ignore_errors=True)
    folder = work / f"export-{export.pk}-{claim.token.hex}"  # a retried job counts attempts anew
    try:
        with _patient():
            folder.mkdir(parents=True)
        source = source_of(export, Progress(claim))
        path = _make(source, folder)
        _hand_in(claim, export, source, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def source_of(export, step):
    """The Source of what was asked for, for its owner as they are now. Raises jobs.Failed when it is none of theirs."""
    kind, owner, entry = sources.get(export.source), export.owner, asking(export)
    if kind is None or entry is None:
        raise jobs.Failed(GONE)
    if not (owner.is_active and owner.is_staff and owner.has_perm(kind.permission)):
        raise jobs.Failed(NOT_YOURS)
    query = query_of(entry)
    if query is None:
        raise jobs.Failed(NO_FILTER)
    source = kind(owner, query, step)
    if not source.is_valid():
        raise jobs.Failed(GONE)
    source.choose(export.format)
    source.own = entry.batch_id
    step.begin(source.count())
    return source


class Progress:
    """Called with the number of rows written: says so in the job now and then, and ends work that is of no more use."""

    def __init__(self, claim):
        self.claim, self.about, self.said, self.until = claim, 0, 0.0, time.monotonic() + SECONDS

    def begin(self, about):
        self.about = about
        self.say(0)

    def __call__(self, written):
        self.claim.check()
        if time.monotonic() > self.until:
            raise jobs.Failed(TOO_LONG)
        if time.monotonic() > self.said + EVERY_S:
            self.say(written)

    def say(self, written):
        self.said = time.monotonic()
        share = min(99, 100 * written // max(self.about, 1))
        with self.claim.fenced(stage="writing", progress=share, result={"written": written, "about": self.about}):
            pass


def _make(source, folder):
    path = folder / f"list.{source.format}"
    with _patient(), path.open("wb") as file:
        for piece in source.pieces(folder):
            source.step(source.written)
            file.write(piece)
    return path


def _hand_in(claim, export, source, path):
    """Stores the file and ends the job with it; nothing stays in the storage when that does not work."""
    name = f"{PREFIX}{claim.token.hex}.{source.format}"
    with _effect(claim, export, stage="storing"):
        Export.objects.filter(pk=export.pk).update(file=name)
    try:
        with _patient():
            put(name, path)
        written = {"written": source.written, "about": source.written}
        with _effect(claim, export, state=Job.DONE, progress=100, stage="written", error="", result=written):
            Export.objects.filter(pk=export.pk).update(
                size=path.stat().st_size,
                held=source.held(),
                expires_at=timezone.now() + timedelta(hours=settings.EXPORT_HOURS),
            )
    except BaseException:
        remove(name)
        raise


@contextmanager
def _effect(claim, export, **fields):
    """A transaction under the job's token; locks the export before the job, as verbs do."""
    with transaction.atomic():
        list(Export.objects.select_for_update().filter(pk=export.pk).values_list("pk"))
        with claim.fenced(**fields):
            yield


@contextmanager
def _patient():
    """A disk or storage may be full or away for a while."""
    try:
        yield
    except OSError as error:
        log.warning("an export could not be stored: %r", error)
        raise jobs.Later(AWAY) from error


def put(name, path):
    """Raises OSError when it does not work, whatever kind of storage it is."""
    try:
        with path.open("rb") as file:
            default_storage.save(name, File(file))
    except Exception as error:
        raise OSError(f"not stored: {error!r}") from error


def remove(name):
    """Returns whether the file is gone."""
    try:
        default_storage.delete(name)
    except Exception:  # each kind of storage has errors of its own
        log.exception("%s could not be removed; the next round tries again", name)
        return False
    return True


def _forget(export):
    """What an attempt that was killed had stored."""
    if export.file and remove(export.file):
        Export.objects.filter(pk=export.pk, file=export.file).update(file="", size=None, held=[], expires_at=None)


def sweep(now=None):
    """Removes files that expired, and those of jobs that ended without an effect. Returns how many."""
    now = now or timezone.now()
    unfinished = Q(expires_at=None) & (Q(job=None) | ~Q(job__state__in=[*Job.OPEN, Job.DONE]))
    over = Export.objects.filter(Q(expires_at__lte=now) | unfinished).exclude(file="")
    swept = 0
    for pk, name in over.order_by("pk").values_list("pk", "file")[:BATCH]:
        swept += remove(name) and Export.objects.filter(pk=pk, file=name).update(file="")
    return swept
