"""What portals read since a cursor: every decision that stands, once, whatever commits late or is undone in time."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console import news, verbs
from console.api import decisions
from console.models import Event
from console.testing import make_token
from console.undo import undo
from moderation.testing import make_comment

URL = "/api/v1/decisions/"


@pytest.fixture
def portal(committed_db):
    return Reader(make_token("decisions:read"))


class Reader(Client):
    """Reads on from where it was."""

    def __init__(self, secret):
        super().__init__(headers={"Authorization": f"Bearer {secret}"})
        self.after, self.more = {}, False

    def read(self, **asked):
        response = self.get(URL, self.after | asked)
        assert response.status_code == 200, response.text
        said = response.json()
        self.after, self.more = {"after": said["next"]}, said["more"]
        return said["decisions"]

    def names(self, **asked):
        return [(each["type"], each["data"]["comment"]) for each in self.read(**asked)]

    def comments(self, **asked):
        return [each["data"]["comment"] for each in self.read(**asked)]


def decide(*comments, name="comment.approve"):
    return [verbs.get(name)(comment, by=None, reason="spam") for comment in comments]


def let_windows_pass(*comments):
    """As if the time for second thoughts were over, for these decisions or for all."""
    events = Event.objects.filter(target_id__in=[comment.pk for comment in comments]) if comments else Event.objects
    events.update(due_at=F("due_at") - timedelta(hours=1))


def settle():
    """Waits until no transaction is open that began before these decisions: in other databases, by tests beside."""
    deadline = time.monotonic() + 30
    while Event.objects.extra(where=[OPEN]).exists() and time.monotonic() < deadline:
        time.sleep(0.05)


OPEN = "xid >= pg_snapshot_xmin(pg_current_snapshot())"


def test_decisions_are_read_once_when_their_window_is_over(portal):
    first, second, third = (make_comment() for _ in range(3))
    decide(first, second)
    assert portal.read() == []
    let_windows_pass()
    settle()
    decide(third)
    assert portal.comments() == [first.external_id, second.external_id]
    assert portal.read() == []
    let_windows_pass()
    settle()
    assert portal.comments() == [third.external_id]


def test_it_is_said_as_webhooks_say_it(portal):
    decide(make_comment())
    let_windows_pass()
    settle()
    event = Event.objects.get()
    assert portal.read() == [{"id": str(event.pk), **news.described([event])[0]}]


def test_what_is_undone_in_time_is_never_read_and_holds_nothing_up(portal):
    first, second = make_comment(), make_comment()
    outcome, _ = decide(first, second)
    undo(outcome.gesture, by=None)
    let_windows_pass(second)
    settle()
    assert portal.comments() == [second.external_id]
    assert portal.read() == []


def test_what_is_undone_later_is_corrected(portal):
    (outcome,) = decide(make_comment())
    let_windows_pass()
    settle()
    (told,) = portal.read()
    undo(outcome.gesture, by=None)
    assert portal.read() == []
    let_windows_pass()
    settle()
    (correction,) = portal.read()
    assert (correction["type"], correction["corrects"]) == ("comment.pending", told["id"])


def test_an_event_in_its_window_ends_the_page_though_later_ones_have_passed_theirs(portal):
    first, second, third = (make_comment() for _ in range(3))
    decide(first, second, third)
    let_windows_pass(first)
    let_windows_pass(third)
    settle()
    assert portal.comments() == [first.external_id]
    assert not portal.more
    let_windows_pass(second)
    settle()
    assert portal.comments() == [second.external_id, third.external_id]


def test_a_late_commit_is_not_passed(portal):
    """A transaction takes its number, another that began later ends first: until both have ended nothing is read."""
    late, early = make_comment(), make_comment()
    with connections["owner"].cursor() as other:
        other.execute("BEGIN")
        other.execute(DECIDE, [late.pk, late.pk])
        decide(early)
        let_windows_pass(early)
        assert portal.read() == []
        other.execute("COMMIT")
    settle()
    assert portal.comments() == [late.external_id, early.external_id]
    assert portal.read() == []


DECIDE = """
    INSERT INTO console_event (id, entry_id, name, target_type, target_id, payload, due_at)
    SELECT gen_random_uuid(), 1000000, 'comment.approved', 'moderation.comment', %s,
        jsonb_build_object('comment', %s::int), statement_timestamp() - interval '1 second'
"""


def test_an_undo_on_its_way_at_the_end_of_the_window_is_waited_for(portal):
    """It began in time and ends late: what it takes back is not read in between."""
    (outcome,) = decide(make_comment())
    begun, read = threading.Event(), []

    def take_back():
        with transaction.atomic():
            undo(outcome.gesture, by=None)
            begun.set()
            time.sleep(0.5)
        connection.close()

    with ThreadPoolExecutor() as pool:
        undoing = pool.submit(take_back)
        begun.wait(10)
        with connections["owner"].cursor() as cursor:
            cursor.execute(READ_LATER)
            read = cursor.fetchall()
        undoing.result()
    assert read == []


# decisions' own statement a minute later, and without waiting for the undo's number to settle
READ_LATER = decisions.READ.replace("clock_timestamp()", "clock_timestamp() + interval '1 minute'") % (
    "'0'",
    "0",
    "10",
)


def test_pages_follow_each_other_without_gap(portal):
    comments = [make_comment() for _ in range(7)]
    decide(*comments[:3])
    verbs.get("comment.approve")(comments[3:], by=None)
    let_windows_pass()
    settle()
    seen = portal.comments(limit=2)
    while portal.more:
        seen += portal.comments(limit=2)
    assert seen == [comment.external_id for comment in comments]


def test_a_page_costs_the_same_statements_for_2_and_for_20(portal):
    decide(*(make_comment() for _ in range(24)))
    let_windows_pass()
    settle()
    portal.read(limit=2)
    counted = []
    for number in (2, 20):
        with CaptureQueriesContext(connection) as asked:
            assert len(portal.read(limit=number)) == number
        counted.append(len(asked))
    assert counted[0] == counted[1] <= 9


def test_an_empty_cursor_is_the_beginning(portal):
    decide(make_comment())
    let_windows_pass()
    settle()
    assert portal.get(URL, {"after": ""}).json()["decisions"] == portal.get(URL).json()["decisions"] != []


@pytest.mark.parametrize("asked", [{"after": "1-2"}, {"after": "1-2.x"}, {"limit": 0}, {"limit": 501}, {"wait": 5}])
def test_questions_that_make_no_sense_are_422(portal, asked):
    assert portal.get(URL, asked).status_code == 422


def test_the_order_is_served_by_an_index(portal):
    decide(make_comment())
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off; SET enable_sort = off")
        cursor.execute(
            "EXPLAIN SELECT * FROM console_event WHERE withdrawn_at IS NULL AND (xid, entry_id) > ('1'::xid8, 1) "
            "AND xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid, entry_id LIMIT 10"
        )
        assert "event_settled" in str(cursor.fetchall())
        cursor.execute("RESET enable_seqscan; RESET enable_sort")
