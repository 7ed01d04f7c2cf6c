"""Every address of the API × method × token, as data: nobody is let in whom its scope does not let in."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from django.urls.converters import IntConverter
from django.utils import timezone

from console.api import problems, scopes
from console.api.base import ApiView
from console.models import Token
from console.testing import make_token

# address → (what a token needs, the methods it takes); None: none is asked for
MATRIX = {
    "bans/check/": ("bans:read", {"get", "post"}),
    "builds/": ("builds:write", {"post"}),
    "builds/c-1/1/": ("builds:write", {"get"}),
    "comments/": ("comments:write", {"post"}),
    "comments/c-1/": ("comments:write", {"delete"}),
    "decisions/": ("decisions:read", {"get"}),
    "events/": (None, {"post"}),  # signed: console/received
    "players/": ("players:write", {"post"}),
    "reports/": ("reports:write", {"post"}),
    "schema/": (None, {"get"}),
}
METHODS = ("get", "post", "put", "patch", "delete")
GUARDED = {address: row for address, row in MATRIX.items() if row[0]}


def views():
    """`{address: view class}` below /api/v1/, with c-1 for any name and 1 for any number."""
    (api,) = [each for each in get_resolver().url_patterns if getattr(each, "namespace", "") == "api"]
    for pattern in api.url_patterns:
        assert isinstance(pattern, URLPattern)
        numbers = [isinstance(each, IntConverter) for each in pattern.pattern.converters.values()]
        args = [1 if number else "c-1" for number in numbers]
        yield reverse(f"api:{pattern.name}", args=args).removeprefix("/api/v1/"), pattern.callback.view_class


def test_every_view_is_one_of_the_api_and_in_the_matrix():
    found = dict(views())
    assert found.keys() == MATRIX.keys()
    for address, view in found.items():
        needed, methods = MATRIX[address]
        assert issubclass(view, ApiView), address
        assert (view.scope or None, view.public) == (needed, needed is None), address
        assert {method for method in METHODS if hasattr(view, method)} == methods, address


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("address", GUARDED)
def test_no_token_and_the_wrong_token_open_nothing(db, address, method):
    needed, methods = GUARDED[address]
    now = timezone.now()
    everything = [each.name for each in scopes.every()]
    tokens = {
        "": 401,
        "att_none": 401,
        make_token(*everything, revoked_at=now): 401,
        make_token(*everything, expires_at=now - timedelta(seconds=1)): 401,
        make_token(*(name for name in everything if name != needed)): 403,
    }
    for secret, status in tokens.items():
        assert ask(method, address, secret) == status
    status = ask(method, address, make_token(needed))
    assert status not in (401, 403)
    assert (status == 405) == (method not in methods)


def ask(method, address, secret):
    client = Client(headers={"Authorization": f"Bearer {secret}"} if secret else {})
    response = getattr(client, method)(f"/api/v1/{address}")
    if response.status_code >= 400:
        assert response["Content-Type"] == problems.KIND
    return response.status_code


@pytest.mark.parametrize("address", sorted(MATRIX.keys() - GUARDED.keys()))
def test_what_needs_no_token_takes_none(db, address):
    for method in METHODS:
        status = ask(method, address, "")
        assert (status == 405) == (method not in MATRIX[address][1])


def test_a_token_opens_no_page_of_the_console(db):
    secret = make_token(*(each.name for each in scopes.every()))
    response = Client(headers={"Authorization": f"Bearer {secret}"}).get("/manage/comments/")
    assert response["Location"].startswith("/accounts/login/")
    assert Token.objects.get().last_used_at is None
