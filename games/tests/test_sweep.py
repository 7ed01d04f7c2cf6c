"""What is swept away, and what never is."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from console import jobs, ledger
from console.models import Job
from console.undo import undo
from games import actions, quarantine, sweep
from games.models import Build, Game
from games.testing import make_build, make_game

LONG_AGO = timezone.now() - timedelta(days=40)


@pytest.fixture(autouse=True)
def places(settings, tmp_path):
    settings.QUARANTINE_DIR, settings.WORK_DIR = tmp_path / "quarantine", tmp_path / "work"
    settings.QUARANTINE_DIR.mkdir()
    return tmp_path


def stored(state, changed_at=LONG_AGO, **kwargs):
    build = make_build(state, **kwargs)
    for path, _, _ in build.files:
        default_storage.save(build.folder + path, ContentFile(b"x"))
    quarantine.path_of(build.zip).write_bytes(b"PK")
    Build.objects.filter(pk=build.pk).update(changed_at=changed_at)
    return build


def is_there(build):
    return default_storage.exists(f"{build.folder}js/main.js")


@pytest.mark.parametrize("state", sweep.OVER)
def test_what_is_over_for_long_is_removed_and_cannot_come_back(db, rita, state):
    build = stored(state)
    assert sweep.run() == 1
    build.refresh_from_db()
    assert build.swept_at
    assert not default_storage.exists(build.folder)
    assert list(quarantine.path_of("0" * 32 + ".zip").parent.iterdir()) == []
    assert build.hinders({"state": Build.READY})
    assert build.hinders({"state": Build.UNPACKED})
    assert sweep.run() == 0


@pytest.mark.parametrize("state", [Build.READY, Build.RECEIVED, Build.STORED])
def test_what_can_be_played_or_is_on_its_way_stays(db, state):
    build = stored(state)
    assert sweep.run() == 0
    assert is_there(build)


def test_second_thoughts_have_their_time(db):
    build = stored(Build.SUPERSEDED, changed_at=timezone.now() - timedelta(days=29))
    assert sweep.run() == 0
    assert is_there(build)


def test_what_is_live_is_never_swept_whatever_its_state(db):
    build = stored(Build.SUPERSEDED, current=True)
    Game.objects.update(status=Game.PUBLISHED)
    assert sweep.run() == 0
    assert is_there(build)


def test_undo_of_publish_leaves_the_newer_build_when_the_older_is_gone(db, rita):
    game = make_game()
    old = stored(Build.READY, game=game)
    actions.publish(game, by=rita.user)
    new = stored(Build.READY, game=game, current=False)
    outcome = actions.publish(Game.objects.get(), by=rita.user)
    Build.objects.filter(pk=old.pk).update(changed_at=LONG_AGO)
    sweep.run()
    with pytest.raises(ledger.Conflict, match="Nothing could be undone"):
        undo(outcome.gesture, by=rita.user)
    assert Game.objects.get().current_build == new


def test_a_storage_that_is_away_is_asked_again_next_time(db, monkeypatch):
    build, other = stored(Build.FAILED), stored(Build.FAILED)

    def away(name):
        if build.folder in name:
            raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(default_storage, "delete", away)
        assert sweep.run() == 1
    assert is_there(build)
    assert sweep.run() == 1
    assert not is_there(build)
    other.refresh_from_db()
    assert other.swept_at


def test_a_round_is_a_job_and_only_one_at_a_time(db, monkeypatch):
    build = stored(Build.FAILED)
    monkeypatch.setattr(jobs, "send", lambda pk, queue: True)
    sweep.begin()
    sweep.begin()
    job = Job.objects.get(kind=sweep.KIND)
    jobs.work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result) == (Job.DONE, {"swept": 1})
    assert not is_there(build)


def test_leftovers_of_uploads_and_workers_go_after_a_while(db, places):
    import os

    kept = make_build(Build.FAILED)
    (places / "work" / "old").mkdir(parents=True)
    (places / "work" / "new").mkdir()
    for name in (kept.zip, quarantine.new_name()):
        quarantine.path_of(name).write_bytes(b"PK")
    fresh = quarantine.new_name()
    for path in [*places.glob("quarantine/*"), places / "work" / "old"]:
        os.utime(path, (0, 0))
    quarantine.path_of(fresh).write_bytes(b"PK")
    sweep.run()
    assert {path.name for path in places.glob("quarantine/*")} == {kept.zip, fresh}
    assert [path.name for path in places.glob("work/*")] == ["new"]


def test_the_zip_of_a_ready_build_goes_after_a_day(db):
    build = stored(Build.READY, changed_at=timezone.now() - timedelta(hours=25))
    sweep.run()
    assert not quarantine.path_of(build.zip).exists()
    build.refresh_from_db()
    assert (build.zip, build.state) == ("", Build.READY)


def test_undo_of_a_cancel_whose_zip_is_gone_leaves_no_game_waiting(db, rita):
    build = make_build(Build.UNPACKED)
    outcome = actions.cancel(build, by=rita.user)
    Build.objects.update(changed_at=LONG_AGO)
    sweep.run()
    with pytest.raises(ledger.Conflict, match="Nothing could be undone"):
        undo(outcome.gesture, by=rita.user)
    assert Game.objects.get().status == Game.FAILED
