"""What portals will be told: every change they care about once, nothing that was undone in time."""

import json
import time
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.db.models import F

from console import jobs, ledger, outbox, verbs
from console.models import Event, Job
from console.undo import undo
from games.models import Build, Game
from games.testing import make_build, make_game
from moderation.models import Ban, Comment
from moderation.testing import make_comment, make_network_ban, make_player
from project.tests.test_verbs import EXTRA, make

TOLD = {  # on a target as test_verbs makes it; what a verb does to players has two comments with it
    "comment.approve": ["comment.approved"],
    "comment.reject": ["comment.rejected"],
    "comment.edit": [],
    "comment.delete": [],
    "player.update": [],
    "source.make": [],
    "source.rotate": [],
    "source.retire": [],
    "received.replay": [],
    "player.ban": ["comment.rejected", "comment.rejected", "player.banned"],
    "player.unban": ["player.unbanned"],
    "player.warn": [],
    "player.note": [],
    "player.erase": [],
    "player.strike": [],
    "player.edit": [],
    "player.reveal": [],
    "player.stop_mail": [],
    "retention.let_go": [],
    "staff.invite": [],
    "staff.renew": [],
    "staff.withdraw": [],
    "staff.join": [],
    "staff.groups": [],
    "staff.promote": [],
    "staff.demote": [],
    "staff.deactivate": [],
    "staff.reactivate": [],
    "staff.end_sessions": [],
    "staff.ask_reset": [],
    "staff.approve_reset": [],
    "staff.reset_factor": [],
    "webhook.add": [],
    "webhook.test": [],
    "webhook.edit": [],
    "webhook.rotate": [],
    "webhook.disable": [],
    "webhook.give_up": [],
    "webhook.enable": [],
    "webhook.remove": [],
    "webhook.replay": [],
    "delivery.replay": [],
    "job.retry": [],
    "job.cancel": [],
    "ban.lay": ["comment.rejected", "network.banned"],
    "ban.approve": ["comment.rejected", "network.banned"],
    "ban.change": ["network.banned"],  # again, with another end
    "ban.lift": ["network.unbanned"],
    "export.hand_out": [],
    "export.ask": [],
    "export.cancel": [],
    "token.make": [],
    "flag.join": [],
    "flag.leave": [],
    "flag.stage": [],
    "switch.flip": [],
    "token.revoke": [],
    "reason.add": [],
    "reason.edit": [],
    "reason.retire": [],
    "reason.restore": [],
    "game.publish": ["game.published"],
    "game.unpublish": ["game.unpublished"],
    "game.archive": [],
    "game.restore": [],
    "build.reject": [],
    "build.request_changes": [],
    "build.retry": [],
    "build.cancel": [],
    "build.receive": [],
    "build.ready": ["build.ready"],
    "build.fail": ["build.failed"],
}
SAME = {"ban.change"}  # what corrects it is the same news with the earlier end
QUIET = {"build.ready", "build.fail"}  # there is no event for a build that is processed again


def standing():
    """Names of the events that will be or were sent, sorted."""
    return sorted(Event.objects.filter(withdrawn_at=None).values_list("name", flat=True))


def wait():
    """As if the undo window of everything so far were over."""
    Event.objects.update(due_at=F("due_at") - timedelta(hours=1))


def opposite(name):
    stem, _, did = name.partition(".")
    return f"{stem}.{BACK[did]}"


BACK = {"approved": "pending", "rejected": "pending", "banned": "unbanned", "unbanned": "banned"}
BACK |= {"published": "unpublished", "unpublished": "published"}


def begin(verb):
    """A target of the verb, as if nothing had been told of it."""
    rows = make(verb)
    Event.objects.filter(entry__gt=0).delete()  # but those that a delivery was made for
    return rows


@pytest.fixture(params=verbs.every(), ids=lambda verb: verb.name)
def verb(request):
    return request.param


def test_every_verb_queues_what_portals_care_about(olga, verb):
    outcome = verb(begin(verb), by=olga.user, reason="spam", **EXTRA.get(verb.name, {}))
    assert standing() == TOLD[verb.name]
    for event in Event.objects.filter(entry__gt=0):
        assert event.entry.batch_id == outcome.gesture.pk
        assert (event.target_type, event.target_id) == (event.entry.target_type, event.entry.target_id)
        assert event.payload[event.target_type.partition(".")[2]] == event.target_id
        assert event.due_at - event.at == timedelta(seconds=30)


those_that_go_back = pytest.mark.parametrize(
    "verb", [verb for verb in verbs.every() if not verb.final], ids=lambda verb: verb.name
)


@those_that_go_back
def test_undone_in_time_nothing_is_told_and_undone_again_all_of_it(olga, verb):
    outcome = verb(begin(verb), by=olga.user, reason="spam", **EXTRA.get(verb.name, {}))
    undone = undo(outcome.gesture, by=olga.user)
    assert standing() == []
    redone = undo(undone.gesture, by=olga.user)
    assert standing() == TOLD[verb.name]
    undo(redone.gesture, by=olga.user)
    assert standing() == []


@those_that_go_back
def test_undone_later_it_is_corrected(olga, verb):
    outcome = verb(begin(verb), by=olga.user, reason="spam", **EXTRA.get(verb.name, {}))
    wait()
    undone = undo(outcome.gesture, by=olga.user)
    told = list(Event.objects.filter(entry__batch=outcome.gesture, withdrawn_at=None))
    corrections = Event.objects.filter(entry__batch=undone.gesture)
    assert len(told) == len(TOLD[verb.name])
    if verb.name in QUIET:
        assert not corrections
        return
    for event in told:
        correction = corrections.get(corrects=event.pk)
        name = event.name if verb.name in SAME else opposite(event.name)
        assert (correction.name, correction.target_id) == (name, event.target_id)
    assert corrections.count() == len(told)
    undo(undone.gesture, by=olga.user)
    assert standing() == TOLD[verb.name]


def test_what_was_decided_anew_keeps_its_events(moses, lea):
    comments = [make_comment() for _ in range(3)]
    first = verbs.get("comment.approve")(comments, by=moses.user)
    comments[1].refresh_from_db()
    verbs.get("comment.reject")(comments[1], by=lea.user, reason="spam")
    undo(first.gesture, by=moses.user)
    sent = Event.objects.filter(withdrawn_at=None).order_by("entry")
    assert [(event.name, event.target_id) for event in sent] == [
        ("comment.approved", comments[1].pk),
        ("comment.rejected", comments[1].pk),
    ]


def test_an_earlier_decision_that_was_told_is_told_again_when_only_the_later_went_out(rita, olga):
    """Two builds are published one after the other, and the first decision is undone: the game is off again."""
    game = make_game(status=Game.DRAFT)
    make_build(game=game)
    first = verbs.get("game.publish")(game, by=rita.user)
    make_build(game=game, current=False)
    game = Game.objects.get()
    verbs.get("game.publish")(game, by=rita.user)
    assert standing() == ["game.published", "game.published"]
    undo(first.gesture, by=olga.user)
    assert Game.objects.get().status == Game.DRAFT
    assert standing() == ["game.published", "game.unpublished"]
    unpublished = Event.objects.get(name="game.unpublished")
    assert unpublished.corrects == Event.objects.get(name="game.published", withdrawn_at=None).pk


def test_what_was_swept_away_is_corrected_all_the_same(moses):
    outcome = verbs.get("comment.approve")(make_comment(), by=moses.user)
    Event.objects.all().delete()
    undo(outcome.gesture, by=moses.user)
    assert [(event.name, event.corrects) for event in Event.objects.all()] == [("comment.pending", None)]


def test_a_ban_of_a_network_is_told_without_the_address(olga):
    gesture, _ = ledger.open_gesture("test", olga.user, None, [])
    act = ledger.Act(gesture, olga.user)
    now = make_player().joined_at
    ban = Ban.objects.create(network="203.0.113.7", reason="spam", lifted_at=now)
    act.change([ban], lifted_at=None)
    act.change([ban], lifted_at=now)
    assert standing() == ["network.banned", "network.unbanned"]
    assert "203.0.113" not in json.dumps(list(Event.objects.values()), default=str)


def test_a_ban_that_waits_tells_nothing_whatever_is_changed_of_it(lea, olga):
    ban = make_network_ban(held=True, asked_by=lea.user)
    verbs.get("ban.change")(ban, by=lea.user, reason="spam", expires="30d")
    assert standing() == []
    ban.refresh_from_db()
    verbs.get("ban.approve")(ban, by=olga.user)
    assert standing() == ["network.banned"]
    ban.refresh_from_db()
    verbs.get("ban.change")(ban, by=olga.user, reason="spam", expires="7d")
    assert standing() == ["network.banned"] * 2


def test_an_exception_is_nothing_to_portals(olga):
    ban = make_network_ban(allow=True)
    verbs.get("ban.change")(ban, by=olga.user, reason="spam", expires="30d")
    assert standing() == []


def test_payloads_hold_ids_only(moses):
    comment = make_comment(body="call me", game=make_game())
    verbs.get("comment.reject")(comment, by=moses.user, reason="spam", note="a note")
    payload = {"comment": comment.pk, "player": comment.player_id, "game": comment.game_id}
    assert Event.objects.get().payload == payload


def test_a_gesture_that_fails_leaves_no_event(moses):
    comment = make_comment()
    gesture, _ = ledger.open_gesture("test", moses.user, None, [])
    with suppress(ZeroDivisionError), transaction.atomic():
        ledger.Act(gesture, moses.user).change([comment], status=Comment.APPROVED)
        assert standing() == ["comment.approved"]
        raise ZeroDivisionError
    assert standing() == []


def statements(call):
    """What it returns, and the statements that have to do with events; those prepared are logged nowhere else."""
    asked = []

    def note(execute, sql, *rest):
        asked.append(str(sql))
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        return call(), [sql for sql in asked if "console_event" in sql]


@pytest.mark.parametrize("number", [1, 40])
def test_events_cost_no_statement_of_their_own_and_undo_one(moses, number):
    comments = [make_comment() for _ in range(number)]
    outcome, asked = statements(lambda: verbs.get("comment.approve")(comments, by=moses.user))
    assert len(asked) == 1
    assert "INTO console_entry" in asked[0]
    _, asked = statements(lambda: undo(outcome.gesture, by=moses.user))
    assert len(asked) == 2
    assert Event.objects.filter(withdrawn_at=None).count() == 0
    assert Event.objects.count() == number


# --- for whoever sends them -----------------------------------------------------------------------------------


def handed_over():
    with transaction.atomic():
        return [event.name for event in outbox.due()]


def until_handed_over():
    """Names of what is handed over when no test beside this one, in another database, is in its way."""
    deadline = time.monotonic() + 20
    while not (names := handed_over()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return names


def decided(comment, name):
    comment.refresh_from_db()
    return verbs.get(name)(comment, by=None, reason="spam")


def test_events_are_due_after_the_window_in_the_order_of_what_happened(committed_db):
    comment = make_comment()
    for name in ("comment.approve", "comment.reject", "comment.approve"):
        last = decided(comment, name)
    assert handed_over() == []
    undo(last.gesture, by=None)
    wait()
    assert until_handed_over() == ["comment.approved", "comment.rejected"]
    with transaction.atomic():
        assert len(outbox.due(1)) == 1


def test_what_one_sender_holds_another_passes_over(committed_db):
    decided(make_comment(), "comment.approve")
    wait()
    assert until_handed_over() == ["comment.approved"]
    with transaction.atomic("owner"), connections["owner"].cursor() as another:
        another.execute("SELECT id FROM console_event FOR UPDATE")
        assert handed_over() == []
    assert until_handed_over() == ["comment.approved"]


def test_nothing_is_handed_over_while_something_earlier_may_come(committed_db):
    with transaction.atomic("owner"), connections["owner"].cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()")
        decided(make_comment(), "comment.approve")
        wait()
        assert handed_over() == []
    assert until_handed_over() == ["comment.approved"]


def test_old_events_are_swept_by_a_job(committed_db, monkeypatch):
    monkeypatch.setattr(jobs, "send", lambda pk, queue: True)
    monkeypatch.setattr(outbox, "BATCH", 2)
    comments = [make_comment() for _ in range(5)]
    verbs.get("comment.approve")(comments, by=None)
    with connections["owner"].cursor() as cursor:  # the application cannot say when something happened
        cursor.execute("UPDATE console_event SET at = at - %s", [outbox.KEEP + timedelta(minutes=1)])
    verbs.get("comment.approve")(make_comment(), by=None)
    outbox.begin()
    outbox.begin()
    job = Job.objects.get(kind=outbox.KIND)
    jobs.work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result) == (Job.DONE, {"swept": 5, "jobs": 0})
    assert standing() == ["comment.approved"]


def test_how_processing_ended_is_told_of_builds_only(db):
    for state in Build.STATES:
        said = Build(state=state[0]).event_of({"state": Build.STORED}, {"state": state[0]})
        assert said == {Build.READY: "build.ready", Build.FAILED: "build.failed"}.get(state[0], "")
