"""The framework of the API: who is let in, how rows come, and how errors are told."""

import json
import logging
from datetime import timedelta

import psycopg
import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path
from django.utils import timezone
from rest_framework import serializers

from console import limits
from console.api import auth, idempotency, problems, reading
from console.api.base import Answer, ApiView, RowsView
from console.models import Idempotent, Token
from console.testing import make_token

TAKEN = []


class ThingSerializer(serializers.Serializer):
    external_id = serializers.CharField(max_length=64)
    body = serializers.CharField(max_length=100)
    extra = serializers.JSONField(required=False)


class Things(RowsView):
    scope = "decisions:read"
    row_serializer = ThingSerializer

    def take(self, rows):
        TAKEN.append([row["external_id"] for row in rows])
        if any(row["body"] == "trouble" for row in rows):
            raise OperationalError("gone") from psycopg.OperationalError("gone")
        return [Answer(row["external_id"], "created") for row in rows]


class Broken(ApiView):
    scope = "decisions:read"

    def get(self, request):
        raise ZeroDivisionError


urlpatterns = [path("api/v1/things/", Things.as_view()), path("api/v1/broken/", Broken.as_view())]
THINGS = "/api/v1/things/"


@pytest.fixture(autouse=True)
def _things(db, settings):
    settings.ROOT_URLCONF = __name__
    TAKEN.clear()


@pytest.fixture
def portal():
    return Portal(make_token("decisions:read"))


class Portal(Client):
    """A program with a token; it says what it sends."""

    def __init__(self, secret="", **kwargs):
        super().__init__(raise_request_exception=False, **kwargs)
        self.defaults |= {"HTTP_AUTHORIZATION": f"Bearer {secret}"} if secret else {}

    def send(self, value, kind="application/json", **headers):
        body = value if isinstance(value, bytes) else json.dumps(value)
        return self.post(THINGS, body, content_type=kind, headers=headers)


def thing(number, **fields):
    return {"external_id": f"t{number}", "body": "good"} | fields


def problem(response, status):
    assert response.status_code == status
    assert response["Content-Type"] == problems.KIND
    said = response.json()
    assert said["status"] == status
    assert said["request_id"] == response["X-Request-ID"]
    return said["detail"]


# --- who is let in ----------------------------------------------------------------------------------------------


def test_a_token_with_the_scope_is_let_in(portal):
    assert portal.send(thing(1)).json() == [{"external_id": "t1", "status": "created", "error": None}]


def test_without_a_token_or_with_a_wrong_one_nobody_is(portal):
    assert "Authorization" in problem(response := Portal().send(thing(1)), 401)
    assert response["WWW-Authenticate"] == auth.REALM
    problem(response := Portal("att_wrong").send(thing(1)), 401)
    assert 'error="invalid_token"' in response["WWW-Authenticate"]
    problem(Client(headers={"Authorization": "Basic b2xnYTpvbGdh"}).get(THINGS), 401)
    assert TAKEN == []


@pytest.mark.parametrize("field", ["revoked_at", "expires_at"])
def test_what_was_revoked_or_has_expired_is_refused_at_once(portal, field):
    Token.objects.update(**{field: timezone.now() - timedelta(seconds=1)})
    problem(portal.send(thing(1)), 401)


def test_another_scope_is_not_enough():
    response = Portal(make_token()).send(thing(1))
    assert problem(response, 403) == "This takes a token with the scope decisions:read."
    assert 'error="insufficient_scope"' in response["WWW-Authenticate"]


def test_a_token_in_the_address_is_refused(portal):
    problem(Portal().get(f"{THINGS}?access_token=att_1"), 400)
    problem(portal.get(f"{THINGS}?token=att_1"), 400)


def test_no_cookie_opens_the_api_and_none_is_set(olga, portal):
    problem(olga.get(THINGS), 401)
    assert not portal.send(thing(1)).cookies


def test_the_last_use_is_written_once_a_minute(portal):
    portal.send(thing(1))
    first = Token.objects.get().last_used_at
    portal.send(thing(2))
    assert Token.objects.get().last_used_at == first
    Token.objects.update(last_used_at=first - timedelta(minutes=2))
    portal.send(thing(3))
    assert Token.objects.get().last_used_at >= first


def test_a_token_and_its_limit_cost_one_statement(portal):
    portal.get("/api/v1/broken/")
    with CaptureQueriesContext(connection) as asked:
        portal.get("/api/v1/broken/")
    assert len(asked) == 1


def test_a_token_has_a_limit_and_an_address_that_guesses(portal, settings):
    settings.RATE_LIMITS = "api-write=2:0,api-guess=0:2"
    assert [portal.send(thing(1)).status_code for _ in range(3)] == [200, 200, 429]
    assert [Portal("att_guess").send(thing(1)).status_code for _ in range(3)] == [401, 401, 429]
    response = portal.send(thing(1))
    problem(response, 429)
    assert 0 < int(response["Retry-After"]) <= limits.LIMITS["api-write"].seconds


def test_a_view_without_a_scope_cannot_be_routed():
    with pytest.raises(Exception, match="names no scope"):
        ApiView.as_view()


def test_the_log_says_which_token_asked(portal, caplog):
    logging.getLogger("attendant.access").addHandler(caplog.handler)
    caplog.set_level(logging.INFO, "attendant.access")
    portal.send(thing(1))
    logging.getLogger("attendant.access").removeHandler(caplog.handler)
    assert f"queries token {Token.objects.get().pk}\n" in caplog.text


# --- headers and errors -----------------------------------------------------------------------------------------


def test_every_answer_carries_the_headers(portal):
    for response in (portal.send(thing(1)), Portal().send(thing(1)), portal.get("/api/v2/nothing")):
        assert response["Cache-Control"] == "no-store"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["X-Request-ID"]
        assert "Access-Control-Allow-Origin" not in response


def test_by_http_nothing_is_answered_in_production(portal, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert "https" in problem(portal.send(thing(1)), 403)
    assert portal.post(THINGS, json.dumps(thing(1)), content_type="application/json", secure=True).status_code == 200


def test_other_hosts_addresses_and_methods_are_problems(portal):
    problem(portal.get(THINGS, headers={"Host": "evil.example"}), 400)
    problem(portal.get("/api/v1/nothing/"), 404)
    response = portal.delete(THINGS)
    problem(response, 405)
    assert response["Allow"] == "POST"


def test_mistakes_of_ours_are_told_without_their_words(portal):
    assert "Zero" not in problem(portal.get("/api/v1/broken/"), 500)


def test_a_database_in_trouble_is_a_503(portal):
    response = portal.send(thing(1, body="trouble"))
    problem(response, 503)
    assert response["Retry-After"] == "5"


# --- rows -------------------------------------------------------------------------------------------------------


def test_rows_are_answered_each_and_in_order(portal):
    rows = [thing(1), thing(2, body=""), "nonsense", thing(3, boody="x"), thing(4)]
    said = portal.send(rows).json()
    assert [each["status"] for each in said] == ["created", "invalid", "invalid", "invalid", "created"]
    assert [each["external_id"] for each in said] == ["t1", "t2", None, "t3", "t4"]
    assert said[1]["error"] == "Row 2: body: This field may not be blank."
    assert said[3]["error"] == "Row 4: There is no field “boody”."
    assert TAKEN == [["t1", "t4"]]


def test_lines_are_worked_off_500_at_a_time_and_broken_ones_named(portal):
    lines = [json.dumps(thing(number)) for number in range(600)]
    lines[7], lines[8] = '{"external_id": "t7"', ""
    said = portal.send("\n".join(lines).encode(), reading.NDJSON).json()
    assert len(said) == 599
    assert said[7]["error"].startswith("Line 8: This is no JSON")
    assert [len(batch) for batch in TAKEN] == [499, 99]


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
def test_what_cannot_be_kept_is_invalid(portal, text):
    rows = [thing(1, body=text), thing(2, extra={"deep": [text]}), thing(3, **{text: 1}), {"external_id": text}]
    assert {each["status"] for each in portal.send(rows).json()} == {"invalid"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b" ", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b"7", 400),
        (b'[{"external_id": NaN}]', 400),
        (b"[" * 100_000, 400),
        (b"1" * 5_000, 400),
        (json.dumps([thing(n) for n in range(501)]).encode(), 413),
        (b" " * (reading.MOST_BYTES + 1), 413),
    ],
    ids=["empty", "cut", "latin", "number", "nan", "deep", "long number", "rows", "bytes"],
)
def test_bodies_that_make_no_sense_are_refused(portal, body, status):
    problem(portal.send(body), status)
    assert TAKEN == []


def test_other_kinds_of_content_are_refused(portal):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"):
        problem(portal.send(b"{}", kind), 415)
    problem(portal.send(b"{}", **{"Content-Encoding": "gzip"}), 415)


# --- the same request twice -------------------------------------------------------------------------------------


KEY = {"Idempotency-Key": "k-1"}


def test_the_same_key_gets_the_same_answer_without_a_second_effect(portal):
    first, second = portal.send(thing(1), **KEY), portal.send(thing(1), **KEY)
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert second["Idempotency-Replayed"] == "true"
    assert len(TAKEN) == 1


def test_the_same_key_with_another_body_is_refused(portal):
    portal.send(thing(1), **KEY)
    problem(portal.send(thing(2), **KEY), 422)
    assert TAKEN == [["t1"]]


def test_keys_belong_to_their_token(portal):
    portal.send(thing(1), **KEY)
    Portal(make_token("decisions:read")).send(thing(2), **KEY)
    assert TAKEN == [["t1"], ["t2"]]


def test_while_the_first_is_worked_on_the_second_waits(portal):
    portal.send(thing(1), **KEY)
    Idempotent.objects.update(status=None)
    assert problem(response := portal.send(thing(1), **KEY), 409) == idempotency.AT_WORK
    assert response["Retry-After"]
    Idempotent.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert portal.send(thing(1), **KEY).status_code == 200
    assert len(TAKEN) == 2


def test_what_failed_can_be_sent_again(portal):
    assert portal.send(thing(1, body="trouble"), **KEY).status_code == 503
    assert not Idempotent.objects.exists()
    assert portal.send(thing(1), **KEY).status_code == 200


def test_keys_are_kept_for_a_day(portal):
    portal.send(thing(1), **KEY)
    idempotency.sweep()
    assert Idempotent.objects.exists()
    Idempotent.objects.update(at=timezone.now() - timedelta(hours=25))
    assert portal.send(thing(2), **KEY).status_code == 200
    Idempotent.objects.update(at=timezone.now() - timedelta(hours=25))
    idempotency.sweep()
    assert not Idempotent.objects.exists()


@pytest.mark.parametrize("key", ["", "k" * 201, "k\u00e9", " ", "a key"])
def test_other_keys_are_refused(portal, key):
    problem(portal.send(thing(1), **{"Idempotency-Key": key}), 400)
