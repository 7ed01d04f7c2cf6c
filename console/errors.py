"""Answers when something went wrong: a page, or for htmx a fragment that is seen, with the same words."""

import sys

from django.conf import settings
from django.core.exceptions import TooManyFieldsSent
from django.db import DatabaseError, InterfaceError
from django.http import Http404
from django.middleware.csrf import get_token
from django.shortcuts import render
from psycopg_pool import PoolTimeout

from console.htmx import wants_partial

# query_canceled, lock_not_available, idle_in_transaction_session_timeout, admin_shutdown, crash_shutdown,
# cannot_connect_now, too_many_connections, deadlock_detected, serialization_failure (PostgreSQL, appendix A);
# class 08 is "connection exception"
_TROUBLE = {"57014", "55P03", "25P03", "57P01", "57P02", "57P03", "53300", "40P01", "40001"}

WORDS = {
    400: ("That made no sense", "The request could not be understood. Nothing was changed."),
    403: ("Not for your role", "Your account may not do this. An operator can change that."),
    404: ("Nothing here", "This page does not exist, or what it showed is gone."),
    500: (
        "Something broke",
        "Sending the same form again does no harm: it counts once. If it breaks again, tell an operator this number.",
    ),
    503: ("Not available just now", "The database did not answer in time. Try again: the same form counts once."),
}


class SwitchedOff(Http404):
    """A piece of the console that is behind a flag which is off for this person; its words are shown."""


def alert(request, status, message, **context):
    """A fragment into #alert, whatever the request's own target was; `context` as _alert.html takes it."""
    context = {"message": message, "request_id": _id(request), **context}
    response = render(None, "console/_alert.html", context, status=status)
    response["HX-Retarget"], response["HX-Reswap"] = "#alert", "innerHTML"
    return response


def answer(request, status, message="", title="", template=""):
    """The error page for `status`, or its fragment. Needs neither database nor session."""
    message, title = message or WORDS[status][1], title or WORDS[status][0]
    if wants_partial(request):
        response = alert(request, status, message)
    else:
        context = {"title": title, "message": message, "status": status, "request_id": _id(request)}
        response = render(None, template or f"{status}.html", context, status=status)
    if status == 503:
        response["Retry-After"] = "5"
    return response


def bad_request(request, exception=None):
    words = "Too much was sent at once: at most 1,000 things can be ticked. Nothing was changed."
    return answer(request, 400, words if isinstance(exception, TooManyFieldsSent) else "")


def permission_denied(request, exception=None):
    return answer(request, 403, str(exception or ""))


def page_not_found(request, exception=None):
    return answer(request, 404, str(exception) if isinstance(exception, SwitchedOff) else "")


def server_error(request):
    return answer(request, 503 if is_database_trouble(sys.exc_info()[1]) else 500)


def csrf_failure(request, reason=""):
    """Signing in gives a new token; forms of older tabs get it from here, so that what was typed can be sent."""
    if wants_partial(request) and request.COOKIES.get(settings.CSRF_COOKIE_NAME):
        words = "You have signed in anew since this page was opened. Nothing was changed; press the button again."
        return alert(request, 403, words, token=get_token(request))
    words = "Nothing was changed. Go back, reload the page and try again."
    return answer(request, 403, f"This page is out of date. {words}", "This page is out of date", "error.html")


def is_database_trouble(error):
    """Whether the database was slow, full or gone, as opposed to a mistake of ours."""
    if not isinstance(error, DatabaseError | InterfaceError):
        return False
    cause = error.__cause__
    state = getattr(cause, "sqlstate", None) or ""
    lost = state == "" and type(cause).__name__ in ("OperationalError", "InterfaceError")
    return isinstance(cause, PoolTimeout) or lost or state in _TROUBLE or state.startswith("08")


def _id(request):
    return getattr(request, "id", "")
