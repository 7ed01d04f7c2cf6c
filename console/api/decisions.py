"""What was decided, to be read from a cursor on: for portals that rather ask than be told."""

from django.core import signing
from django.db import transaction
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers

from console import news
from console.api.base import ApiView
from console.models import Event

MOST, USUAL = 500, 100
FOREIGN = "This cursor is none of ours. Leave it out to begin with the oldest that is kept."
BEGINNING = (0, 0)
_signer = signing.Signer(salt="console.api.decisions", sep=".")

# Events in the order of the transactions that wrote them. Locked, so that an undo on its way, which began inside the
# window, ends before its event is looked at
READ = """
    SELECT *, due_at <= clock_timestamp() AS is_final FROM console_event
    WHERE withdrawn_at IS NULL AND (xid, entry_id) > (%s::text::xid8, %s)
        AND xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY xid, entry_id LIMIT %s FOR SHARE
"""


class Since(serializers.Serializer):
    after = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=200,
        help_text="`next` of the answer before. Left out: from the oldest kept on.",
    )
    limit = serializers.IntegerField(required=False, default=USUAL, min_value=1, max_value=MOST)

    def validate_after(self, value):
        if not value:
            return BEGINNING
        try:
            xid, entry = _signer.unsign(value).split("-")
        except (signing.BadSignature, ValueError):
            raise serializers.ValidationError(FOREIGN) from None
        return int(xid), int(entry)


class DecisionShape(serializers.Serializer):
    """As webhooks tell it, with its id."""

    id = serializers.UUIDField(help_text="The `webhook-id` of the same event.")
    type = serializers.CharField(help_text="As “comment.approved”.")
    timestamp = serializers.DateTimeField()
    data = serializers.DictField()
    corrects = serializers.UUIDField(required=False, help_text="The event that this one makes untrue.")


class DecisionsShape(serializers.Serializer):
    decisions = DecisionShape(many=True)
    next = serializers.CharField(help_text="Ask with `after` set to it for what comes next.")
    more = serializers.BooleanField(help_text="Whether there is more already.")


EXAMPLE = OpenApiExample(
    "One decision",
    {
        "decisions": [
            {
                "id": "0f8fad5b-d9cb-469f-a165-70867728950e",
                "type": "comment.approved",
                "timestamp": "2026-01-31T12:00:00Z",
                "data": {
                    "comment": "c-1001",
                    "player": "p-7",
                    "game": "neon-drift",
                    "status": "approved",
                    "reason": None,
                },
            }
        ],
        "next": "812-4711.Kk0fIOd",
        "more": False,
    },
    response_only=True,
)


def read(after, limit):
    """`(final events behind `after`, the position of the last, whether there are more)`; a position is (xid, entry id).

    A cursor must never pass anything that is yet to come. Ids are given out before transactions end, so what commits
    late would be skipped by an order of ids alone: only transactions below which all have ended are looked at, in their
    order. And an event inside its window for undo may be withdrawn or not: it ends the page, also when later ones have
    passed theirs, and is looked at again next time. What was withdrawn is passed for good: it stays so.
    """
    with transaction.atomic():
        rows = list(Event.objects.raw(READ, [str(after[0]), after[1], limit + 1]))
    final = next((place for place, event in enumerate(rows) if not event.is_final), len(rows))
    events = rows[: min(final, limit)]
    position = (int(events[-1].xid), events[-1].entry_id) if events else after
    return events, position, final > limit


class Decisions(ApiView):
    scope = "decisions:read"

    @extend_schema(
        summary="Read decisions since a cursor", parameters=[Since], responses=DecisionsShape, examples=[EXAMPLE]
    )
    def get(self, request):
        """Everything that was decided, once and in order, after the time in which it could be undone without a word.

        What is undone later follows as another decision that `corrects` the first. Decisions are kept for 30 days.
        """
        asked = self.asked(Since)
        events, position, more = read(asked.get("after", BEGINNING), asked["limit"])
        told = [{"id": str(event.pk), **said} for event, said in zip(events, news.described(events), strict=True)]
        return self.say({"decisions": told, "next": _signer.sign("{}-{}".format(*position)), "more": more})
