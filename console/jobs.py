"""Background work: a row in the database is the promise, a message to Celery only wakes somebody.

A worker claims a row for a while (its lease) by putting a token on it, and keeps the lease alive from a thread. What
it changes, it changes in one transaction with its own row, under its token: a worker that was given up on changes
nothing any more. Attempts are counted before the work starts, so that work which kills its worker ends as `dead`.
"""

import logging
import os
import socket
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.db import Error, connection, transaction
from django.db.models import BooleanField, Case, F, Q, Value, When
from django.utils import timezone

from console import hot, live, logs, meter
from console.models import Job

log = logging.getLogger("attendant.jobs")
RESEND_S = 15  # so long after a message was sent without effect the reaper sends another
LATER_S = 5, 30  # work that waits for something else is tried again after so long at first, and at most
_waking = threading.BoundedSemaphore(4)  # a broker that hangs holds up so many threads and no request
_away = {"until": 0.0}  # by time.monotonic(); after a failure nobody tries to wake a worker for hot.PAUSE_S
_kinds = {}


class Failed(Exception):
    """The work cannot be done, and trying again would not help; the message says why, for people."""


class Later(Exception):
    """Something the work needs is away (a storage, room on a disk). It costs no attempt; the message says what.

    With `at` it is known when to try again; else sooner at first and then less often.
    """

    def __init__(self, message, at=None):
        super().__init__(message)
        self.at = at


class Lost(Exception):
    """The claim is somebody else's by now, or the job was cancelled: nothing more may take effect."""


@dataclass(frozen=True)
class Kind:
    """A kind of work. `run(claim)` does it; `ended(job)` is told, in the same transaction, when it is given up.

    `lock(jobs)` locks what `ended` and the like will change, before the jobs themselves are locked: as verbs do, so
    that nobody waits for each other. `later_s`: how soon it is tried again when what it needs is away, at first and at
    most.

    For those who look after it by hand: `label` in words; `about(jobs)` tells what each is about, `{pk: (words,
    address)}`. `retried(jobs, act)` and `cancelled(jobs, act)` are told, in the same gesture, what was done to them.
    `retriable()` is a condition on jobs (an expression), and `stays` says why others are left as they are.
    """

    name: str
    run: Callable
    queue: str = "default"
    attempts: int = 5
    lease_s: int = 15
    ended: Callable = lambda job: None
    lock: Callable = lambda jobs: None
    later_s: tuple = LATER_S
    label: str = ""
    about: Callable = lambda jobs: {}
    retried: Callable = lambda jobs, act: None
    cancelled: Callable = lambda jobs, act: None
    retriable: Callable | None = None
    stays: str = ""


def register(kind):
    _kinds[kind.name] = kind


def kind_of(job):
    return _kinds[job.kind]


def every_kind():
    return list(_kinds.values())


def label_of(job):
    """Its kind in words; of one that is no more, its name."""
    kind = _kinds.get(job.kind)
    return kind.label or kind.name if kind else job.kind


def stays(job):
    """Why a job that came to nothing is left so, in a sentence."""
    return kind_of(job).stays if job.kind in _kinds else "Nobody does work of this kind any more."


def by_kind(several):
    """`[(Kind, its jobs)]` of those whose kind is known."""
    known = defaultdict(list)
    for job in several:
        if job.kind in _kinds:
            known[job.kind].append(job)
    return [(_kinds[name], those) for name, those in known.items()]


def lock_above(several):
    """Locks what changes together with these jobs; they are to be locked after it."""
    for kind, those in by_kind(several):
        kind.lock(those)


def may_retry():
    """Whether a job can be retried if its state allows it: an expression, for queries."""
    asked = [kind for kind in _kinds.values() if kind.retriable]
    return Case(
        When(~Q(kind__in=list(_kinds)), then=Value(False)),
        *(When(kind=kind.name, then=kind.retriable()) for kind in asked),
        default=Value(True),
        output_field=BooleanField(),
    )


def queues():
    """The queues that jobs, and what beat asks for, come by."""
    return {"default", *(kind.queue for kind in _kinds.values())}


def queue_of(kind):
    """The queue that jobs of this kind are done from; "" when there is no such kind any more."""
    return _kinds[kind].queue if kind in _kinds else ""


def enqueue(name, several, by=None):
    """The rows of new jobs, one for each of these `args`, in the caller's transaction; when that commits, workers are
    told if they can be.
    """
    told = {"kind": name, "created_by": by, "request_id": logs.current()}
    made = Job.objects.bulk_create([Job(args=args, **told) for args in several])
    for job in made:
        transaction.on_commit(partial(wake, job.pk, _kinds[name].queue), robust=True)
    return made


def wake(pk, queue):
    """Tells a worker, from a thread: whoever asked never waits for the broker. The reaper makes up for failures."""
    if time.monotonic() >= _away["until"] and _waking.acquire(blocking=False):
        threading.Thread(target=copy_context().run, args=(_send_and_release, pk, queue), daemon=True).start()


def _send_and_release(pk, queue):
    try:
        send(pk, queue)
    finally:
        _waking.release()


def send(pk, queue):
    """One message, one try. Returns whether the broker took it."""
    from console.tasks import run_job

    try:
        run_job.apply_async([pk], queue=queue, retry=False)
    except Exception as error:  # noqa: BLE001  whatever is wrong with the broker, the row is what counts
        log.warning("no worker could be told of job %s: %s", pk, type(error).__name__)
        _away["until"] = time.monotonic() + hot.PAUSE_S
        return False
    return True


def cancel(jobs):
    """Ends what has not ended; a worker at it finds out at its next step, and leaves no effect."""
    now = timezone.now()
    jobs.filter(state__in=Job.OPEN).update(state=Job.CANCELLED, token=None, ended_at=now, version=F("version") + 1)


def reap():
    """Sends messages for what nobody picked up or whose lease ran out, and buries what used up its attempts.

    Returns how many jobs it looked after. Any number of these may run at once.
    """
    now = timezone.now()
    with transaction.atomic():
        waiting = Job.objects.select_for_update(skip_locked=True).filter(_free(now), due_at__lte=now)
        waiting = waiting.filter(Q(sent_at=None) | Q(sent_at__lt=now - timedelta(seconds=RESEND_S)))
        jobs = [job for job in waiting.order_by("due_at", "id")[:200] if job.kind in _kinds]
        Job.objects.filter(pk__in=[job.pk for job in jobs]).update(sent_at=now)
        spent = [job for job in jobs if job.attempt >= kind_of(job).attempts]
    for job in spent:
        _bury(job.pk)
    unsent = [job for job in jobs if job not in spent]
    while unsent and send(unsent[0].pk, kind_of(unsent[0]).queue):
        unsent.pop(0)
    if unsent:  # the broker is away; the next round tries again
        Job.objects.filter(pk__in=[job.pk for job in unsent]).update(sent_at=None)
    return len(jobs)


def are_delayed():
    """Whether work has been waiting for longer than a worker that is well would let it."""
    since = timezone.now() - timedelta(seconds=2 * RESEND_S)
    return Job.objects.filter(state=Job.QUEUED, due_at__lt=since).exists()


def _free(now):
    """Jobs that may be claimed."""
    return Q(state=Job.QUEUED) | Q(state=Job.RUNNING, lease_until__lt=now)


def _bury(pk):
    with transaction.atomic():
        job = _locked(_free(timezone.now()), pk=pk)
        if job and job.attempt >= kind_of(job).attempts:
            words = f"Given up after {job.attempt} attempts: it ended its worker, or the worker was stopped, each time."
            _end(job, Job.DEAD, job.error or words)


def _locked(*conditions, **named):
    """The job that fulfils these, locked after what its end would change; or None."""
    job = Job.objects.filter(*conditions, **named).first()
    if job is None or job.kind not in _kinds:
        return None
    lock_above([job])
    return Job.objects.select_for_update().filter(*conditions, **named).first()


def _end(job, state, error):
    """Gives a job up, inside the caller's transaction; its kind draws the consequences."""
    job.state, job.error, job.token, job.ended_at = state, error, None, timezone.now()
    job.version += 1
    job.tries = [*job.tries, _try(job, error)]
    job.save(update_fields=["state", "error", "token", "ended_at", "version", "tries"])
    kind_of(job).ended(job)
    transaction.on_commit(live.bump, robust=True)
    transaction.on_commit(partial(_count, job.kind, state), robust=True)


def _count(kind, state):
    meter.happened("jobs_ended", kind, state)


def _try(job, words):
    """An attempt that came to nothing, as it is kept with the job."""
    began = job.started_at and job.started_at.isoformat()
    return {"attempt": job.attempt, "worker": job.worker, "began": began, "error": words}


def work(pk):
    """Does the job, if it is there to be done: a second message about it, or a late one, finds nothing."""
    claim = Claim.take(pk)
    if claim is None:
        _bury(pk)
        return
    known = {"view": claim.job.kind, "job_id": pk, "actor_id": claim.job.created_by_id}
    with logs.of_request(claim.job.request_id or f"job-{pk}", **known), claim.kept_alive():
        try:
            claim.kind.run(claim)
        except Lost:
            log.info("job %s was taken away from us", pk)
        except Later as later:
            claim.put_off(str(later), later.at)
        except Failed as failed:
            claim.give_up(Job.FAILED, str(failed))
        except Exception as error:
            log.exception("job %s stumbled", pk)
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()  # it may have been what it stumbled over
            claim.stumble(f"Something unexpected happened ({type(error).__name__}).")


class Claim:
    """The right to do a job until the lease runs out. `job` is the row as it was claimed."""

    def __init__(self, job, token):
        self.job, self.token, self.kind = job, token, kind_of(job)
        self.is_lost = threading.Event()

    @classmethod
    def take(cls, pk):
        """A Claim, or None when there is nothing to claim."""
        now, token = timezone.now(), uuid.uuid4()
        job = Job.objects.filter(pk=pk).first()
        if job is None or job.kind not in _kinds:
            return None
        kind = kind_of(job)
        free = Job.objects.filter(_free(now), pk=pk, due_at__lte=now, attempt__lt=kind.attempts)
        taken = free.update(
            state=Job.RUNNING,
            attempt=F("attempt") + 1,
            token=token,
            worker=worker_name(),
            started_at=now,
            heartbeat_at=now,
            lease_until=now + timedelta(seconds=kind.lease_s),
        )
        return cls(Job.objects.get(pk=pk), token) if taken else None

    def _mine(self):
        return Job.objects.filter(pk=self.job.pk, token=self.token, state=Job.RUNNING)

    @contextmanager
    def fenced(self, **fields):
        """A transaction in which the work takes effect, and these fields of the job with it. Raises Lost."""
        if fields.get("state") in (Job.DONE, Job.FAILED):
            fields |= {"token": None, "ended_at": timezone.now(), "version": F("version") + 1}
        with transaction.atomic():
            if not self._mine().update(heartbeat_at=timezone.now(), **fields):
                raise Lost
            yield
            transaction.on_commit(live.bump, robust=True)
            if "token" in fields:
                transaction.on_commit(partial(_count, self.job.kind, fields["state"]), robust=True)

    def finish(self, **result):
        """For work without an effect of its own in the database."""
        with self.fenced(state=Job.DONE, progress=100, result=result):
            pass

    def check(self):
        """Between steps that change nothing in the database: raises Lost when there is no use in going on."""
        if self.is_lost.is_set():
            raise Lost

    @contextmanager
    def kept_alive(self):
        over = threading.Event()
        told = copy_context()  # of the request: threads begin without
        thread = threading.Thread(target=told.run, args=(self._beat, over), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _beat(self, over):
        while not over.wait(self.kind.lease_s / 4):
            now = timezone.now()
            try:
                held = self._mine().update(heartbeat_at=now, lease_until=now + timedelta(seconds=self.kind.lease_s))
            except Error:
                log.warning("no heartbeat for job %s: the database did not answer", self.job.pk)
                held = True
            finally:
                connection.close()  # many jobs may share few connections
            if not held:
                self.is_lost.set()

    def put_off(self, words, at=None):
        """Queued again: this attempt does not count, for it was not the work that went wrong."""
        first, most = self.kind.later_s
        waited = (timezone.now() - self.job.created_at).total_seconds()
        due = timezone.now() + timedelta(seconds=min(most, max(first, waited / 4)))
        self._back(words, at or due, attempt=F("attempt") - 1)

    def stumble(self, words):
        """After an error nobody foresaw: again, a little later, or given up after the last attempt."""
        if self.job.attempt >= self.kind.attempts:
            self.give_up(Job.DEAD, f"{words} Given up after {self.job.attempt} attempts.")
        else:
            tries = [*self.job.tries, _try(self.job, words)]
            self._back(words, timezone.now() + timedelta(seconds=2**self.job.attempt), tries=tries)

    def _back(self, words, due, **fields):
        fields |= {"state": Job.QUEUED, "token": None, "error": words, "due_at": due, "sent_at": None}
        if self._mine().update(**fields):
            live.bump()

    def give_up(self, state, words):
        with transaction.atomic():
            job = _locked(pk=self.job.pk, token=self.token, state=Job.RUNNING)
            if job:
                _end(job, state, words)


def worker_name():
    return f"{socket.gethostname()}, process {os.getpid()}"[:100]
