"""What portals ask before they let somebody in: is this player, or this address, banned?"""

from contextlib import suppress

from django.utils.functional import cached_property
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import JSONParser

from console import news, prepared
from console.api import reading
from console.api.base import ApiView
from console.api.problems import Problem, sentence
from console.clientip import parse
from moderation import doors
from moderation.models import Ban

FRESH = {"Cache-Control": "private, max-age=5", "Vary": "Authorization"}  # how long an answer may be told again
NEITHER = "Give an address, a player, or both."
MOST_BYTES = 512 * 1024


@extend_schema_field({"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]})
class AddressField(serializers.CharField):
    """An address in any spelling, as text in one."""

    def to_internal_value(self, data):
        address = parse(super().to_internal_value(data))
        if address is None:
            raise serializers.ValidationError("This is no address.")
        return str(address)


class NameField(serializers.CharField):
    """A text that is one already: 7 and "7" are not the same player by chance."""

    def to_internal_value(self, data):
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Question(serializers.Serializer):
    """An address, a player, or both."""

    ip = AddressField(required=False, allow_blank=True, max_length=64, help_text="The address somebody comes from.")
    player = NameField(required=False, allow_blank=True, max_length=200, help_text="What the portal calls the player.")

    def validate(self, asked):
        asked = {name: text for name, text in asked.items() if text}  # of a guest there is no player
        if not asked:
            raise serializers.ValidationError(NEITHER)
        return asked


class BanShape(serializers.Serializer):
    """The ban that decides: one of the player before any of a network, of networks the most specific."""

    kind = serializers.ChoiceField(["player", "network"])
    network = serializers.CharField(allow_null=True, help_text="The banned network; an address alone without length.")
    reason = serializers.CharField(help_text="The code of the reason.")
    starts_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True, help_text="null: for good.")


class VerdictShape(serializers.Serializer):
    banned = serializers.BooleanField()
    ban = BanShape(allow_null=True)


READER = Question()
BANNED = OpenApiExample(
    "A banned network",
    {
        "banned": True,
        "ban": {
            "kind": "network",
            "network": "203.0.113.0/24",
            "reason": "spam",
            "starts_at": "2026-01-31T12:00:00Z",
            "expires_at": None,
        },
    },
    response_only=True,
)
FREE = OpenApiExample("Not banned", {"banned": False, "ban": None}, response_only=True)
# of one row: the schema puts it into a list
ASKED = OpenApiExample("About both", {"ip": "203.0.113.7", "player": "p-7"}, request_only=True)


def verdict(ban):
    """What portals are told of a Ban in force, or None."""
    told = ban and {
        "kind": "player" if ban.player_id else "network",
        "network": None if ban.player_id else ban.shown(),
        "reason": ban.reason,
        "starts_at": news.moment(ban.starts_at),
        "expires_at": news.moment(ban.expires_at),
    }
    return {"banned": ban is not None, "ban": told}


class BanCheck(ApiView):
    scope = "bans:read"
    parser_classes = [JSONParser]

    @cached_property
    def question(self):
        return self.asked(Question)

    def beside(self):
        """Portals ask before they let anybody in: with the token it costs one statement instead of two."""
        with suppress(Problem, serializers.ValidationError):  # told by `get`, and to nobody without a token
            return doors.ASK, [self.question.get("player"), self.question.get("ip")]
        return ()

    @extend_schema(
        summary="Ask whether somebody is banned",
        parameters=[Question],
        responses=VerdictShape,
        examples=[BANNED, FREE],
    )
    def get(self, request):
        """By address, by player, or by both. An unknown player is not banned. The answer may be kept for seconds."""
        _ = self.question  # or why that is none
        return self.say(verdict(prepared.made(Ban, self.row)), headers=FRESH)

    @extend_schema(
        summary="Ask the same of up to 500",
        request=Question(many=True),
        responses=VerdictShape(many=True),
        examples=[ASKED],
    )
    def post(self, request):
        """Answers in the order of the questions."""
        questions = self.questions(request)
        return self.say([verdict(ban) for ban in doors.ask_many(questions)])

    @staticmethod
    def questions(request):
        """The rows, all of them good. Raises Problem."""
        rows = reading.rows(request, MOST_BYTES)
        read = [read_question(row) for row in rows]
        if errors := [error for _, error in read if error]:
            raise Problem(422, " ".join(errors[:20]))
        return [asked for asked, _ in read]


def read_question(row):
    """`(what is asked, "")`, or what is wrong with the row."""
    error = row.error or reading.strange(row.value, READER.fields)
    try:
        return (None, f"{row.where}{error}") if error else (READER.run_validation(row.value), "")
    except serializers.ValidationError as invalid:
        return None, f"{row.where}{sentence(invalid.detail)}"
