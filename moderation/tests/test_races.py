"""Two people at once, for real: threads, each with its own connection and transaction."""

import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from django.db import connection, connections, transaction

from console import roles
from console.ledger import Conflict
from console.models import Entry
from console.testing import Person, form, make_user
from console.undo import undo
from moderation import actions, imports
from moderation.models import Comment, Player
from moderation.testing import make_comment, make_player


def run(call):
    """A verb in a thread of its own: "done", "again" or "conflict"."""
    verb, comment, by, key = call
    try:
        outcome = verb(comment, by=by, key=key, reason="spam" if verb is actions.reject else "")
        return "again" if outcome.replayed else "done"
    except Conflict:
        return "conflict"
    finally:
        connections.close_all()


def all_at_once(calls):
    with ThreadPoolExecutor(4) as pool:
        return Counter(pool.map(run, calls))


def test_20_parallel_opposite_decisions_give_20_winners_and_20_conflicts(committed_db):
    moses, lea = make_user("moses", roles.MODERATOR), make_user("lea", roles.SENIOR)
    comments = [make_comment() for _ in range(20)]
    calls = [
        call
        for comment in comments
        for call in ((actions.approve, comment, moses, None), (actions.reject, comment, lea, None))
    ]
    assert all_at_once(calls) == {"done": 20, "conflict": 20}
    assert Entry.objects.count() == 20
    for comment in Comment.objects.all():
        entry = Entry.objects.get(target_id=comment.pk)
        assert entry.after == {"status": comment.status}
        assert comment.version == 1


def test_the_same_key_sent_four_times_at_once_is_one_effect(committed_db):
    moses = make_user("moses", roles.MODERATOR)
    comments = [make_comment() for _ in range(10)]
    calls = [(actions.approve, comment, moses, key) for comment in comments for key in [uuid.uuid4()] for _ in range(4)]
    assert all_at_once(calls) == {"done": 10, "again": 30}
    assert Entry.objects.count() == 10


def somebody_waits():
    """Whether a connection waits for a lock; pg_locks tells that to everybody, pg_stat_activity does not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0


def until_somebody_waits():
    deadline = time.monotonic() + 5
    while not somebody_waits():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_undo_that_had_to_wait_sees_what_was_decided_meanwhile(committed_db):
    moses, lea = make_user("moses", roles.MODERATOR), make_user("lea", roles.SENIOR)
    comment = make_comment()
    first = actions.reject(comment, by=moses, reason="spam")

    def undo_in_a_thread():
        try:
            return undo(first.gesture, by=moses)
        except Conflict as conflict:
            return conflict
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            comment = Comment.objects.select_for_update().get()
            undoing = pool.submit(undo_in_a_thread)
            until_somebody_waits()
            actions.approve(comment, by=lea)
            actions.reject(Comment.objects.get(), by=lea, reason="hate")
        assert isinstance(undoing.result(), Conflict)
    assert Comment.objects.get().status == "rejected"


def bring(authors):
    """An import in a thread of its own, from `{external_id: author}`; its result."""
    row = dict.fromkeys(imports.FIELDS) | {"body": "brought"}
    try:
        return imports.import_rows((0, row | {"external_id": key, "author": name}) for key, name in authors.items())
    finally:
        connections.close_all()


def test_what_comes_in_while_an_import_stores_it_is_left_alone(committed_db):
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            make_comment(external_id="b", body="was there", player=make_player(external_id="author:Ann"))
            importing = pool.submit(bring, dict.fromkeys("abc", "Ann"))
            until_somebody_waits()
        result = importing.result()
    assert (result.imported, result.known) == (2, 1)
    stored = Comment.objects.order_by("external_id")
    assert list(stored.values_list("body", "text__folded")) == [(b, b) for b in ("brought", "was there", "brought")]
    assert Player.objects.get().comment_count == 2


NAMES = [f"player {number}" for number in range(10, 60)]


def test_an_import_makes_players_in_order_so_that_two_never_wait_in_a_circle(committed_db):
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            make_player(external_id=f"author:{NAMES[0]}")
            importing = pool.submit(bring, dict(zip(NAMES, NAMES, strict=True)))
            until_somebody_waits()
            for name in NAMES[1:]:
                make_player(external_id=f"author:{name}")
        assert importing.result().imported == len(NAMES)
    assert Player.objects.filter(comment_count=1).count() == len(NAMES)


def test_an_import_locks_players_in_order_as_verbs_do(committed_db):
    players = Player.objects.select_for_update()
    first, *others = [make_player(external_id=f"author:{name}").pk for name in NAMES]
    Player.objects.filter(pk=first).update(username="now the last in the table")
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            players.get(pk=first)
            importing = pool.submit(bring, dict(zip(NAMES, NAMES, strict=True)))
            until_somebody_waits()
            assert len(players.filter(pk__in=others)) == len(others)
        assert importing.result().imported == len(NAMES)
    assert Player.objects.filter(comment_count=1).count() == len(NAMES)


def storm(call):
    """A verb or an undo in a thread of its own; the worst that may come of it is a conflict."""
    try:
        call()
    except Conflict:
        return "conflict"
    finally:
        connections.close_all()
    return "done"


def test_bans_rejections_and_undos_that_cross_never_lock_each_other_out(committed_db):
    lea = make_user("lea", roles.SENIOR)
    players = [make_player() for _ in range(3)]
    comments = [make_comment(player=player) for player in players for _ in range(4)]
    gestures = [actions.ban(player, by=lea, reason="spam").gesture for player in players]
    calls = [lambda each=each: undo(each, by=lea) for each in gestures]
    fresh = list(Player.objects.all())
    calls += [lambda: actions.warn(fresh, by=lea, reason="spam")]
    calls += [lambda each=each: actions.unban(each, by=lea) for each in fresh]
    rows = list(Comment.objects.order_by("-pk"))
    calls += [lambda: actions.approve(rows, by=lea), lambda: actions.approve(comments[:3], by=lea)] * 3
    with ThreadPoolExecutor(4) as pool:
        results = Counter(pool.map(storm, calls * 2))
    assert results["done"] >= 3
    for player in Player.objects.all():
        assert player.bans.in_force().count() <= 1
        assert player.strikes == player.strikes_given.filter(withdrawn_at=None).count()


def test_a_ban_and_its_end_at_once_leave_what_the_latest_entry_says(committed_db):
    lea = make_user("lea", roles.SENIOR)
    players = [make_player() for _ in range(8)]
    for player in players:
        actions.ban(player, by=lea, reason="spam")
    fresh = list(Player.objects.all())
    calls = [lambda each=each: actions.unban(each, by=lea) for each in fresh]
    calls += [lambda each=each: actions.ban(each, by=lea, reason="spam") for each in fresh]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(storm, sorted(calls, key=lambda call: call.__defaults__[0].pk)))
    for player in Player.objects.all():
        about = Entry.objects.filter(verb__in=["player.ban", "player.unban"], target_id=player.pk)
        latest = about.filter(target_type="moderation.player").latest("pk")
        assert player.bans.in_force().exists() == (latest.verb == "player.ban")
        assert player.bans.in_force().count() <= 1


def test_a_comment_that_goes_while_one_decides_is_not_found(committed_db):
    moses, comment = Person(make_user("moses", roles.MODERATOR)), make_comment()

    def approve():
        try:
            return moses.post(f"{comment.get_absolute_url()}approve/", form(comment)).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic(using="owner"):
            Comment.objects.using("owner").filter(pk=comment.pk).delete()
            answer = pool.submit(approve)
            until_somebody_waits()
        assert answer.result() == 404
