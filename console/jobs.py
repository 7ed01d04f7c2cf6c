"""Background work: a row in the database is the promise, a message to Celery only wakes somebody.

A worker claims a row for a while (its lease) by putting a token on it, and keeps the lease alive from a thread. What
it changes, it changes in one transaction with its own row, under its token: a worker that was given up on changes
nothing any more. Attempts are counted before the work starts, so that work which kills its worker ends as `dead`.
"""

import logging
import os
import socket
import threading
import uuid
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.db import Error, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from console import live
from console.models import Job

log = logging.getLogger("attendant.jobs")
RESEND_S = 15  # so long after a message was sent without effect the reaper sends another
LATER_S = 5, 30  # work that waits for something else is tried again after so long at first, and at most
_waking = threading.BoundedSemaphore(4)  # a broker that hangs holds up so many threads and no request
_kinds = {}


class Failed(Exception):
    """The work cannot be done, and trying again would not help; the message says why, for people."""


class Later(Exception):
    """Something the work needs is away (a storage, room on a disk). It costs no attempt; the message says what."""


class Lost(Exception):
    """The claim is somebody else's by now, or the job was cancelled: nothing more may take effect."""


@dataclass(frozen=True)
class Kind:
    """A kind of work. `run(claim)` does it; `ended(job)` is told, in the same transaction, when it is given up.

    `lock(job)` locks what `ended` will change, before the job itself is locked: as verbs do, so that nobody waits for
    each other.
    """

    name: str
    run: Callable
    queue: str = "default"
    attempts: int = 5
    lease_s: int = 15
    ended: Callable = lambda job: None
    lock: Callable = lambda job: None


def register(kind):
    _kinds[kind.name] = kind


def kind_of(job):
    return _kinds[job.kind]


def enqueue(name, several, by=None):
    """The rows of new jobs, one for each of these `args`, in the caller's transaction; when that commits, workers are
    told if they can be.
    """
    made = Job.objects.bulk_create([Job(kind=name, created_by=by, args=args) for args in several])
    for job in made:
        transaction.on_commit(partial(wake, job.pk, _kinds[name].queue), robust=True)
    return made


def wake(pk, queue):
    """Tells a worker, from a thread: whoever asked never waits for the broker. The reaper makes up for failures."""
    if _waking.acquire(blocking=False):
        threading.Thread(target=_send_and_release, args=(pk, queue), daemon=True).start()


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
    kind_of(job).lock(job)
    return Job.objects.select_for_update().filter(*conditions, **named).first()


def _end(job, state, error):
    """Gives a job up, inside the caller's transaction; its kind draws the consequences."""
    job.state, job.error, job.token, job.ended_at = state, error, None, timezone.now()
    job.version += 1
    job.save(update_fields=["state", "error", "token", "ended_at", "version"])
    kind_of(job).ended(job)
    transaction.on_commit(live.bump, robust=True)


def work(pk):
    """Does the job, if it is there to be done: a second message about it, or a late one, finds nothing."""
    claim = Claim.take(pk)
    if claim is None:
        _bury(pk)
        return
    with claim.kept_alive():
        try:
            claim.kind.run(claim)
        except Lost:
            log.info("job %s was taken away from us", pk)
        except Later as later:
            claim.put_off(str(later))
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
        thread = threading.Thread(target=self._beat, args=(over,), daemon=True)
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
                connection.close()
                continue
            if not held:
                self.is_lost.set()
        connection.close()

    def put_off(self, words):
        """Queued again: this attempt does not count, for it was not the work that went wrong."""
        first, most = LATER_S
        waited = (timezone.now() - self.job.created_at).total_seconds()
        due = timezone.now() + timedelta(seconds=min(most, max(first, waited / 4)))
        self._back(words, due, attempt=F("attempt") - 1)

    def stumble(self, words):
        """After an error nobody foresaw: again, a little later, or given up after the last attempt."""
        if self.job.attempt >= self.kind.attempts:
            self.give_up(Job.DEAD, f"{words} Given up after {self.job.attempt} attempts.")
        else:
            self._back(words, timezone.now() + timedelta(seconds=2**self.job.attempt))

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
