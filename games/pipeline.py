"""What becomes of a zip: `received → inspected → unpacked → pictured → stored → ready`, as one job per build.

Each stage may be tried again, by another worker, on another machine: what it needs of those before it, it makes again.
It takes effect under the job's token, together with the build's new state, or not at all.
"""

import errno
import json
import shutil
import signal
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from console import jobcare, jobs
from console.models import Job
from games import actions, confined, pictures, quarantine
from games.archive import Report
from games.models import Build, Finding, Game, StageRun

KIND = "games.process_build"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def register():
    jobs.register(
        jobs.Kind(
            KIND,
            process,
            queue="uploads",
            ended=given_up,
            lock=lock_above,
            label="Process a build",
            about=about,
            retried=retried,
            cancelled=cancelled,
            retriable=retriable,
            stays="Its build has moved on since, or its zip is gone: look at the build.",
        )
    )


def keep_going(builds):
    """Background work as the builds' states want it: one job where there is something to do, none elsewhere."""
    known = [build.job_id for build in builds if build.job_id]
    going = set(Job.objects.filter(pk__in=known, state__in=Job.OPEN).values_list("pk", flat=True)) if known else set()
    stop = [build.job_id for build in builds if build.job_id in going and not build.is_processing]
    if stop:
        jobs.cancel(Job.objects.filter(pk__in=stop))
    start = [build for build in builds if build.is_processing and build.job_id not in going]
    jobcare.dismiss(Job.objects.filter(pk__in=[build.job_id for build in start if build.job_id]))
    made = jobs.enqueue(KIND, [{"build": build.pk} for build in start]) if start else []
    for build, job in zip(start, made, strict=True):
        build.job = job
    if start:
        Build.objects.bulk_update(start, ["job"])


def process(claim):
    """The job: every stage that is still to come."""
    build = Build.objects.select_related("game").get(pk=claim.job.args["build"])
    StageRun.objects.filter(build=build, outcome=StageRun.RUNNING).update(
        outcome=StageRun.LOST, ended_at=timezone.now(), error="Its worker was stopped."
    )
    for left in Path(settings.WORK_DIR).glob(f"{build.prefix.hex}-*"):  # by attempts that were killed
        shutil.rmtree(left, ignore_errors=True)
    line = Line(claim, build)
    try:
        while line.build.is_processing:
            line.run(Build.STAGES[Build.PROCESSING.index(line.build.state)])
    finally:
        shutil.rmtree(line.folder, ignore_errors=True)


def lock_above(several):
    keys = [job.args["build"] for job in several]
    Build.lock_above(keys)
    list(Build.objects.select_for_update().filter(pk__in=keys).order_by("pk").values_list("pk"))


def given_up(job):
    """The job ended as dead or failed: so does its build, if it still waits for it."""
    build = Build.objects.filter(pk=job.args["build"]).first()
    if build and build.is_processing:
        StageRun.objects.filter(build=build, outcome=StageRun.RUNNING).update(
            outcome=StageRun.LOST, ended_at=timezone.now(), error=job.error
        )
        actions.fail(build, by=None, error=job.error)


def about(several):
    """`{pk of a job: (the build it is about, its address)}`."""
    builds = Build.objects.select_related("game").in_bulk([job.args["build"] for job in several])
    found = [(job.pk, builds.get(job.args["build"])) for job in several]
    return {pk: (str(build), build.get_absolute_url()) for pk, build in found if build}


def retriable():
    """A condition on jobs: those that their builds still wait for."""
    return Exists(Build.objects.filter(job=OuterRef("pk"), state__in=(Build.FAILED, Build.CANCELLED)).exclude(zip=""))


def retried(several, act):
    """The builds of these jobs go on where they stopped, as by their own Retry."""
    actions.go_on(_builds_of(several, state__in=(Build.FAILED, Build.CANCELLED)), act)


def cancelled(several, act):
    """The builds of these jobs are cancelled, as by their own Cancel."""
    actions.stop(_builds_of(several, state__in=Build.PROCESSING), act)


def _builds_of(several, **which):
    """Their rows are locked already (lock_above)."""
    return list(Build.objects.filter(job__in=several, **which).order_by("pk"))


class Interrupted(Exception):
    """Somebody ended the child that looked into the zip: no fault of the zip's, and to be tried again."""


class Line:
    """One worker's way through the stages of one build. `folder` is its own and goes with it."""

    def __init__(self, claim, build):
        self.claim, self.build = claim, build
        self.folder = Path(settings.WORK_DIR) / f"{build.prefix.hex}-{claim.token.hex}"
        self.effects = {}  # fields of the build that the stage changes
        self.source, self.found = "", []  # what it found out, in place of what it did before

    def run(self, name):
        """One stage, with its line in the log. Raises jobs.Failed, jobs.Later and jobs.Lost."""
        self.claim.check()
        attempt = self.claim.job.attempt
        log = StageRun.objects.create(build=self.build, name=name, attempt=attempt, worker=self.claim.job.worker)
        self.effects, self.source, self.found = {}, "", []
        try:
            getattr(self, f"_{name}")()
        except jobs.Failed as failed:
            self._fail(log, failed)
        except jobs.Lost:
            raise
        except Exception as error:
            words = str(error) if isinstance(error, jobs.Later) else f"{type(error).__name__}."
            self._close(log, StageRun.FAILED, words)
            raise
        else:
            self._commit(name, log)

    @contextmanager
    def _effect(self, **fields):
        """A transaction under the job's token; locks the game, then the build, then the job, as verbs do."""
        with transaction.atomic():
            Game.objects.select_for_update().get(pk=self.build.game_id)
            self.build = Build.objects.select_for_update(of=("self",)).select_related("game").get(pk=self.build.pk)
            with self.claim.fenced(**fields):
                if not self.build.is_processing:
                    raise jobs.Lost
                if self.source:
                    Finding.objects.filter(build=self.build, source=self.source).delete()
                    Finding.objects.bulk_create(self.found, ignore_conflicts=True)
                yield

    def _commit(self, name, log):
        last = name == Build.READY
        progress = round(100 * (Build.STAGES.index(name) + 1) / len(Build.STAGES))
        with self._effect(state=Job.DONE if last else Job.RUNNING, stage=name, progress=progress, error=""):
            if last:
                actions.ready(self.build, by=None)
            state = {} if last else {"state": name, "reached": name}
            Build.objects.filter(pk=self.build.pk).update(**state, **self.effects)
            self._close(log, StageRun.DONE)
        self.build.refresh_from_db()

    def _fail(self, log, failed):
        with self._effect(state=Job.FAILED, error=str(failed), stage=log.name):
            self._close(log, StageRun.FAILED, str(failed))
            Build.objects.filter(pk=self.build.pk).update(**self.effects)
            actions.fail(self.build, by=None, error=str(failed))
        self.build.refresh_from_db()

    def _close(self, log, outcome, error=""):
        StageRun.objects.filter(pk=log.pk).update(outcome=outcome, ended_at=timezone.now(), error=error)

    # --- the stages ------------------------------------------------------------------------------------------

    def _inspected(self):
        """Decides from the zip's directory, in a child that may neither use much memory nor much time."""
        report = self._report(fresh=True)
        self.source = Finding.ARCHIVE
        self.found = [
            Finding(
                build=self.build,
                source=self.source,
                code=each.code,
                level=each.level,
                path=each.path[:300],
                sentence=each.sentence[:600],
            )
            for each in report.findings
        ]
        if not report.ok:
            errors = [each for each in report.findings if each.level == Finding.ERROR]
            more = f" And {len(errors) - 1} more: see below." if len(errors) > 1 else ""
            raise jobs.Failed(f"{errors[0].sentence}{more}")
        self.effects = {
            "files": [[member.path, member.size, member.crc] for member in report.members],
            "unpacked": report.unpacked,
        }

    def _unpacked(self):
        shutil.rmtree(self.folder / "files", ignore_errors=True)
        self._files()

    def _pictured(self):
        """A missing picture never fails a build: there is always the tile."""
        self._files()
        with self._working():
            picture = pictures.make(self.folder, title=self.build.game.title)
        self.source = Finding.PICTURE
        self.found = [
            Finding(build=self.build, source=self.source, code=code, level=Finding.NOTE, sentence=sentence)
            for code, sentence in picture.findings
        ]
        name = f"pictures/{self.build.prefix.hex}.webp"
        with self._reaching("The storage"):
            _put(name, picture.path)
        self.effects = {"thumbnail": name}

    def _stored(self):
        """To a prefix of its own, where nothing points at before the build is ready."""
        files = self._files()
        with self._reaching("The storage"):
            for path, _, _ in self.build.files:
                self.claim.check()
                _put(self.build.folder + path, files / path)

    def _ready(self):
        """What is to be done is done by the verb, as the effect of this stage."""

    # --- what stages need ------------------------------------------------------------------------------------

    def _report(self, fresh=False):
        path = self.folder / "report.json"
        if fresh or not path.exists():
            with self._working():
                zip_path = quarantine.path_of(self.build.zip)
                if not zip_path.exists():
                    raise jobs.Failed("The uploaded zip is gone from quarantine. Upload it again.")
                path.write_bytes(confined.run("games.archive", "inspect", str(zip_path), timeout_s=90))
        return Report.from_json(path.read_text())

    def _files(self):
        """The folder of unpacked files; made again where it is missing."""
        files = self.folder / "files"
        if not files.exists():
            self._report()
            with self._working():
                files.mkdir()
                zip_path, report = quarantine.path_of(self.build.zip), self.folder / "report.json"
                done = confined.run("games.archive", "unpack", str(zip_path), str(report), str(files), timeout_s=120)
                finding = json.loads(done or b"{}").get("finding")
                if finding:
                    shutil.rmtree(files, ignore_errors=True)
                    raise jobs.Failed(finding["sentence"])
        return files

    @contextmanager
    def _working(self):
        """In the work folder: no room there is trouble of ours, not of the zip."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            yield
        except confined.Confined as ended:
            shutil.rmtree(self.folder / "files", ignore_errors=True)
            if ended.no_room:
                raise jobs.Later("The work folder is full. It goes on when there is room again.") from ended
            if ended.code in (-signal.SIGKILL, -signal.SIGTERM, confined.ORPHAN):
                raise Interrupted from ended
            raise jobs.Failed(str(ended)) from ended
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise jobs.Later("The work folder is full. It goes on when there is room again.") from error
            raise

    @contextmanager
    def _reaching(self, what):
        """Something of ours that may be away for a while."""
        try:
            yield
        except (jobs.Lost, jobs.Later):
            raise
        except Exception as error:
            if not _is_away(error):
                raise
            jobs.log.warning("%s could not be reached: %r", what, error)
            raise jobs.Later(f"{what} cannot be reached. It is tried again until it can.") from error


def _is_away(error):
    """Whether it may help to wait: for a disk, a connection, or a server in trouble; not for a mistake of ours."""
    answer = getattr(error, "response", None)  # of S3
    if isinstance(answer, dict):
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
        return status >= 500 or status == 429
    return isinstance(error, OSError) or type(error).__module__.startswith(("botocore", "urllib3"))


def _put(name, path):
    """Puts a file into the storage under exactly this name, also when half of it is there already."""
    with path.open("rb") as file:
        saved = default_storage.save(name, File(file))
    if saved != name:
        with suppress(OSError):
            default_storage.delete(saved)
        raise OSError(f"The storage called {name} {saved}.")
