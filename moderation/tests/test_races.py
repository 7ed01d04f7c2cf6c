"""Two people at once, for real: threads, each with its own connection and transaction."""

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from django.db import connections

from console import roles
from console.ledger import Conflict
from console.models import Entry
from console.testing import make_user
from moderation import actions
from moderation.models import Comment
from moderation.testing import make_comment


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
