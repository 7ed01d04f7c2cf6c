"""A zip's way to a game that can be played, and every way it can end before."""

import io
import zipfile
from dataclasses import replace

import pytest
from django.core.files.storage import default_storage

from console import jobs, ledger, verbs
from console.models import Entry, Job
from console.undo import may_undo, undo
from games import actions, confined, pipeline, quarantine, samples
from games.models import Build, Finding, Game, StageRun
from games.testing import make_build, make_game
from moderation.testing import make_player


@pytest.fixture(autouse=True)
def places(settings, tmp_path, monkeypatch):
    """Folders of the test's own, and a lease that outlives it: its heartbeat could not see this transaction."""
    settings.QUARANTINE_DIR, settings.WORK_DIR = tmp_path / "quarantine", tmp_path / "work"
    settings.QUARANTINE_DIR.mkdir()
    monkeypatch.setitem(jobs._kinds, pipeline.KIND, replace(jobs._kinds[pipeline.KIND], lease_s=3600))
    monkeypatch.setattr(jobs, "send", lambda pk, queue: True)
    return tmp_path


def arrived(content=None, **kwargs):
    """A build whose zip is in quarantine and whose job waits."""
    build = make_build(kwargs.pop("state", Build.RECEIVED), files=[], unpacked=0, **kwargs)
    quarantine.path_of(build.zip).write_bytes(content or samples.zipped("neon-drift"))
    return build


def zip_of(files):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path, body in files.items():
            archive.writestr(path, body)
    return made.getvalue()


def work(build):
    build.refresh_from_db()
    Job.objects.filter(pk=build.job_id).update(due_at="2026-01-01T00:00Z")
    jobs.work(build.job_id)
    build.refresh_from_db()
    build.game.refresh_from_db()
    return Job.objects.get(pk=build.job_id)


@pytest.mark.parametrize(("name", "tool"), list(zip(samples.names(), samples.TOOLS, strict=True)))
def test_a_good_zip_becomes_a_draft_that_can_be_played(db, name, tool, places):
    build = arrived(samples.zipped(name, tool))
    job = work(build)
    assert (job.state, job.attempt, job.progress) == (Job.DONE, 1, 100)
    assert (build.state, build.game.status, build.game.current_build) == (Build.READY, Game.DRAFT, build)
    stored = {path: default_storage.open(build.folder + path).read() for path, _, _ in build.files}
    assert stored == samples.files(name)
    assert build.unpacked == sum(map(len, stored.values()))
    assert default_storage.open(build.game.thumbnail).read(4) == b"RIFF"
    assert [run.outcome for run in build.log.all()] == [StageRun.DONE] * 5
    assert Entry.objects.filter(verb="build.ready", target_type="games.build").count() == 1
    assert list((places / "work").iterdir()) == []


def test_a_bad_zip_fails_with_all_that_is_wrong_and_stores_nothing(db, places):
    build = arrived(zip_of({"game.html": "<p>", "setup.exe": b"MZ", "../evil.html": "<p>"}))
    job = work(build)
    assert (job.state, build.state, build.game.status) == (Job.FAILED, Build.FAILED, Game.FAILED)
    codes = set(build.findings.filter(level=Finding.ERROR).values_list("code", flat=True))
    assert {"path_traversal", "file_type"} <= codes
    assert build.error == job.error != ""
    assert not default_storage.exists(build.folder)
    assert Entry.objects.get(verb="build.fail", target_type="games.build").after == {"state": "failed"}


def test_a_retry_is_a_new_job_from_the_stage_that_failed(db, rita):
    build = arrived(zip_of({"game.html": "<p>"}))
    first = work(build)
    quarantine.path_of(build.zip).write_bytes(samples.zipped("neon-drift"))
    actions.retry(build, by=rita.user)
    build.refresh_from_db()
    build.game.refresh_from_db()
    assert (build.state, build.game.status) == (Build.RECEIVED, Game.PROCESSING)
    second = work(build)
    assert second.pk != first.pk
    assert build.state == Build.READY
    assert not build.findings.filter(source=Finding.ARCHIVE).exists(), "what was wrong is not any more"


def test_a_retry_may_start_earlier_but_not_later(db, rita):
    build = arrived(state=Build.FAILED, reached=Build.UNPACKED)
    actions.retry(build, by=rita.user, stage=Build.READY)
    build.refresh_from_db()
    assert build.state == Build.UNPACKED
    actions.cancel(build, by=rita.user)
    build.refresh_from_db()
    actions.retry(build, by=rita.user, stage=Build.INSPECTED)
    build.refresh_from_db()
    assert build.state == Build.RECEIVED


def test_another_worker_makes_again_what_the_first_left_behind(db):
    build = arrived()
    work(build)
    again = arrived(state=Build.UNPACKED, reached=Build.UNPACKED)
    Build.objects.filter(pk=again.pk).update(files=build.files)
    work(again)
    assert again.state == Build.READY
    assert default_storage.exists(again.folder + "index.html")


def test_while_the_storage_is_away_the_build_waits_and_what_is_live_stays(db, monkeypatch):
    live = make_build()
    Game.objects.filter(pk=live.game_id).update(status=Game.PUBLISHED)
    build = arrived(game=live.game)

    def away(*args):
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(default_storage, "save", away)
        for _ in range(7):
            job = work(build)
            assert (job.state, job.attempt) == (Job.QUEUED, 0)
            assert job.error == "The storage cannot be reached. It is tried again until it can."
            assert build.game.current_build == live
    work(build)
    assert (build.state, build.game.status, build.game.current_build) == (Build.READY, Game.PUBLISHED, live)


def test_a_zip_that_is_gone_is_said_in_words(db):
    build = arrived()
    quarantine.remove(build.zip)
    work(build)
    assert "gone from quarantine" in build.error


def test_a_build_that_is_cancelled_in_the_middle_has_no_effect(db, rita, monkeypatch):
    build = arrived()
    monkeypatch.setattr(pipeline.Line, "_stored", lambda line: actions.cancel(Build.objects.get(), by=rita.user))
    job = work(build)
    assert (job.state, build.state, build.game.status) == (Job.CANCELLED, Build.CANCELLED, Game.FAILED)
    assert build.game.current_build is None


def test_undo_of_a_cancel_goes_on(db, rita):
    build = arrived()
    outcome = actions.cancel(build, by=rita.user)
    assert not Job.objects.filter(state__in=Job.OPEN).exists()
    undo(outcome.gesture, by=rita.user)
    work(build)
    assert build.state == Build.READY


def test_publish_moves_what_players_play_and_its_undo_moves_it_back(db, rita):
    old = make_build()
    actions.publish(old.game, by=rita.user)
    new = arrived(game=old.game)
    work(new)
    game = Game.objects.get(pk=old.game_id)
    assert game.current_build == old, "only Publish changes it"
    outcome = actions.publish(game, by=rita.user)
    game.refresh_from_db()
    old.refresh_from_db()
    assert (game.current_build, old.state) == (new, Build.SUPERSEDED)
    undo(outcome.gesture, by=rita.user)
    game.refresh_from_db()
    old.refresh_from_db()
    assert (game.current_build, old.state, game.status) == (old, Build.READY, Game.PUBLISHED)


def test_a_newer_draft_takes_the_place_of_an_older_one(db):
    game = make_game()
    old = make_build(game=game)
    work(arrived(game=game))
    old.refresh_from_db()
    game.refresh_from_db()
    assert (old.state, game.current_build.number) == (Build.SUPERSEDED, 2)


@pytest.mark.parametrize("verb", ["build.reject", "build.request_changes"])
def test_what_is_live_cannot_be_rejected(db, rita, verb):
    build = make_build()
    actions.publish(build.game, by=rita.user)
    with pytest.raises(ledger.Conflict):
        verbs.get(verb)(Build.objects.get(), by=rita.user, reason="spam", note="why")


def test_a_build_with_requested_changes_is_not_published(db, rita):
    build = make_build()
    outcome = actions.request_changes(build, by=rita.user, note="Less blood.")
    with pytest.raises(ledger.Conflict):
        actions.publish(Game.objects.get(), by=rita.user)
    undo(outcome.gesture, by=rita.user)
    actions.publish(Game.objects.get(), by=rita.user)


def test_a_ban_takes_games_down_and_its_undo_brings_them_back(db, lea, moses):
    author = make_player()
    games = [make_game(author=author, status=status) for status in (Game.PUBLISHED, Game.ARCHIVED)]
    other = make_game(status=Game.PUBLISHED)
    ban = verbs.get("player.ban")
    with pytest.raises(verbs.PermissionDenied):
        ban(author, by=moses.user, reason="spam", expires="1d", games_down=True)
    outcome = ban(author, by=lea.user, reason="spam", games_down=True)
    assert [Game.objects.get(pk=game.pk).status for game in (*games, other)] == ["draft", "archived", "published"]
    assert "1 game was taken down with it." in ledger.taken_along(outcome.gesture, "moderation.Player")
    undo(outcome.gesture, by=lea.user)
    assert Game.objects.get(pk=games[0].pk).status == Game.PUBLISHED


@pytest.mark.parametrize("how", ["ban", "unpublish", "archive"])
def test_undo_brings_back_what_players_knew_and_not_a_build_that_came_since(db, rita, lea, how):
    author = make_player()
    old = make_build(game=make_game(author=author))
    actions.publish(old.game, by=rita.user)
    game = Game.objects.get()
    if how == "ban":
        outcome = verbs.get("player.ban")(author, by=lea.user, reason="spam", games_down=True)
    else:
        outcome = verbs.get(f"game.{how}")(game, by=rita.user)
    work(arrived(game=game))
    undo(outcome.gesture, by=lea.user)
    game.refresh_from_db()
    assert (game.status, game.current_build) == (Game.PUBLISHED, old)
    assert game.builds.get(number=2).state == Build.READY, "and waits for Publish"


def test_undo_does_not_publish_a_game_whose_build_was_rejected(db, rita):
    build = make_build()
    actions.publish(build.game, by=rita.user)
    outcome = actions.unpublish(Game.objects.get(), by=rita.user)
    actions.reject(Build.objects.get(), by=rita.user, reason="spam")
    with pytest.raises(ledger.Conflict, match="Nothing could be undone"):
        undo(outcome.gesture, by=rita.user)
    assert Game.objects.get().status == Game.DRAFT


def test_publish_is_for_the_build_that_was_seen(db, rita):
    old = make_build()
    actions.publish(old.game, by=rita.user)
    make_build(game=old.game, current=False)
    seen = Game.objects.get()
    work(arrived(game=seen))
    with pytest.raises(ledger.Conflict):
        actions.publish(seen, by=rita.user)
    assert Game.objects.get().current_build == old


def test_undo_of_an_upload_on_its_way_stops_it(db, rita):
    build = arrived(state=Build.CANCELLED)
    Game.objects.update(status=Game.ARCHIVED)
    outcome = actions.receive(build, by=rita.user)
    Build.objects.update(state=Build.UNPACKED, reached=Build.UNPACKED)
    undo(outcome.gesture, by=rita.user)
    build.refresh_from_db()
    build.game.refresh_from_db()
    assert (build.state, build.game.status) == (Build.CANCELLED, Game.ARCHIVED)
    assert not Job.objects.filter(state__in=Job.OPEN).exists()


def test_what_the_system_found_out_is_nobodys_to_undo(db, olga):
    build = arrived()
    work(build)
    entry = Entry.objects.filter(verb="build.ready").first()
    assert not may_undo(olga.user, entry.batch)
    assert olga.get(entry.get_undo_url()).status_code == 403


def test_a_game_waits_for_the_last_of_its_builds(db, rita):
    game = make_game(status=Game.PROCESSING)
    first, second = (arrived(game=game) for _ in range(2))
    actions.cancel(first, by=rita.user)
    game.refresh_from_db()
    assert game.status == Game.PROCESSING
    actions.cancel(second, by=rita.user)
    game.refresh_from_db()
    assert game.status == Game.FAILED


def test_an_archived_game_can_be_restored_with_the_build_that_came_meanwhile(db, rita):
    game = make_game(status=Game.ARCHIVED)
    work(arrived(game=game))
    game.refresh_from_db()
    assert game.status == Game.ARCHIVED
    actions.restore(game, by=rita.user)
    actions.publish(Game.objects.get(), by=rita.user)


def test_a_mistake_of_ours_in_the_storage_is_no_reason_to_wait(db, monkeypatch):
    def wrong(*args):
        raise TypeError

    monkeypatch.setattr(default_storage, "save", wrong)
    job = work(arrived())
    assert (job.state, job.attempt) == (Job.QUEUED, 1)
    assert "TypeError" in job.error


def test_a_child_that_somebody_kills_is_no_fault_of_the_zip(db, monkeypatch):
    def killed(*args, **kwargs):
        raise confined.Confined("It was killed.", -9)

    build = arrived()
    with monkeypatch.context() as patch:
        patch.setattr(confined, "run", killed)
        job = work(build)
    assert (job.state, job.attempt, build.state) == (Job.QUEUED, 1, Build.RECEIVED)
    work(build)
    assert build.state == Build.READY


def test_a_game_the_portal_brought_is_a_draft_when_it_is_restored(db, rita):
    game = make_game(status=Game.ARCHIVED)
    actions.restore(game, by=rita.user)
    assert Game.objects.get().status == Game.DRAFT


def test_a_published_game_without_builds_gets_its_first_by_publish_only(db, rita):
    game = make_game(status=Game.PUBLISHED)
    work(arrived(game=game))
    game = Game.objects.get()
    assert (game.status, game.current_build) == (Game.PUBLISHED, None)
    actions.archive(game, by=rita.user)
    actions.restore(Game.objects.get(), by=rita.user)
    actions.publish(Game.objects.get(), by=rita.user)
    assert Game.objects.get().current_build.number == 1
