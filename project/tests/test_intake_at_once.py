"""Batches of the portal at the same time, and one that is cut off in the middle: nothing is lost, doubled or stuck."""

import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections
from django.db.models import Count, F
from django.test.utils import CaptureQueriesContext

from moderation import actions
from moderation.intake import comments, reports
from moderation.models import Comment, CommentText, Player, Report


def batch(seed, size=100):
    """Rows about the same two hundred comments of forty players, in an order of its own."""
    dice = random.Random(seed)
    rows = [
        {"external_id": f"c{n}", "player": f"p{n % 40}", "body": f"text {dice.randrange(5)}", "game": f"g-{n % 5}"}
        for n in dice.sample(range(200), size)
    ]
    for row in dice.sample(rows, 10):
        row["deleted"] = True
    return rows


def run(call):
    try:
        return call()
    finally:
        connections.close_all()


def test_batches_about_the_same_comments_never_deadlock_nor_with_those_who_ban(committed_db):
    def ban(number):
        """As staff do meanwhile; patient, since the machine may be busy."""
        time.sleep(number / 20)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '60s'")
        player = Player.objects.filter(external_id=f"p{number}").first()
        return player and actions.ban(player, by=None, reason="spam")

    def complain(number):
        rows = [{"external_id": f"r{n}", "comment": f"c{n}", "player": f"p{n % 40}"} for n in range(200)]
        random.Random(number).shuffle(rows)
        reports.take(rows)

    calls = [lambda seed=seed: comments.take(batch(seed)) for seed in range(8)]
    calls += [lambda number=number: complain(number) for number in range(2)]
    calls += [lambda number=number: ban(number) for number in range(8)]
    random.Random(7).shuffle(calls)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, calls))
    assert Comment.objects.count() == CommentText.objects.count() > 150
    wrong = Player.objects.annotate(number=Count("comments")).exclude(number=F("comment_count"))
    assert not wrong.exists()
    wrong = Comment.objects.annotate(number=Count("reports")).exclude(number=F("report_count"))
    assert not wrong.exists()
    assert Report.objects.values("player", "comment").distinct().count() == Report.objects.count()


def test_a_batch_that_is_cut_off_leaves_nothing_and_is_taken_again(db, monkeypatch):
    comments.take([{"external_id": "c0", "author": "Ann", "body": "hello"}])
    rows = [{"external_id": "c0", "body": "other"}, {"external_id": "c1", "author": "Ann", "body": "x"}]

    def cut(*args, **kwargs):
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(comments, "edit_comment", cut)
        with pytest.raises(ConnectionError):
            comments.take(rows)
    assert [each.body for each in Comment.objects.all()] == ["hello"]
    assert Player.objects.get().comment_count == 1
    assert [answer.status for answer in comments.take(rows)] == ["updated", "created"]


def test_batches_of_500_cost_few_statements_however_full_the_tables_are(db):
    rows = [
        {"external_id": f"c{n}", "author": f"player {n % 97}", "body": f"comment {n}", "ip": "203.0.113.7"}
        for n in range(2_000)
    ]
    for start in range(0, len(rows), 500):
        with CaptureQueriesContext(connection) as queries:
            comments.take(rows[start : start + 500])
        assert len(queries) <= 12
    assert Comment.objects.count() == 2_000
