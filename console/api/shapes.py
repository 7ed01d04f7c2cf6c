"""Shapes that answers of several views share, for the schema."""

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers


@extend_schema_serializer(
    examples=[
        OpenApiExample("Answer", {"external_id": "r-1001", "status": "created", "error": None}, response_only=True)
    ]
)
class AnswerShape(serializers.Serializer):
    """What came of a row."""

    external_id = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(["created", "updated", "unchanged", "deleted", "banned", "invalid"])
    error = serializers.CharField(allow_null=True, help_text="What is wrong with a row that is `invalid`.")


class ProblemShape(serializers.Serializer):
    """An error, by RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField(help_text="The status in words.")
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What went wrong, as a sentence.")
    request_id = serializers.CharField(help_text="What our logs know the request by.")
    errors = serializers.DictField(required=False, help_text="For each parameter that is wrong, why.")
