"""What portals send of people and what they say (moderation.intake takes it in): comments, players, reports."""

from django.db import transaction
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers

from console.api import idempotency, reading
from console.api.base import Answer, ApiView, RowsView
from console.api.problems import Problem
from console.api.shapes import AnswerShape
from console.flags import PAUSE_INTAKE
from moderation.intake import answers, cleaning, comments, players, reports

_MOMENT = "ISO 8601; without a zone it is UTC."


def _id(words):
    return serializers.CharField(max_length=200, help_text=words)


def _text(name, words, **kwargs):
    most = cleaning.LONGEST[name]
    return serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=most, help_text=words)


def _moment(words):
    return serializers.DateTimeField(required=False, allow_null=True, help_text=f"{words} {_MOMENT}")


def _address(words):
    return serializers.IPAddressField(required=False, allow_blank=True, allow_null=True, help_text=words)


def _deleted(words):
    return serializers.BooleanField(required=False, allow_null=True, help_text=words)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A new comment",
            {
                "external_id": "c-1001",
                "player": "p-7",
                "author": "Kim",
                "body": "What a lovely game!",
                "created_at": "2026-01-31T12:00:00Z",
                "game": "neon-drift",
                "ip": "203.0.113.7",
            },
            request_only=True,
        ),
        OpenApiExample(
            "Another text",
            {"external_id": "c-1001", "body": "What a game!", "edited_at": "2026-01-31T12:05:00Z"},
            request_only=True,
        ),
        OpenApiExample("Deleted at the portal", {"external_id": "c-1001", "deleted": True}, request_only=True),
    ]
)
class CommentRow(serializers.Serializer):
    """A comment: a new one, another text of one that is there, or that it was deleted."""

    external_id = _id("What the portal calls it. The same again with another body is an edit.")
    author = _text("author", "What its author is called. Alone it tells players apart by name.")
    player = _text("player", "What the portal calls its author. A new comment needs this or `author`.")
    body = _text("body", "The text, kept exactly as it is sent. Needed unless it was deleted.")
    created_at = _moment("When it was written; now, unless told. Not in the future.")
    edited_at = _moment("When its text was changed; what is older than the text that is there changes nothing.")
    game = serializers.RegexField(
        r"^[-a-zA-Z0-9_]*$",
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=cleaning.LONGEST["game"],
        help_text="The slug of the game it is about; an unknown one is made.",
    )
    ip = _address("Where it was sent from; bans of networks turn it away by this.")
    deleted = _deleted("True: it was deleted at the portal. It waits for nobody any more.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A player",
            {"external_id": "p-7", "username": "Kim", "email": "kim@mail.example", "last_seen_at": "2026-01-31"},
            request_only=True,
        ),
        OpenApiExample("Deleted at the portal", {"external_id": "p-7", "deleted": True}, request_only=True),
    ]
)
class PlayerRow(serializers.Serializer):
    """A player: a new one, or what has changed. Fields that are not sent stay as they are."""

    external_id = _id("What the portal calls the player.")
    username = _text("username", "What the player is called; the external_id, unless told.")
    email = serializers.EmailField(required=False, allow_blank=True, allow_null=True, max_length=254)
    bio = _text("bio", "What the player says about themselves.")
    joined_at = _moment("When the account was made. Not in the future.")
    last_seen_at = _moment("When the player was last there; what is older changes nothing.")
    ip = _address("Where from.")
    deleted = _deleted("True: the account was deleted. All personal data of it is erased here, for good.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A report",
            {"external_id": "r-5", "comment": "c-1001", "player": "p-8", "words": "This is an advertisement."},
            request_only=True,
        )
    ]
)
class ReportRow(serializers.Serializer):
    """A player's complaint about a comment. It counts once for each player and comment."""

    external_id = _id("What the portal calls the report.")
    comment = _id("The external_id of a comment that was sent before.")
    player = _text("player", "What the portal calls the player who reports, if that is known.")
    words = _text("words", "What the player said of it.")
    created_at = _moment("When it was reported; now, unless told. Not in the future.")


class IntakeView(RowsView):
    """Reads rows as moderation.intake does, which is several times as fast as serializers and says the same."""

    kind = None  # the module of moderation.intake

    def check(self, serializer, row):
        if row.error:
            return Answer(None, answers.INVALID, row.error)
        try:
            error = reading.strange(row.value, serializer.fields)
            if not error:
                return self.kind.clean(row.value)
        except cleaning.BadRow as bad:
            error = f"{bad}."
        return Answer(reading.external_id(row.value), answers.INVALID, f"{row.where}{error}")

    def take(self, rows):
        taken = [answers.Row(fields, answers.Answer(fields["external_id"])) for fields in rows]
        self.kind.settle(taken)
        return [Answer(row.id, row.answer.status, row.answer.error and f"{row.answer.error}.") for row in taken]


class CommentsIn(IntakeView):
    scope = "comments:write"
    row_serializer, kind = CommentRow, comments


GONE = OpenApiExample("It is gone", {"external_id": "c-1001", "status": "deleted", "error": None}, response_only=True)


class CommentGone(ApiView):
    """DELETE says that a comment was deleted at the portal, as a row with `deleted` does."""

    scope = "comments:write"
    limit = "api-write"
    paused_by = PAUSE_INTAKE

    @extend_schema(summary="Say that a comment was deleted at the portal", responses=AnswerShape, examples=[GONE])
    def delete(self, request, external_id):
        """One that was never sent is `unchanged`, and nothing is remembered of it."""
        once = idempotency.begin(request, b"")
        if once.response:
            return once.response
        with once, transaction.atomic():
            (answer,) = comments.take([{"external_id": external_id, "deleted": True}])
            if answer.status == answers.INVALID:
                raise Problem(422, f"{answer.error}.")
            response = self.say(vars(answer))
            once.keep(response)
        return response


class PlayersIn(IntakeView):
    scope = "players:write"
    row_serializer, kind = PlayerRow, players


class ReportsIn(IntakeView):
    scope = "reports:write"
    row_serializer, kind = ReportRow, reports
