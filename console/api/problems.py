"""Errors as the API tells them: application/problem+json (RFC 9457), whatever went wrong and wherever."""

import json
import logging
from http import HTTPStatus

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.core.signals import got_request_exception
from django.http import Http404, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions

from console.errors import is_database_trouble

log = logging.getLogger("attendant.api")
KIND = "application/problem+json"
RETRY_S = 5

WORDS = {
    400: "The request could not be understood. Nothing was changed.",
    403: "This token may not do that.",
    404: "There is nothing at this address. Addresses end in a slash.",
    413: "That is too much for one request. Nothing was changed; send less at once.",
    500: "Something broke on our side. Send the same again; what is sent twice counts once.",
    503: "The database did not answer in time. Send the same again; what is sent twice counts once.",
}
_TOO_BIG = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)
_SENSELESS = (BadRequest, MultiPartParserError, SuspiciousOperation, UnreadablePostError)


class Problem(exceptions.APIException):
    """Ends a request with this status and sentence; `more` are further members of the answer, as JSON."""

    def __init__(self, status, detail="", headers=None, **more):
        super().__init__(detail or WORDS[status])
        self.status_code, self.headers, self.more = status, headers or {}, more


def unprocessable(errors):
    """422 for parameters: `errors` is `{name: [sentences]}`, as serializers give it."""
    return Problem(422, sentence(errors), errors={name: [sentence(said)] for name, said in errors.items()})


def sentence(detail):
    """What a serializer found wrong, as text: "body: This field is required." """
    if isinstance(detail, dict):
        return " ".join(
            sentence(said) if name == "non_field_errors" else f"{name}: {sentence(said)}"
            for name, said in detail.items()
        )
    if isinstance(detail, list | tuple):
        return " ".join(map(sentence, filter(None, detail)))
    return str(detail)


def answer(request, error):
    """The response to an error that was raised. For a mistake of ours that is a 500, which is logged."""
    known = _known(error)
    if known:
        return respond(request, known.status_code, sentence(known.detail), known.headers, **known.more)
    # whoever watches over mistakes (Sentry, tests) hears of them by this signal
    got_request_exception.send(sender=None, request=request)
    log.error("an answer of the API could not be made", exc_info=error)
    return respond(request, 500, WORDS[500])


def _known(error):
    """The Problem that this error is for whoever asked, or None."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, exceptions.ValidationError):
        return unprocessable(error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail})
    if isinstance(error, exceptions.APIException):
        return Problem(error.status_code, sentence(error.detail))
    if isinstance(error, Http404):
        return Problem(404)
    if isinstance(error, PermissionDenied):
        return Problem(403)
    if isinstance(error, _TOO_BIG):
        return Problem(413)
    if isinstance(error, _SENSELESS):
        return Problem(400)
    return Problem(503, headers={"Retry-After": str(RETRY_S)}) if is_database_trouble(error) else None


def respond(request, status, detail, headers=None, **more):
    """The answer itself."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "request_id": getattr(request, "id", ""),
        **more,
    }
    return HttpResponse(json.dumps(body), status=status, content_type=KIND, headers=headers)
