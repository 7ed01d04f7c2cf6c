"""What portals send by the API, through the whole stack."""

import json

import pytest
from django.test import Client

from console.testing import make_token
from moderation.models import Comment, Player, Report


@pytest.fixture
def portal(db):
    """Posts rows and returns the answer."""
    secret = make_token("comments:write", "players:write", "reports:write")
    client = Client(headers={"Authorization": f"Bearer {secret}"})

    def post(path, body, kind="application/json", **headers):
        sent = body if isinstance(body, str) else json.dumps(body)
        return client.post(f"/api/v1/{path}/", sent, content_type=kind, headers=headers)

    post.client = client
    return post


def statuses(response):
    assert response.status_code == 200, response.text
    return [row["status"] for row in response.json()]


def test_one_many_and_lines_of_json(portal):
    row = {"external_id": "c1", "player": "p1", "author": "Kim", "body": "hello"}
    assert portal("comments", row).json() == [{"external_id": "c1", "status": "created", "error": None}]
    assert statuses(portal("comments", [row, row | {"body": "other"}, {"external_id": "c2"}])) == [
        "unchanged",
        "updated",
        "invalid",
    ]
    lines = "\n".join(json.dumps(row | {"external_id": f"c{n}"}) for n in range(3, 800)) + "\nnonsense\n"
    assert statuses(portal("comments", lines, "application/x-ndjson")) == ["created"] * 797 + ["invalid"]
    assert Player.objects.get().comment_count == Comment.objects.count() == 798


def test_what_is_wrong_is_a_sentence_with_its_place(portal):
    rows = [{"external_id": "c1", "body": "x"}, {"external_id": "c2", "author": "Ann", "body": "x", "boddy": ""}]
    first, second = portal("comments", rows).json()
    assert first["error"] == "author or player is missing: there is no comment with this external_id yet."
    assert second["error"] == "Row 2: There is no field “boddy”."


def test_a_deletion_by_its_own_address(portal):
    portal("comments", {"external_id": "a/b 1", "author": "Kim", "body": "hello"})
    answer = portal.client.delete("/api/v1/comments/a%2Fb%201/").json()
    assert answer == {"external_id": "a/b 1", "status": "deleted", "error": None}
    assert portal.client.delete("/api/v1/comments/c9/").json()["status"] == "unchanged"
    assert portal.client.delete(f"/api/v1/comments/{'c' * 201}/").status_code == 422


def test_the_same_request_by_key_has_one_effect(portal):
    row = {"external_id": "c1", "author": "Kim", "body": "hello"}
    first, second = (portal("comments", row, **{"Idempotency-Key": "k1"}) for _ in range(2))
    assert first.text == second.text
    assert (first.json()[0]["status"], second["Idempotency-Replayed"]) == ("created", "true")


def test_players_and_reports(portal):
    portal("comments", {"external_id": "c1", "author": "Kim", "body": "hello"})
    assert statuses(portal("players", {"external_id": "p2", "username": "Alex", "email": "a@mail.example"})) == [
        "created"
    ]
    assert statuses(portal("players", {"external_id": "p2", "email": "nonsense"})) == ["invalid"]
    report = {"external_id": "r1", "comment": "c1", "player": "p2", "words": "spam"}
    assert statuses(portal("reports", [report, report])) == ["created", "unchanged"]
    assert Report.objects.get().player.username == "Alex"


@pytest.mark.parametrize("path", ["comments", "players", "reports"])
def test_each_takes_its_scope(db, path):
    client = Client(headers={"Authorization": f"Bearer {make_token('bans:read')}"})
    response = client.post(f"/api/v1/{path}/", "{}", content_type="application/json")
    assert (response.status_code, response["Content-Type"]) == (403, "application/problem+json")
    assert not Player.objects.exists()
