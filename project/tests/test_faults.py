"""Workers are killed, stopped and cut off: every build ends ready exactly once, or failed with its reason, soon."""

import os
import signal
import threading

import psycopg
import pytest

from console import workers
from console.models import Entry, Job, Worker
from console.ops import picture
from console.testing import undo_form
from games.models import Build, Game, StageRun
from project.tests.rig import BEAT, DEFAULT, UPLOADS, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]
POINTS = [f"{stage}-{moment}" for stage in Build.STAGES for moment in ("before", "after", "inside")]


def held_at_each(rig, points):
    """Builds, and the processes that wait: one at each of these points of the pipeline."""
    builds = {}
    for point in points:
        name = rig.new_name()
        rig.order(name, point)
        builds[point] = rig.upload(name)
    rig.start(UPLOADS, several=len(points))
    pids = [rig.pid_at(build.zip_name, point) for point, build in builds.items()]
    return list(builds.values()), pids


def all_become_ready(rig, builds, tidy=True):
    rig.until_over(builds, meanwhile=lambda: rig.assert_pointers_are_whole(builds))
    for build in builds:
        rig.assert_ready_once(build, tidy)


def test_the_whole_worker_is_killed_in_every_stage(rig):
    builds, _ = held_at_each(rig, [*POINTS, "put"])
    rig.kill(UPLOADS)
    rig.forget_orders()
    rig.start(UPLOADS)
    all_become_ready(rig, builds)


def test_the_process_at_work_is_killed_in_every_stage_while_its_parent_stays(rig):
    builds, pids = held_at_each(rig, [*POINTS, "put"])
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    rig.forget_orders()
    all_become_ready(rig, builds)
    assert rig.processes[UPLOADS].poll() is None


def test_a_worker_killed_after_the_end_but_before_it_said_so_does_nothing_twice(rig):
    builds, _ = held_at_each(rig, ["ready-committed"])
    rig.kill(UPLOADS)
    rig.forget_orders()
    rig.start(UPLOADS)
    rig.send(builds[0].job)
    until(lambda: rig.waiting_messages() == 1, "all is dealt with but what the dead worker had")
    all_become_ready(rig, builds, tidy=False)


def test_a_worker_that_was_killed_is_missing_within_a_minute_and_another_does_its_work(rig):
    name = rig.new_name()
    rig.order(name, "unpacked-before")
    build = rig.upload(name)
    rig.start(UPLOADS)
    rig.pid_at(name, "unpacked-before")
    until(lambda: alive("worker-for-uploads"), "it says that it lives")
    rig.kill(UPLOADS)
    rig.forget_orders()
    until(lambda: [each.name for each in picture.look().missing if "uploads" in each.queues], "it is missing", 60)
    assert workers.queues_without() == ["uploads", "webhooks"]  # the rig has nobody for these
    assert alive("beat")
    rig.start("worker for uploads, another", UPLOADS)
    all_become_ready(rig, [build])
    assert workers.queues_without() == ["webhooks"]
    rig.stop("worker for uploads, another")
    assert Worker.objects.get(name__startswith="worker-for-uploads,-another").state == "ended", "that one said goodbye"


def alive(name):
    return [each for each in workers.seen() if each.name.startswith(f"{name}@") and each.state == "alive"]


def test_a_zip_that_kills_its_worker_each_time_ends_as_failed_while_others_go_on(rig):
    hurry = {"ATTENDANT_HURRY_S": "3"}
    rig.kill(DEFAULT)
    rig.start(DEFAULT, **hurry)
    rig.start(UPLOADS, **hurry)
    name = rig.new_name()
    rig.order(name, "unpacked-before", "die")
    poison = rig.upload(name)
    others = [rig.upload() for _ in range(4)]
    all_become_ready(rig, others)
    assert Build.objects.get(pk=poison.pk).is_processing, "the others did not wait for its end"
    rig.until_over([poison])
    rig.kill(DEFAULT)
    poison = Build.objects.select_related("job", "game").get(pk=poison.pk)
    assert (poison.state, poison.job.state, poison.job.attempt) == (Build.FAILED, Job.DEAD, 5)
    assert poison.error == "Given up after 5 attempts: it ended its worker, or the worker was stopped, each time."
    assert poison.game.status == Game.FAILED
    assert list(poison.log.filter(name="unpacked").values_list("outcome", flat=True)) == [StageRun.LOST] * 5
    rig.forget_orders()
    assert rig.click(poison, "retry") == 303
    all_become_ready(rig, [poison])


def test_duplicates_of_a_message_change_nothing(rig):
    name = rig.new_name()
    rig.order(name, "stored-after")
    build = rig.upload(name)
    rig.send(build.job, 5)
    rig.start(UPLOADS)
    rig.start("another worker", UPLOADS)
    rig.pid_at(name, "stored-after")
    rig.send(build.job, 5)
    until(lambda: rig.waiting_messages() == 1, "all messages but that at work are dealt with")
    rig.forget_orders()
    all_become_ready(rig, [build])
    rig.send(build.job, 5)
    until(lambda: rig.waiting_messages() == 0, "all messages are dealt with")
    rig.assert_ready_once(build)
    build.refresh_from_db()
    assert (build.log.count(), build.job.attempt) == (len(Build.STAGES), 1)
    assert Entry.objects.filter(target_type="games.build", target_id=build.pk).count() == 2, "receive and ready"


def test_a_deploy_in_the_middle_of_work_loses_nothing(rig):
    """SIGTERM: what can be finished within the grace is, the rest is done by the new worker."""
    builds, _ = held_at_each(rig, ["pictured-after", "stored-before"])
    rig.processes[UPLOADS].terminate()
    rig.follow(builds[0])
    rig.until_over(builds[:1])
    assert not rig.stop(UPLOADS, grace=3), "the other one is still at work"
    rig.forget_orders()
    rig.start(UPLOADS)
    all_become_ready(rig, builds)


def test_a_worker_that_is_asked_to_end_does_so_when_its_work_is_done(rig):
    builds, _ = held_at_each(rig, ["unpacked-before"])
    rig.processes[UPLOADS].terminate()
    rig.forget_orders()
    assert rig.stop(UPLOADS)
    rig.assert_ready_once(builds[0])


def test_the_database_ends_all_connections_of_a_worker_in_the_middle(rig):
    builds, _ = held_at_each(rig, [*POINTS, "put"])
    with psycopg.connect(rig.environ()["DATABASE_OWNER_URL"], autocommit=True) as owner:
        ended = owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND application_name = %s",
            [rig.database, UPLOADS],
        ).fetchall()
    assert len(ended) >= len(builds)
    rig.forget_orders()
    all_become_ready(rig, builds)


def test_without_beat_and_reaper_work_waits_and_is_caught_up_with(rig):
    rig.start(UPLOADS)
    rig.kill(BEAT)
    rig.kill(DEFAULT)
    name = rig.new_name()
    rig.order(name, "unpacked-before")
    builds = [rig.upload(name)]
    os.kill(rig.pid_at(name, "unpacked-before"), signal.SIGKILL)
    rig.forget_orders()
    rig.valkey.kill()  # nobody can be told
    builds += [rig.upload() for _ in range(3)]
    rig.valkey.restart()
    assert Build.objects.filter(pk__in=[build.pk for build in builds], state__in=Build.PROCESSING).count()
    rig.start(DEFAULT)
    rig.start(BEAT)
    all_become_ready(rig, builds)


@pytest.mark.parametrize("keys", ["the same key", "two keys"])
def test_retry_clicked_twice_at_once_is_one_attempt(rig, keys):
    build = rig.upload(broken=True)
    rig.start(UPLOADS)
    rig.until_over([build])
    rig.stop(UPLOADS)
    build.refresh_from_db()
    assert build.state == Build.FAILED
    assert "index.html" in build.error
    forms = [undo_form(version=build.version) for _ in range(8)]
    if keys == "the same key":
        forms = forms[:1] * 8
    answers, gate = [], threading.Barrier(len(forms))

    def click(form):
        gate.wait()
        answers.append(rig.click(build, "retry", form))

    threads = [threading.Thread(target=click, args=[form]) for form in forms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) == {303}, "told kindly that it was done already"
    assert Entry.objects.filter(target_type="games.build", target_id=build.pk, verb="build.retry").count() == 1
    assert Job.objects.filter(args={"build": build.pk}).count() == 2
    rig.start(UPLOADS)
    rig.until_over([build])
    assert build.log.filter(name="inspected", outcome=StageRun.FAILED).count() == 2
