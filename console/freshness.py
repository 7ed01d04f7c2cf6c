"""Dangerous things take somebody who has just said who they are: a password or passkey within SUDO_S.

What was to be done is kept in the session meanwhile and done once it is confirmed, as it was sent.
"""

import time

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import stash_and_reauthenticate
from allauth.account.utils import get_next_redirect_url
from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import resolve
from django.utils.http import urlencode

from console.htmx import wants_partial

KEPT_S = 15 * 60  # how long that may wait


def is_fresh(request):
    """Whether this person gave a password, code or passkey in this session within SUDO_S."""
    return any(time.time() - each["at"] < settings.SUDO_S for each in get_authentication_records(request, request.user))


def ask(request):
    """Leads to the page that asks who they are; keeps the request, which was let through so far."""
    path = request.get_full_path()
    state = {"next": path, "at": time.time(), "post": request.POST.urlencode()}
    stash_and_reauthenticate(request, state, "console.freshness.go_on")
    methods = get_adapter().get_reauthentication_methods(request.user)
    page = f"{methods[0]['url']}?{urlencode({'next': path})}"
    if wants_partial(request):
        return HttpResponse(status=204, headers={"HX-Redirect": page})
    return HttpResponseRedirect(page, status=303)


def go_on(request, state):
    """Called by allauth once somebody has confirmed: does what was kept, if that is what they came from."""
    wanted = get_next_redirect_url(request) or settings.LOGIN_REDIRECT_URL
    if wanted != state["next"] or time.time() - state["at"] > KEPT_S:
        return HttpResponseRedirect(wanted, status=303)
    path, _, query = wanted.partition("?")
    request.GET, request.POST = QueryDict(query), QueryDict(state["post"])
    request.path = request.path_info = path
    request.META["QUERY_STRING"] = query
    request.resolver_match = match = resolve(path)
    return match.func(request, *match.args, **match.kwargs)
