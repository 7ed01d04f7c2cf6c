"""What portals send, as the command, the API and events hand it on: each row answered for itself, nothing twice."""

from datetime import timedelta

import pytest
from django.utils import timezone

from console.ledger import Conflict
from console.models import Entry, Event
from console.undo import undo
from moderation.actions import approve, reject
from moderation.intake import comments, players, reports
from moderation.models import Comment, CommentText, Player, Report
from moderation.testing import make_comment, make_network_ban


@pytest.fixture(autouse=True)
def _db(db):
    pass


def statuses(answers):
    return [answer.status for answer in answers]


def send(*rows, into=comments):
    return statuses(into.take(list(rows)))


def one(external_id="c1", **fields):
    return {"external_id": external_id, "author": "Ann", "body": "hello"} | fields


def fresh():
    return Comment.objects.get(external_id="c1")


def texts():
    return [(each.status, each.body) for each in fresh().earlier.order_by("pk")]


def test_new_known_and_bad_rows_are_each_answered():
    answers = comments.take([one(), one(), one("c2", body=" "), {"body": "x"}, "nonsense", one(3)])
    assert statuses(answers) == ["created", "unchanged", "invalid", "invalid", "invalid", "created"]
    assert [answer.external_id for answer in answers] == ["c1", "c1", "c2", None, None, "3"]
    assert answers[2].error == "body is missing"
    assert answers[3].error == "external_id is missing"
    assert Player.objects.get().comment_count == 2


def test_a_player_is_known_by_the_portals_id_and_called_by_name():
    send(one(author="Ann", player="p7"), one("c2", author="", player="p8"))
    assert set(Player.objects.values_list("external_id", "username")) == {("p7", "Ann"), ("p8", "p8")}


def test_an_edited_comment_that_was_decided_waits_again_with_its_earlier_text(olga):
    send(one())
    approve(fresh(), by=olga.user)
    seen = fresh()
    assert send(one(body="buy this")) == ["updated"]
    comment = fresh()
    assert (comment.status, comment.body, comment.edits) == ("pending", "buy this", 1)
    assert comment.version > seen.version
    assert texts() == [("approved", "hello")]
    assert CommentText.objects.get().folded == "buy this"
    entry = Entry.objects.latest("pk")
    assert (entry.verb, entry.actor) == ("comment.edit", None)
    assert (entry.before, entry.after) == ({"status": "approved", "edits": 0}, {"status": "pending", "edits": 1})


def test_undo_of_a_decision_leaves_alone_what_was_edited_since(olga):
    send(one())
    outcome = reject(fresh(), by=olga.user, reason="spam")
    send(one(body="another"))
    with pytest.raises(Conflict, match="Nothing could be undone"):
        undo(outcome.gesture, by=olga.user)
    assert fresh().status == "pending"


def test_a_form_that_showed_the_earlier_text_decides_nothing(moses):
    send(one())
    seen = fresh()
    send(one(body="another"))
    with pytest.raises(Conflict):
        approve(seen, by=moses.user)
    assert fresh().status == "pending"


def test_an_edit_that_arrives_late_overwrites_nothing():
    send(one(), one(body="second", edited_at="2026-01-02T00:00:00Z"))
    assert send(one(body="first", edited_at="2026-01-01T00:00:00Z")) == ["unchanged"]
    assert send(one(created_at="2025-12-31T00:00:00Z")) == ["unchanged"], "the comment itself, sent once more"
    assert fresh().body == "second"
    assert send(one(body="third")) == ["updated"], "one without dates is of now"


def test_a_batch_is_taken_in_order_and_the_last_wins():
    answers = send(one(), one(body="b"), one(body="b"), one(deleted=True), one("c2", body="other"), one(body="d"))
    assert answers == ["created", "updated", "unchanged", "deleted", "created", "unchanged"]
    assert (fresh().status, fresh().body) == ("deleted", "b")


def test_a_deleted_comment_waits_for_nobody_and_is_not_decided_on(olga):
    send(one())
    assert send({"external_id": "c1", "deleted": True}) == ["deleted"]
    assert send({"external_id": "c1", "deleted": True}, {"external_id": "c9", "deleted": True}) == ["unchanged"] * 2
    assert fresh().status == "deleted"
    assert not Comment.objects.filter(external_id="c9").exists()
    for verb in (approve, reject):
        with pytest.raises(Conflict):
            verb(fresh(), by=olga.user, reason="spam")
    assert Entry.objects.get().verb == "comment.delete"
    assert not Event.objects.exists()


def test_a_deleted_comment_comes_back_only_with_a_text_of_later():
    send(one(), one(deleted=True, edited_at="2026-01-02T00:00:00Z"))
    assert send(one(body="x"), one(body="x", edited_at="2026-01-01T00:00:00Z")) == ["unchanged"] * 2
    assert send(one(body="x", edited_at="2026-01-03T00:00:00Z")) == ["updated"]
    assert (fresh().status, fresh().body) == ("pending", "x")


def test_whoever_is_banned_is_turned_away_with_new_texts_and_edited_ones():
    send(one(ip="203.0.113.7"))
    make_network_ban("203.0.113.0/24", starts_at="2020-01-01T00:00:00Z")
    assert send(one(body="more"), one("c2", ip="203.0.113.9")) == ["banned", "banned"]
    assert set(Comment.objects.values_list("status", flat=True)) == {"rejected"}
    assert fresh().blocked_by is not None


@pytest.mark.parametrize(("minutes", "status"), [(4, "created"), (6, "invalid")])
def test_nothing_is_new_before_it_happened(minutes, status):
    soon = (timezone.now() + timedelta(minutes=minutes)).isoformat()
    (answer,) = comments.take([one(created_at=soon)])
    assert (answer.status, answer.error) == (status, "created_at lies in the future" if status == "invalid" else None)
    (answer,) = players.take([{"external_id": "p77", "username": "kim", "joined_at": soon}])
    assert (answer.status, answer.error) == (status, "joined_at lies in the future" if status == "invalid" else None)
    (answer,) = reports.take([{"external_id": "r77", "comment": "nothing", "created_at": soon}])
    assert (answer.error == "created_at lies in the future") == (status == "invalid")


def test_edits_of_what_was_never_sent_say_what_is_missing():
    (answer,) = comments.take([{"external_id": "c9", "body": "x"}])
    assert (answer.status, answer.error) == ("invalid", comments.NOBODY)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"body": ["x"]}, "body is not a text"),
        ({"author": True}, "author is not a text"),
        ({"edited_at": "2099-01-01"}, "edited_at lies in the future"),
        ({"created_at": 7}, "created_at is not a date like 2026-01-31T12:00:00"),
        ({"ip": "300.1.1.1"}, "ip is “300.1.1.1”, not an address"),
        ({"deleted": "perhaps"}, "deleted is neither true nor false"),
        ({"body": "a\0b"}, "body holds a NUL character"),
        ({"game": "no slug"}, "game is “no slug”, not a slug: letters, digits, - and _"),
    ],
)
def test_a_bad_field_is_named(fields, error):
    (answer,) = comments.take([one(**fields)])
    assert (answer.status, answer.error) == ("invalid", error)
    assert not Comment.objects.exists()


def test_players_change_only_in_what_was_sent():
    row = {"external_id": "p1", "username": "Ann", "email": "ann@mail.example", "bio": "hi", "ip": "203.0.113.7"}
    assert send(row, {"external_id": "p1", "bio": "new"}, row, into=players) == ["created", "updated", "updated"]
    assert send(row, into=players) == ["unchanged"]
    player = Player.objects.get()
    assert (player.username, player.email, player.bio, player.last_ip) == (
        "Ann",
        "ann@mail.example",
        "hi",
        "203.0.113.7",
    )
    entry = Entry.objects.filter(verb="player.update").latest("pk")
    assert set(entry.after) == {"bio"}
    assert "hi" not in str(entry.after)


def test_being_seen_is_kept_and_is_no_decision():
    send({"external_id": "p1", "last_seen_at": "2026-01-02T00:00:00Z", "ip": "203.0.113.7"}, into=players)
    late = {"external_id": "p1", "last_seen_at": "2026-01-01T00:00:00Z", "ip": "203.0.113.8"}
    send(late, into=players)
    player = Player.objects.get()
    assert (player.last_seen_at.day, player.last_ip) == (2, "203.0.113.7")
    assert not Entry.objects.exists()


def test_a_player_deleted_at_the_portal_is_erased():
    send(one(player="p1"))
    gone = {"external_id": "p1", "deleted": True}
    assert send(gone, gone, into=players) == ["deleted", "unchanged"]
    player = Player.objects.get()
    assert player.erased_at is not None
    assert player.username == f"erased player {player.pk}"
    assert fresh().body == "Erased on request."
    assert Entry.objects.get().verb == "player.erase"


def test_what_was_erased_does_not_come_back_when_its_comment_is_sent_again():
    row = one(player="p1")
    send(row)
    send({"external_id": "p1", "deleted": True}, into=players)
    later = row | {"body": "other", "edited_at": timezone.now().isoformat()}
    assert send(row, later) == ["unchanged", "unchanged"]
    assert fresh().body == "Erased on request."
    assert send({"external_id": row["external_id"], "deleted": True}) == ["deleted"]


def test_a_report_counts_once():
    make_comment(external_id="c1")
    row = {"external_id": "r1", "comment": "c1", "player": "p1", "words": "spam"}
    rows = [row, row, row | {"external_id": "r2"}, row | {"external_id": "r3", "player": ""}]
    assert send(*rows, into=reports) == ["created", "unchanged", "unchanged", "created"]
    assert send(*rows, into=reports) == ["unchanged", "unchanged", "unchanged", "unchanged"]
    assert (fresh().report_count, Report.objects.count()) == (2, 2)


def test_a_report_of_an_unknown_comment_says_what_to_do():
    (answer,) = reports.take([{"external_id": "r1", "comment": "c9"}])
    assert (answer.status, answer.error) == ("invalid", reports.UNKNOWN)


def test_a_batch_of_500_takes_few_statements(django_assert_max_num_queries):
    rows = [one(f"c{n}", author=f"player {n % 97}", game=f"g-{n % 7}", ip="203.0.113.7") for n in range(500)]
    with django_assert_max_num_queries(14):
        assert send(*rows) == ["created"] * 500
    half = [row | {"body": "other"} for row in rows[:250]] + [row | {"deleted": True} for row in rows[250:]]
    with django_assert_max_num_queries(20):
        assert send(*half) == ["updated"] * 250 + ["deleted"] * 250
    complaints = [{"external_id": f"r{n}", "comment": f"c{n}", "player": f"player {n}"} for n in range(500)]
    with django_assert_max_num_queries(10):
        assert send(*complaints, into=reports) == ["created"] * 500
    people = [{"external_id": f"player {n}", "username": f"Kim {n}"} for n in range(500)]
    with django_assert_max_num_queries(12):
        assert send(*people, into=players) == ["updated"] * 500
