"""What portals are told of each kind of event: ids of theirs, and none of ours but the event's own."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console import news, verbs
from console.models import Event
from console.undo import undo
from games.models import Build, Game
from games.testing import make_build, make_game
from moderation.models import Ban, Comment, Player
from moderation.testing import make_comment, make_network_ban, make_player


def told():
    return news.described(Event.objects.order_by("entry"))


def test_a_decided_comment_is_told_by_the_portals_own_ids(moses):
    comment = make_comment(game=make_game(slug="neon"))
    verbs.get("comment.reject")(comment, by=moses.user, reason="spam", note="not for portals")
    event = Event.objects.get()
    assert told() == [
        {
            "type": "comment.rejected",
            "timestamp": event.at.isoformat().replace("+00:00", "Z"),
            "data": {
                "comment": comment.external_id,
                "player": comment.player.external_id,
                "game": "neon",
                "status": "rejected",
                "reason": "spam",
            },
        }
    ]


def test_what_an_undo_makes_untrue_is_named(moses):
    outcome = verbs.get("comment.approve")(make_comment(), by=moses.user)
    Event.objects.update(due_at="2026-01-01T00:00:00Z")
    undo(outcome.gesture, by=moses.user)
    first, _ = Event.objects.order_by("entry")
    assert told()[1]["corrects"] == str(first.pk)
    assert (told()[1]["type"], told()[1]["data"]["status"]) == ("comment.pending", "pending")
    assert "corrects" not in told()[0]


def test_a_ban_is_told_with_its_end(lea):
    player = make_player()
    verbs.get("player.ban")(player, by=lea.user, reason="spam", expires="7d")
    (ban,) = Ban.objects.all()
    (said,) = told()
    assert said["type"] == "player.banned"
    assert said["data"] == {
        "player": player.external_id,
        "reason": "spam",
        "starts_at": news.moment(ban.starts_at),
        "expires_at": news.moment(ban.expires_at),
    }


def test_a_banned_network_is_named_when_it_is_told_and_not_before(lea):
    ban = make_network_ban("198.51.100.0/24", lifted_at="2026-01-01T00:00:00Z")
    verbs.get("ban.lay")(ban, by=lea.user)
    assert "198.51" not in json.dumps(Event.objects.get().payload)
    assert told()[0]["data"] == {
        "network": "198.51.100.0/24",
        "reason": "spam",
        "starts_at": news.moment(Ban.objects.get().starts_at),
        "expires_at": None,
    }


def test_a_published_game_is_told_by_its_slug_and_build(rita):
    game = make_game(slug="neon", status=Game.DRAFT, author=make_player(external_id="p-7"))
    build = make_build(game=game)
    verbs.get("game.publish")(game, by=rita.user)
    data = {"game": "neon", "author": "p-7", "build": build.number, "sha256": build.sha256}
    assert [(each["type"], each["data"]) for each in told()] == [("game.published", data)]


def test_a_build_that_failed_says_why(olga):
    build = make_build(Build.INSPECTED)
    verbs.get("build.fail")(build, by=None)
    Build.objects.update(error="There is no index.html.")
    said = told()[0]["data"]
    assert (said["game"], said["build"], said["sha256"]) == (build.game.slug, build.number, build.sha256)
    assert said["error"] == "There is no index.html."


def test_of_what_is_gone_nothing_is_said(moses):
    comment = make_comment(game=make_game())
    verbs.get("comment.approve")(comment, by=moses.user)
    Comment.objects.all().delete()
    Player.objects.all().delete()
    data = told()[0]["data"]
    assert (data["comment"], data["player"], data["status"]) == (None, None, "approved")


@pytest.mark.parametrize("number", [1, 30])
def test_events_are_described_by_the_same_queries_however_many(moses, number):
    comments = [make_comment(game=make_game()) for _ in range(number)]
    verbs.get("comment.approve")(comments, by=moses.user)
    events = list(Event.objects.all())
    with CaptureQueriesContext(connection) as queries:
        assert len(news.described(events)) == number
    assert len(queries) == 4


def test_no_id_of_ours_leaves(moses):
    comment = make_comment(pk=987_654_321, player=make_player(pk=987_654_322), game=make_game(pk=987_654_323))
    verbs.get("comment.approve")(comment, by=moses.user)
    assert "98765432" not in json.dumps(told())


def test_every_event_there_is_has_a_describer(db):
    assert {"moderation.comment", "moderation.ban", "games.game", "games.build"} <= set(news._describers)
