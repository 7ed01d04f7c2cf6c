"""Answers when something went wrong: a page, or for htmx a fragment that is seen, with the same words."""

import sys

from django.db import DatabaseError, InterfaceError
from django.shortcuts import render
from psycopg_pool import PoolTimeout

# query_canceled, lock_not_available, idle_in_transaction_session_timeout, admin_shutdown, crash_shutdown,
# cannot_connect_now, too_many_connections (PostgreSQL, appendix A); class 08 is "connection exception"
_TROUBLE = {"57014", "55P03", "25P03", "57P01", "57P02", "57P03", "53300"}

WORDS = {
    400: ("That made no sense", "The request could not be understood. Nothing was changed."),
    403: ("Not for your role", "Your account may not do this. An operator can change that."),
    404: ("Nothing here", "This page does not exist, or what it showed is gone."),
    500: (
        "Something broke",
        "Nothing was changed. Try again; if it happens again, give an operator the request number.",
    ),
    503: ("Not available just now", "The database did not answer in time. Nothing was changed. Try again."),
}


def alert(request, status, message, link="", link_text=""):
    """A fragment into #alert, whatever the request's own target was."""
    context = {"message": message, "link": link, "link_text": link_text, "request_id": _id(request)}
    response = render(None, "console/_alert.html", context, status=status)
    response["HX-Retarget"], response["HX-Reswap"] = "#alert", "innerHTML"
    return response


def answer(request, status, message=""):
    """The error page for `status`, or its fragment. Needs neither database nor session."""
    title, words = WORDS[status]
    message = message or words
    if getattr(request, "htmx", False):
        response = alert(request, status, message)
    else:
        context = {"title": title, "message": message, "status": status, "request_id": _id(request)}
        response = render(None, f"{status}.html", context, status=status)
    if status == 503:
        response["Retry-After"] = "5"
    return response


def bad_request(request, exception=None):
    return answer(request, 400)


def permission_denied(request, exception=None):
    return answer(request, 403, str(exception or ""))


def page_not_found(request, exception=None):
    return answer(request, 404)


def server_error(request):
    return answer(request, 503 if is_database_trouble(sys.exc_info()[1]) else 500)


def csrf_failure(request, reason=""):
    return answer(request, 403, "This page is out of date. Nothing was changed. Reload it and try again.")


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
