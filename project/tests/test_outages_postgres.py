"""PostgreSQL goes away, freezes, is locked or full: 503 in words, soon; nothing half done; well again by itself."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import psycopg
import pytest

from console.models import Entry, Gesture
from console.testing import undo_form
from moderation.testing import make_comment
from project import embedded
from project.tests.disks import small_disk
from project.tests.outage import QUEUE, Visitor, forget_connections
from project.tests.rig import until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]


def assert_troubled(answer, seconds):
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5"), answer.text[:500]
    assert "the same form counts once" in answer.text
    answer.assert_presentable()
    assert answer.seconds < seconds


def assert_seen_by_htmx(answer):
    assert (answer.headers["HX-Retarget"], answer.headers["HX-Reswap"]) == ("#alert", "innerHTML")
    assert "<html" not in answer.text


def entries_about(comment):
    forget_connections()
    return Entry.objects.filter(target_type="moderation.comment", target_id=comment.pk).count()


class Watch(threading.Thread):
    """Somebody who asks for a page again and again; `answers` are (moment, Answer)."""

    def __init__(self, visitor, path=QUEUE):
        super().__init__(daemon=True)
        self.visitor, self.path, self.answers, self.over = visitor, path, [], threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.over.set()
        self.join()

    def run(self):
        while not self.over.wait(0.05):
            answer = self.visitor.get(self.path)
            self.answers.append((time.monotonic(), answer))

    def statuses(self):
        return {answer.status for _, answer in self.answers}


def test_a_restart_costs_seconds_and_nobody_restarts_the_console(outage):
    moses, pids = outage.visitor("moses"), outage.web_pids()
    comment, form = make_comment(), undo_form(version=0)
    with Watch(moses) as watch:
        until(lambda: len(watch.answers) > 3, "somebody reads")
        outage.postgres.end()
        assert_troubled(Visitor(outage.port, moses.cookies["sessionid"]).decide(comment, form=form), 5)
        outage.postgres.begin()
        back = time.monotonic()
        until(lambda: watch.answers[-1][0] > back and watch.answers[-1][1].status == 200, "well again")
        until(lambda: time.monotonic() > back + 6, "some more is read")
    assert watch.statuses() == {200, 503}
    late = [moment - back for moment, answer in watch.answers if answer.status == 503]
    assert max(late) < 5, "seconds of 503 after PostgreSQL was back"
    for _, answer in watch.answers:
        answer.assert_presentable()
    assert outage.web_pids() == pids
    assert moses.decide(comment, form=form).status == 303
    assert entries_about(comment) == 1


def test_a_frozen_database_is_given_up_on_within_seconds_and_nothing_is_half_done(outage):
    moses, comment = outage.visitor("moses"), make_comment()
    form = undo_form(version=0)
    outage.postgres.freeze()
    for htmx in (False, True):
        answer = moses.get(QUEUE, htmx=htmx)
        assert_troubled(answer, 8)
    assert_seen_by_htmx(answer)
    assert_troubled(moses.decide(comment, form=form), 8)
    assert Visitor(outage.port).get("/healthz").status == 200
    ready = Visitor(outage.port).get("/readyz")
    assert (ready.status, ready.seconds < 3.5) == (503, True), ready.seconds
    outage.postgres.thaw()
    back = time.monotonic()
    until(lambda: moses.get(QUEUE).status == 200, "well again", 5)
    assert time.monotonic() - back < 5
    assert moses.decide(comment, form=form).status == 303
    assert entries_about(comment) == 1


def end_connections(outage):
    """Those of the console, and waits until the server has let go of them; one line for each."""
    mine = "FROM pg_stat_activity WHERE usename = %s"
    return outage.postgres.ask(f"SELECT pg_terminate_backend(pid, 5000) {mine}", [embedded.APP])


def test_ended_connections_are_noticed_before_they_are_used(outage):
    moses, lea = outage.visitor("moses"), outage.visitor("lea")
    watches = [Watch(visitor) for visitor in (moses, lea, moses, lea)]  # so that there are several connections
    for watch in watches:
        watch.start()
    until(lambda: all(len(watch.answers) > 3 for watch in watches), "somebody reads")
    for watch in watches:
        watch.__exit__()
    ended = end_connections(outage)
    assert len(ended) >= 2
    answers = [moses.get(QUEUE) for _ in range(8)]
    assert [answer.status for answer in answers] == [200] * 8
    assert max(answer.seconds for answer in answers) < 3


def locked(outage):
    """Nobody else gets at comments while the connection is open."""
    holder = outage.postgres.connect()
    holder.autocommit = False
    holder.execute("LOCK TABLE moderation_comment IN ACCESS EXCLUSIVE MODE")
    return holder


def test_a_table_locked_for_ten_seconds_costs_two_each_and_no_decision(outage):
    moses, comment, form = outage.visitor("moses"), make_comment(), undo_form(version=0)
    gestures = Gesture.objects.count()
    forget_connections()
    with locked(outage):
        began = time.monotonic()
        while time.monotonic() - began < 10:
            assert_troubled(moses.get(QUEUE), 4)
            answer = moses.get(QUEUE, htmx=True)
            assert_troubled(answer, 4)
            assert_seen_by_htmx(answer)
            assert_troubled(moses.decide(comment, form=form), 4)
    assert (entries_about(comment), Gesture.objects.count()) == (0, gestures)
    assert moses.get(QUEUE).status == 200
    assert moses.decide(comment, form=form).status == 303
    assert entries_about(comment) == 1


def test_a_statement_on_its_way_when_the_server_freezes_is_given_up_on(outage):
    moses = outage.visitor("moses")
    forget_connections()
    with locked(outage), ThreadPoolExecutor(1) as pool:
        on_its_way = pool.submit(moses.get, QUEUE)
        time.sleep(0.5)  # it waits for the lock; the server will not say that this took too long
        outage.postgres.freeze()
        assert_troubled(on_its_way.result(), 8)
        outage.postgres.thaw()
    until(lambda: moses.get(QUEUE).status == 200, "well again", 5)


def test_thirty_slow_requests_hold_up_nobody_for_longer_than_the_wait_for_a_connection(outage):
    moses, lea = outage.visitor("moses"), outage.visitor("lea")
    with locked(outage):
        slow = [threading.Thread(target=moses.get, args=[QUEUE], daemon=True) for _ in range(30)]
        for thread in slow:
            thread.start()
        time.sleep(0.5)
        health = Visitor(outage.port).get("/healthz")
        other = lea.get("/manage/preferences/")
        for thread in slow:
            thread.join()
    assert (health.status, health.seconds < 8) == (200, True)
    assert other.status in (200, 503)
    assert other.seconds < 8
    assert lea.get(QUEUE).status == 200
    assert moses.get(QUEUE).status == 200


def hoard(outage):
    """All the connections that can be had."""
    found = []
    with suppress(psycopg.OperationalError):
        while True:
            found.append(outage.postgres._connect(user=embedded.OWNER, database=embedded.DATABASE))
    return found


def test_a_server_without_a_free_connection_is_trouble_for_as_long_as_it_lasts(outage):
    moses = outage.visitor("moses")
    forget_connections()
    hoarded = hoard(outage)
    while end_connections(outage):
        hoarded += hoard(outage)
    try:
        assert_troubled(moses.get(QUEUE), 5)
        assert_troubled(Visitor(outage.port).sign_in("moses"), 5)
    finally:
        for connection in hoarded:
            connection.close()
    assert "slots are reserved" in (outage.postgres.state / "postgres.log").read_text()
    until(lambda: moses.get(QUEUE).status == 200, "well again", 5)


def test_somebody_signs_in_while_the_database_is_away_and_is_told_so(outage):
    outage.postgres.end()
    answer = Visitor(outage.port).sign_in("moses")
    assert_troubled(answer, 5)
    ready = Visitor(outage.port).get("/readyz")
    assert (ready.status, json.loads(ready.text)["status"], ready.seconds < 3.5) == (503, "down", True)
    assert Visitor(outage.port).get("/healthz").status == 200
    outage.postgres.begin()
    visitor = Visitor(outage.port)
    until(lambda: visitor.sign_in("moses").status == 302, "they are in", 5)
    assert visitor.get(QUEUE).status == 200


@contextmanager
def no_room_for_gestures(outage):
    """The table lies on a disk of its own, and that is full."""
    with small_disk(outage.state / "small", "2m"):
        junk = "SELECT gen_random_uuid(), 'x', gen_random_uuid(), repeat('x', 64) FROM generate_series(1, 50000)"
        outage.postgres.ask(f"CREATE TABLESPACE small LOCATION '{outage.state / 'small'}'")
        outage.postgres.ask("ALTER TABLE console_gesture SET TABLESPACE small")
        with pytest.raises(psycopg.errors.DiskFull):
            outage.postgres.ask(f"INSERT INTO console_gesture (id, verb, idempotency_key, fingerprint) {junk}")
        yield
        outage.postgres.ask("ALTER TABLE console_gesture SET TABLESPACE pg_default")
        outage.postgres.ask("DROP TABLESPACE small")


def test_a_database_without_room_lets_people_read_and_decides_nothing_by_halves(outage):
    moses, comment, form = outage.visitor("moses"), make_comment(), undo_form(version=0)
    forget_connections()
    with no_room_for_gestures(outage):
        assert_troubled(moses.decide(comment, form=form), 5)
        assert moses.get(QUEUE).status == 200
        comment.refresh_from_db()
        assert (comment.status, entries_about(comment)) == ("pending", 0)
    assert moses.decide(comment, form=form).status == 303
    assert entries_about(comment) == 1
