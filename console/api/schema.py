"""The API's description of itself (OpenAPI 3.1): made of the views, their serializers and their docstrings."""

import inspect
import json
from functools import cache

import yaml
from django.http import HttpResponse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, extend_schema

from console.api import idempotency, problems, reading
from console.api.base import ApiView, RowsView
from console.api.shapes import AnswerShape, ProblemShape

LOOSE = "What is no such row is answered as `invalid`, and the others are taken."
ERRORS = {
    400: "The request could not be read.",
    401: "There is no token, or it is not in force.",
    403: "The token may not do that.",
    404: "There is nothing at this address.",
    405: "The address is asked in another way.",
    409: "The same request is being worked on.",
    413: "It was too much at once.",
    415: "The body is of another kind.",
    422: "What was asked for makes no sense; `detail` says why.",
    429: "Too much in too little time.",
    503: "The database did not answer in time.",
}
OF_BODIES = (409, 413, 415)
WITH_RETRY = (409, 429, 503)
KEY = OpenApiParameter(
    idempotency.HEADER,
    {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description="The same key with the same request has one effect, and the same answer for a day.",
)
_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
_ASK = {"WWW-Authenticate": {"description": "By RFC 6750.", "schema": {"type": "string"}}}


class Bearer(OpenApiAuthenticationExtension):
    target_class = "console.api.auth.Bearer"
    name = "token"

    def get_security_definition(self, auto_schema):
        return {"type": "http", "scheme": "bearer", "description": "A token that an operator makes in the console."}


class Described(AutoSchema):
    """What every operation has in common: scope, errors, and the header of requests that change something."""

    def get_summary(self):
        said = super().get_summary()
        return said or (f"Send {self.get_tags()[0].lower()}" if isinstance(self.view, RowsView) else None)

    def get_description(self):
        rows = isinstance(self.view, RowsView)
        said = inspect.cleandoc(self.view.row_serializer.__doc__) if rows else super().get_description() or ""
        return f"{said}\n\nTakes a token with the scope `{self.view.scope}`.".strip() if self.view.scope else said

    def get_tags(self):
        return [self._tokenize_path()[0].capitalize()]

    def get_operation_id(self):
        last = [part for part in self.path.strip("/").split("/")[2:] if "{" not in part]
        return "_".join([self.method.lower(), *last])

    def get_override_parameters(self):
        return [KEY] if getattr(self.view, "limit", "") == "api-write" else []

    def get_request_serializer(self):
        is_rows = isinstance(self.view, RowsView)
        return self.view.row_serializer if is_rows else super().get_request_serializer()

    def get_response_serializers(self):
        if isinstance(self.view, RowsView):
            return AnswerShape(many=True)
        return super().get_response_serializers()

    def _get_request_for_media_type(self, serializer, direction="request"):
        schema, required = super()._get_request_for_media_type(serializer, direction)
        if not isinstance(self.view, RowsView):
            return schema, required
        one = {"anyOf": [schema, {"type": "object"}], "description": LOOSE}
        many = {"type": "array", "items": {"anyOf": [schema, {}]}, "maxItems": reading.MOST_ROWS, "description": LOOSE}
        return {"anyOf": [one, many]}, True

    def _get_request_body(self, direction="request"):
        body = super()._get_request_body(direction)
        if body and reading.NDJSON in body["content"]:
            lines = f"A row on each line, at most {reading.MOST_LINES:,}."
            body["content"][reading.NDJSON] = {"schema": {"type": "string", "description": lines}}
        return body

    def _get_response_bodies(self, direction="response"):
        bodies = super()._get_response_bodies(direction)
        if self.method == "DELETE" and "204" in bodies:
            shape = self.get_response_serializers()
            bodies = {"200": self._get_response_for_code(shape, "200", direction=direction)}
        if "201" in bodies and isinstance(self.view, ApiView):
            bodies["200"] = bodies.pop("201")
        return bodies | {str(status): self._problem(status) for status in ERRORS if self._may_be(status)}

    def _may_be(self, status):
        if self.view.public and status == 403:  # what is signed is let in by that, or not: 401
            return False
        return status not in OF_BODIES or self.method != "GET"

    def _problem(self, status):
        ref = self.resolve_serializer(ProblemShape, "response").ref
        headers = (_RETRY if status in WITH_RETRY else {}) | (_ASK if status == 401 else {})
        said = {"description": ERRORS[status], "content": {problems.KIND: {"schema": ref}}}
        return said | ({"headers": headers} if headers else {})


class SchemaView(ApiView):
    """For anybody: it says nothing about a portal. `?format=yaml` says it as YAML."""

    public = True

    @extend_schema(exclude=True)
    def get(self, request):
        if request.GET.get("format") == "yaml":
            text = yaml.safe_dump(described(), sort_keys=False, allow_unicode=True, width=120)
            return HttpResponse(text, content_type="application/yaml")
        return self.say(described())


@cache
def described():
    """The whole schema, as plain values."""
    made = SchemaGenerator().get_schema(request=None, public=True)
    return json.loads(json.dumps(made, default=str))
