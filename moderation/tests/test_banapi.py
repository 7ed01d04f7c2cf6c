"""Whether somebody is banned, as portals ask."""

import json
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.testing import make_token
from moderation import doors
from moderation.models import Ban
from moderation.testing import make_network_ban, make_player

URL = "/api/v1/bans/check/"


@pytest.fixture
def portal(db):
    return Client(headers={"Authorization": f"Bearer {make_token('bans:read')}"})


def ask(portal, **asked):
    response = portal.get(URL, asked)
    assert response.status_code == 200, response.text
    return response.json()


def test_nobody_is_banned_by_nobody(portal):
    free = {"banned": False, "ban": None}
    assert ask(portal, ip="203.0.113.7", player="unknown") == ask(portal, player=make_player().external_id) == free
    assert ask(portal, ip="203.0.113.7", player="") == ask(portal, ip="", player="unknown") == free  # of a guest


def test_the_most_specific_ban_of_an_address_is_told(portal):
    make_network_ban("203.0.113.0/24", reason="spam")
    ends = timezone.now() + timedelta(hours=1)
    narrow = make_network_ban("203.0.113.7/32", reason="abuse", expires_at=ends)
    ban = ask(portal, ip="203.0.113.7")["ban"]
    assert (ban["kind"], ban["network"], ban["reason"]) == ("network", "203.0.113.7", "abuse")
    assert ban["expires_at"].startswith(ends.strftime("%Y-%m-%dT%H:%M"))
    assert ban["starts_at"].endswith("Z")
    assert ask(portal, ip="203.0.113.8")["ban"]["network"] == "203.0.113.0/24"
    Ban.objects.filter(pk=narrow.pk).update(allow=True)
    assert not ask(portal, ip="203.0.113.7")["banned"]


def test_a_player_is_known_by_the_portals_own_name(portal):
    player = make_player(external_id="p/ü 7")
    Ban.objects.create(player=player, reason="hate")
    make_network_ban("203.0.113.0/24")
    for asked in ({"player": "p/ü 7"}, {"player": "p/ü 7", "ip": "203.0.113.7"}):
        assert ask(portal, **asked)["ban"] | {"starts_at": ""} == {
            "kind": "player",
            "network": None,
            "reason": "hate",
            "starts_at": "",
            "expires_at": None,
        }
    assert not ask(portal, player=str(player.pk))["banned"]


@pytest.mark.parametrize(
    "ip", ["203.0.113.7", "::ffff:203.0.113.7", "::FFFF:cb00:7107", " 203.0.113.7 ", "[::ffff:203.0.113.7]"]
)
def test_an_address_is_one_in_any_spelling(portal, ip):
    make_network_ban("203.0.113.7/32")
    assert ask(portal, ip=ip)["banned"]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"ip": ""},
        {"ip": "kit"},
        {"ip": "203.0.113.0/24"},
        {"player": "a\0b"},
        {"player": "p" * 201},
        {"pleyer": "p"},
    ],
    ids=str,
)
def test_questions_that_make_no_sense_are_422(portal, asked):
    response = portal.get(URL, asked)
    assert (response.status_code, response["Content-Type"]) == (422, "application/problem+json")


@pytest.mark.parametrize("asked", [{}, {"ip": "kit"}, {"pleyer": "p"}], ids=str)
def test_what_is_wrong_with_a_question_is_told_to_those_who_may_ask(db, asked):
    tokens = {"att_none": 401, make_token("comments:write"): 403, make_token("bans:read"): 422}
    clients = [Client(headers={"Authorization": f"Bearer {token}"}) for token in tokens]
    assert [client.get(URL, asked).status_code for client in clients] == list(tokens.values())


def test_an_answer_may_be_kept_for_seconds_by_whoever_asked(portal):
    response = portal.get(URL, {"ip": "203.0.113.7"})
    assert response["Cache-Control"] == "private, max-age=5"
    assert response["Vary"] == "Authorization"
    assert portal.get(URL)["Cache-Control"] == "no-store"


def test_a_question_costs_one_statement(portal):
    make_network_ban("203.0.113.7/32")
    ask(portal, ip="203.0.113.7", player="p1")
    with CaptureQueriesContext(connection) as asked:
        ask(portal, ip="203.0.113.7", player="p1")
    assert len(asked) == 1


NETWORKS = """
    INSERT INTO moderation_ban (network, reason, starts_at, version)
    SELECT ('11.0.' || n / 256 || '.' || n % 256)::inet, 'spam', now(), 0 FROM generate_series(1, 20000) n
"""


def asked_by_portal(ip):
    return ask(Client(headers={"Authorization": f"Bearer {make_token('bans:read')}"}), ip=ip)["banned"]


@pytest.mark.parametrize("asking", [asked_by_portal, doors.check], ids=["portal", "sign-in"])
def test_a_question_is_planned_once_and_not_for_each_address(committed_db, asking):
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"{NETWORKS}; ANALYZE moderation_ban")
    for number in range(20):
        assert asking(ip=f"11.0.1.{number}")
    with connection.cursor() as cursor:
        of_bans = "statement LIKE '%moderation_ban%'"
        cursor.execute(f"SELECT custom_plans, generic_plans FROM pg_prepared_statements WHERE {of_bans}")
        assert cursor.fetchall() == [(5, 15)]  # PostgreSQL compares the first five


def test_a_lifted_ban_is_over_with_the_next_question(portal):
    ban = make_network_ban("203.0.113.7/32")
    assert ask(portal, ip="203.0.113.7")["banned"]
    Ban.objects.filter(pk=ban.pk).update(lifted_at=timezone.now())
    assert not ask(portal, ip="203.0.113.7")["banned"]


def many(portal, questions):
    return portal.post(URL, json.dumps(questions), content_type="application/json")


def test_many_are_answered_in_their_order_like_one(portal):
    player = make_player()
    Ban.objects.create(player=player, reason="hate")
    make_network_ban("203.0.113.0/24")
    make_network_ban("203.0.113.7/32", allow=True)
    questions = [
        {"ip": "198.51.100.1"},
        {"ip": "203.0.113.8"},
        {"player": player.external_id},
        {"ip": "203.0.113.7"},
        {"ip": "203.0.113.7", "player": player.external_id},
        {"player": "unknown"},
    ]
    answers = many(portal, questions).json()
    assert [answer["banned"] for answer in answers] == [False, True, True, False, True, False]
    assert many(portal, []).json() == []
    assert answers == [ask(portal, **question) for question in questions]


def test_many_cost_the_same_statements_for_2_and_for_200(portal):
    make_network_ban("203.0.113.0/24")
    counted = []
    for number in (2, 2, 200):
        with CaptureQueriesContext(connection) as asked:
            assert many(portal, [{"ip": f"203.0.113.{n}"} for n in range(number)]).status_code == 200
        counted.append(len(asked))
    assert counted[1] == counted[2] == 3


@pytest.mark.parametrize(
    ("questions", "status"),
    [
        ("address", 400),
        ([{"player": 7}], 422),
        ([{}], 422),
        ([{"ip": "203.0.113.7"}, {"ip": "kit"}], 422),
        (["kit"], 422),
        ([{"pleyer": "p"}], 422),
        ([{"ip": "203.0.113.7"}] * 501, 413),
    ],
    ids=["text", "number", "empty", "bad", "no object", "unknown", "many"],
)
def test_bad_rows_are_named(portal, questions, status):
    response = many(portal, questions)
    assert response.status_code == status
    if len(questions) == 2:
        assert response.json()["detail"] == "Row 2: ip: This is no address."
