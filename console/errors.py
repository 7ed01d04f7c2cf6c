"""Answers when something went wrong: a page, or for htmx a fragment that is seen, with the same words."""

import sys

import psycopg
from django import forms
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.db import DatabaseError, InterfaceError
from django.http import Http404
from django.middleware.csrf import get_token
from django.shortcuts import render, resolve_url
from django.template.defaultfilters import pluralize

from console.htmx import wants_partial

# PostgreSQL, appendix A: lock_not_available, in_failed_sql_transaction (somebody before swallowed the error),
# idle_in_transaction_session_timeout, transaction_timeout, deadlock_detected, serialization_failure,
# read_only_sql_transaction (after a failover), query_canceled
_TROUBLE = {"55P03", "25P02", "25P03", "25P04", "40P01", "40001", "25006", "57014"}
# of classes: connection exception, insufficient resources (connections, disk, memory), operator intervention, system
_CLASSES = ("08", "53", "57P", "58")

WORDS = {
    400: ("That made no sense", "The request could not be understood. Nothing was changed."),
    403: ("Not for your role", "Your account may not do this. An operator can change that."),
    404: ("Nothing here", "This page does not exist, or what it showed is gone."),
    405: ("Not in this way", "This address cannot be asked in that way. Nothing was changed."),
    413: ("Too much at once", "What was sent is larger than a form can be. Nothing was changed; send less at once."),
    500: (
        "Something broke",
        "Sending the same form again does no harm: it counts once. If it breaks again, tell an operator this number.",
    ),
    503: ("Not available just now", "The database did not answer in time. Try again: the same form counts once."),
}


TOO_MANY = "So much in so little time is more than one person does. Nothing was changed."


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


def paused(request, words):
    """503 while operators have something switched off (console.flags)."""
    response = answer(request, 503, words, "Paused")
    response["Retry-After"] = "60"
    return response


def too_many(request, seconds=60):
    """429 with words and Retry-After; a page holds what was sent, to be sent again."""
    words = f"{TOO_MANY} Wait {seconds} second{pluralize(seconds)}, then try again."
    if wants_partial(request):
        response = alert(request, 429, words)
    else:
        form = Again(request.POST) if request.method == "POST" and not is_account(request) else None
        words = f"{words} The button sends what you typed once more." if form else words
        context = {"title": "Too many tries", "message": words, "status": 429, "request_id": _id(request)}
        context |= {"form": form, "action": request.get_full_path(), "csrf_token": get_token(request)}
        response = render(None, "429.html", context, status=429)
    response["Retry-After"] = str(seconds)
    return response


def is_account(request):
    """Whether what was sent may hold a password, which no page gives back."""
    return request.path.startswith(resolve_url("account_login").removesuffix("login/"))


def refused_by_allauth(request, exception=None):
    """Its own limits are per minute, and it does not tell how much of that is left."""
    return too_many(request)


class Again(forms.Form):
    """What somebody sent, whatever it was, in fields that are not seen."""

    def __init__(self, sent):
        super().__init__()
        for name in sent:
            if name != "csrfmiddlewaretoken":
                self.fields[name] = forms.Field(widget=forms.MultipleHiddenInput, initial=sent.getlist(name))


def bad_request(request, exception=None):
    words = "Too much was sent at once: at most 1,000 things can be ticked. Nothing was changed."
    if isinstance(exception, RequestDataTooBig):
        return answer(request, 413, template="error.html")
    return answer(request, 400, words if isinstance(exception, TooManyFieldsSent) else "")


def method_not_allowed(request, allowed):
    response = answer(request, 405, template="error.html")
    response["Allow"] = ", ".join(allowed)
    return response


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
    title, words = "This page is out of date", "Nothing was changed. Go back, reload the page and try again."
    return answer(request, 403, f"{title}. {words}" if wants_partial(request) else words, title, "error.html")


def is_database_trouble(error):
    """Whether the database was slow, full or gone, as opposed to a mistake of ours."""
    # what Django says after an error that was swallowed inside a transaction names that one as its cause
    while isinstance(error, DatabaseError | InterfaceError):
        if _is_trouble(error.__cause__):
            return True
        error = error.__cause__
    return False


def _is_trouble(cause):
    state = getattr(cause, "sqlstate", None) or ""
    if not state:  # nobody answered (psycopg_pool's errors are of this kind, too)
        return isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
    return state in _TROUBLE or state.startswith(_CLASSES)


def _id(request):
    return getattr(request, "id", "")
