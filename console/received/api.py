"""Where portals send events to: verified, stored once, answered at once. What they say is taken in by a job."""

from datetime import UTC, datetime

from django.db import connection, transaction
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from psycopg.types.json import Jsonb
from rest_framework import serializers

from console import atrest, limits
from console.api import auth, reading
from console.api.base import ApiView
from console.api.problems import Problem
from console.models import Source
from console.received import working
from console.webhooks import signing

MOST_BYTES = 1024 * 1024
REFUSED = "The message is not signed by a secret of ours, or not of the last five minutes. Nothing was changed."
SHAPELESS = "Send an object with type, timestamp and data, which is an object. Nothing was changed."
ODD_ID = "webhook-id has at most 200 characters, all of them printable. Nothing was changed."
_STORE = """
    INSERT INTO console_received (source_id, message, type, about, sent_at, data, state, status, error, version)
    VALUES (%s, %s, %s, %s, %s, %s, 'waiting', '', '', 0) ON CONFLICT DO NOTHING RETURNING id
"""


class EventMessage(serializers.Serializer):
    """A message by Standard Webhooks: something happened at the portal."""

    type = serializers.CharField(
        max_length=64,
        help_text="comment.created, comment.updated, comment.deleted, player.created, player.updated, player.deleted "
        "or report.created.",
    )
    timestamp = serializers.CharField(help_text="When it happened, in ISO 8601.")
    data = serializers.DictField(help_text="The fields of a row, as comments/, players/ and reports/ take them.")


class EventAnswer(serializers.Serializer):
    id = serializers.CharField(help_text="The webhook-id.")
    status = serializers.ChoiceField(["accepted", "known"], help_text="known: it came before, and counts once.")


def _header(name, words):
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, required=True, description=words)


class EventsIn(ApiView):
    """Signed by the secret of a source that an operator added, by Standard Webhooks; it takes no token."""

    public = True

    @extend_schema(
        summary="Take in a signed event",
        request=EventMessage,
        responses={200: EventAnswer, 202: EventAnswer},
        auth=[],
        parameters=[
            _header(signing.ID, "The message's own id: the same however often it is sent."),
            _header(signing.TIMESTAMP, "Seconds since 1970; at most five minutes from now."),
            _header(signing.SIGNATURE, "v1, and a signature over id, timestamp and body."),
        ],
        examples=[
            OpenApiExample(
                "A comment was edited",
                {
                    "type": "comment.updated",
                    "timestamp": "2026-01-31T12:05:00Z",
                    "data": {"external_id": "c-1001", "body": "What a game!"},
                },
                request_only=True,
            )
        ],
    )
    def post(self, request):
        body = reading.body(request, MOST_BYTES)
        source, message = sender(request, body)
        if seconds := limits.wait("api-write", request, person=f"source {source.pk}"):
            raise auth.too_many(seconds)
        new = store(source, message, *read(body))
        return self.say({"id": message, "status": "accepted" if new else "known"}, 202 if new else 200)


def sender(request, body):
    """`(the Source that signed it, the message's id)`. Raises Problem: 401, and 429 for who tries too often."""
    given = {name.lower(): value for name, value in request.headers.items()}
    for source in Source.objects.exclude(made_at=None).filter(retired_at=None).order_by("pk"):
        try:
            message = signing.verify(source.secrets, given, body)
        except (signing.Refused, atrest.Unreadable):
            continue
        if len(message) > 200 or not message.isprintable():
            raise Problem(422, ODD_ID)
        return source, message
    if seconds := limits.wait("api-guess", request, person=""):
        raise auth.too_many(seconds)
    raise Problem(401, REFUSED, {"WWW-Authenticate": "Signature"})


def read(body):
    """`(type, when, data)`. Raises Problem 400 or 422."""
    try:
        value = reading.parse(body)
    except ValueError as error:
        raise Problem(400, f"{reading.NO_JSON}: {error}. Nothing was changed.") from None
    if not isinstance(value, dict) or not isinstance(value.get("data"), dict):
        raise Problem(422, SHAPELESS)
    if error := reading.strange(value, value):
        raise Problem(422, f"{error} Nothing was changed.")
    kind, when = value.get("type"), _moment(value.get("timestamp"))
    if not isinstance(kind, str) or not 0 < len(kind) <= 64 or when is None:
        raise Problem(422, SHAPELESS)
    return kind, when, value["data"]


def _moment(text):
    """None for what is none, or at the ends of time: what another zone puts beyond them cannot be read back."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    if not 1990 <= found.year <= 2100:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


@transaction.atomic
def store(source, message, kind, when, data):
    """Whether it is new; one that is has its job."""
    about = reading.external_id(data) or ""
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [source.pk, message, kind, about, when, Jsonb(data)])
        new = cursor.fetchone()
    if new:
        working.ask([source.pk])
    return bool(new)
