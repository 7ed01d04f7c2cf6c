"""Jobs: claimed once, kept by a lease, fenced by a token, counted before they start, found again by the reaper."""

import threading
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from console import jobs, logs
from console.ledger import Origin
from console.models import Job


@pytest.fixture
def kind(db, monkeypatch):
    """A kind of work that does what `kind.does` says; what was sent to the broker is in `kind.sent`."""

    class Recorder:
        does = staticmethod(lambda claim: None)
        sent, ended = [], []

    recorder = Recorder()
    recorder.sent, recorder.ended = [], []
    made = jobs.Kind("test.work", lambda claim: recorder.does(claim), attempts=3, ended=recorder.ended.append)
    monkeypatch.setitem(jobs._kinds, made.name, made)
    monkeypatch.setattr(jobs, "send", lambda pk, queue: recorder.sent.append(pk) or True)
    return recorder


def make(**fields):
    (job,) = jobs.enqueue("test.work", [{"build": 1}])
    Job.objects.filter(pk=job.pk).update(**fields)
    return Job.objects.get(pk=job.pk)


def finish(claim):
    with claim.fenced(state=Job.DONE):
        pass


PAST = timezone.now() - timedelta(hours=1)


def test_a_job_is_done_once_however_often_it_is_delivered(kind):
    job, done = make(), []
    kind.does = lambda claim: (done.append(claim), finish(claim))
    for _ in range(3):
        jobs.work(job.pk)
    job.refresh_from_db()
    assert (len(done), job.state, job.attempt, job.token) == (1, Job.DONE, 1, None)


def test_a_claimed_job_is_nobody_elses_until_its_lease_is_over(kind):
    job = make()
    assert jobs.Claim.take(job.pk)
    assert jobs.Claim.take(job.pk) is None
    Job.objects.update(lease_until=PAST)
    assert jobs.Claim.take(job.pk).job.attempt == 2


def test_whoever_lost_the_claim_changes_nothing_any_more(kind):
    job = make()
    old = jobs.Claim.take(job.pk)
    Job.objects.update(lease_until=PAST)
    jobs.Claim.take(job.pk)
    with pytest.raises(jobs.Lost), old.fenced(state=Job.DONE):
        raise AssertionError("never reached")
    old.put_off("too late")
    old.give_up(Job.FAILED, "too late")
    job.refresh_from_db()
    assert (job.state, job.error) == (Job.RUNNING, "")


def test_a_cancelled_job_takes_no_effect(kind):
    job = make()
    kind.does = lambda claim: (jobs.cancel(Job.objects.filter(pk=job.pk)), finish(claim))
    jobs.work(job.pk)
    job.refresh_from_db()
    assert job.state == Job.CANCELLED


def test_work_that_cannot_be_done_says_why_and_is_not_tried_again(kind):
    def fail(claim):
        raise jobs.Failed("The zip is broken.")

    job, kind.does = make(), fail
    jobs.work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error, job.attempt) == (Job.FAILED, "The zip is broken.", 1)
    assert kind.ended == [job]


def test_what_waits_for_something_else_costs_no_attempt(kind):
    def wait(claim):
        raise jobs.Later("The storage is away.")

    job, kind.does = make(), wait
    for _ in range(9):
        jobs.work(job.pk)
        job.refresh_from_db()
        assert (job.state, job.error, job.attempt) == (Job.QUEUED, "The storage is away.", 0)
        assert timedelta(0) < job.due_at - timezone.now() < timedelta(seconds=31)
        Job.objects.update(due_at=PAST)


def test_a_job_that_is_not_due_is_left_alone(kind):
    job = make(due_at=timezone.now() + timedelta(minutes=1))
    assert jobs.Claim.take(job.pk) is None
    assert jobs.reap() == 0


def test_surprises_are_tried_again_and_then_given_up(kind):
    def stumble(claim):
        raise KeyError("x")

    job, kind.does = make(), stumble
    for attempt in (1, 2, 3):
        jobs.work(job.pk)
        job.refresh_from_db()
        assert job.attempt == attempt
        Job.objects.update(due_at=PAST)
    assert job.state == Job.DEAD
    assert "KeyError" in job.error
    assert kind.ended == [job]


def test_what_kills_its_worker_each_time_ends_as_dead(kind):
    job = make()
    for _ in range(3):
        assert jobs.Claim.take(job.pk)
        Job.objects.update(lease_until=PAST, sent_at=None)
        assert jobs.reap() == 1
    job.refresh_from_db()
    assert (job.state, job.attempt) == (Job.DEAD, 3)
    assert "Given up after 3 attempts" in job.error
    assert kind.sent == [job.pk, job.pk]
    assert jobs.Claim.take(job.pk) is None


def test_the_reaper_sends_what_nobody_picked_up_and_does_not_nag(kind):
    job = make()
    jobs.reap()
    jobs.reap()
    assert kind.sent == [job.pk]
    Job.objects.update(sent_at=PAST)
    jobs.reap()
    assert kind.sent == [job.pk, job.pk]


def test_running_jobs_with_a_lease_are_not_touched_by_the_reaper(kind):
    job = make()
    jobs.Claim.take(job.pk)
    assert jobs.reap() == 0


def test_while_the_broker_is_away_the_reaper_stops_at_the_first(kind, monkeypatch):
    tried = []
    monkeypatch.setattr(jobs, "send", lambda pk, queue: tried.append(pk))
    for _ in range(3):
        make()
    jobs.reap()
    assert len(tried) == 1


def test_what_a_worker_logs_asks_and_records_carries_the_number_of_the_request(kind, caplog):
    caplog.handler.addFilter(logs.RequestFilter())
    found = []

    def look_around(claim):
        jobs.log.warning("at work")
        with connection.cursor() as cursor:
            cursor.execute("SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()")
            found.append(cursor.fetchone()[0])
        found.append(Origin().request_id)
        jobs.enqueue("test.work", [{"next": 1}])

    kind.does = look_around
    with logs.of_request("r-17"):
        job = make()
    jobs.work(job.pk)
    assert [record.request_id for record in caplog.records] == ["r-17"]
    assert found[0].endswith("/* r-17 test.work */")
    assert found[1] == "r-17"
    assert set(Job.objects.values_list("request_id", flat=True)) == {"r-17"}, "work that it causes in turn"
    assert logs.current() == "", "and nobody else's"


class Changed(Exception):
    """Somebody's mind, in the middle of a transaction."""


def test_a_job_in_a_transaction_that_fails_was_never_there(kind, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks, suppress(Changed), transaction.atomic():
        jobs.enqueue("test.work", [{}])
        raise Changed
    assert callbacks == []
    assert not Job.objects.exists()


def test_the_request_never_waits_for_the_broker(kind, monkeypatch, django_capture_on_commit_callbacks):
    hang, sent = threading.Event(), threading.Event()
    monkeypatch.setattr(jobs, "send", lambda pk, queue: (hang.wait(10), sent.set()))
    with django_capture_on_commit_callbacks(execute=True):
        jobs.enqueue("test.work", [{}] * 9)
    assert not sent.is_set(), "nine jobs were committed while the broker had answered none"
    hang.set()
    assert sent.wait(10)


def test_a_broker_that_failed_is_left_in_peace_for_a_while(db, settings, monkeypatch):
    tried = threading.Event()

    class Broken:
        def apply_async(self, *args, **kwargs):
            raise ConnectionError

    monkeypatch.setattr("console.tasks.run_job", Broken())
    assert not jobs.send(1, "default")
    monkeypatch.setattr(jobs, "send", lambda *args: tried.set())
    jobs.wake(2, "default")
    assert not tried.wait(0.3)
    monkeypatch.setitem(jobs._away, "until", 0.0)
    jobs.wake(3, "default")
    assert tried.wait(10)


def test_delays_are_noticed(kind):
    make()
    assert not jobs.are_delayed()
    Job.objects.update(due_at=PAST)
    assert jobs.are_delayed()


def test_the_heartbeat_keeps_the_lease_and_notices_a_loss(committed_db, monkeypatch):
    import time

    quick = jobs.Kind("test.work", lambda claim: None, lease_s=1)
    monkeypatch.setitem(jobs._kinds, quick.name, quick)
    monkeypatch.setattr(jobs, "send", lambda pk, queue: True)
    job = make()
    claim = jobs.Claim.take(job.pk)
    with claim.kept_alive():
        first = Job.objects.get().lease_until
        deadline = time.monotonic() + 10
        while Job.objects.get().lease_until == first:
            assert time.monotonic() < deadline
        claim.check()
        jobs.cancel(Job.objects.all())
        assert claim.is_lost.wait(10)
        with pytest.raises(jobs.Lost):
            claim.check()


def test_work_that_lost_its_connection_is_put_back_at_once(committed_db, monkeypatch):
    def lose(claim):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setitem(jobs._kinds, "test.work", jobs.Kind("test.work", lose))
    monkeypatch.setattr(jobs, "send", lambda pk, queue: True)
    job = make()
    jobs.work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (Job.QUEUED, 1)
    assert "OperationalError" in job.error
