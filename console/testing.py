"""The cast and how it signs in. Moses moderates comments, Lea leads, Rita publishes games, Ann audits, Olga operates,
Sam is staff without rights, Nora has an account but is no staff. Players come from moderation.testing.
"""

import re
import uuid
from functools import cache

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.core.cache import caches
from django.test import Client

from console import roles
from console.hot import HotCache

PASSWORD = "correct horse battery"


@cache
def _hashed():
    """Hashing is slow on purpose; once is enough."""
    return make_password(PASSWORD)


def make_user(username, *groups, **kwargs):
    from console.models import User

    user = User(**{"username": username, "is_staff": True, "password": _hashed()} | kwargs)
    user.save()
    user.groups.set(Group.objects.filter(name__in=groups))
    return user


def form(row, **fields):
    """What a form of the row's card posts: the version on it, and a key of its own."""
    return {"version": row.version, "idempotency_key": str(uuid.uuid4()), **fields}


def undo_form(**fields):
    """What the Undo button posts."""
    return {"version": 0, "idempotency_key": str(uuid.uuid4()), **fields}


def steady(html):
    """A page's text without what differs from one rendering to the next: tokens and keys."""
    html = re.sub(r'(data-field_id=")[^"]*', r"\1", html)  # select2 names a field anew each time it is drawn
    html = re.sub(r'(name="csrfmiddlewaretoken" value=")[^"]*', r"\1", html)
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "", html)


class Person(Client):
    """A signed-in browser. `htmx=True` on a request asks as htmx does."""

    def __init__(self, user, **kwargs):
        super().__init__(**kwargs)
        self.user = user
        if user:
            self.force_login(user)

    def _base_environ(self, **request):
        if request.pop("htmx", False):
            request["HTTP_HX_REQUEST"] = "true"
        return super()._base_environ(**request)


@pytest.fixture(autouse=True)
def _fresh_hot_cache():
    caches["hot"].delete_pattern("*")
    HotCache.asleep_until = 0.0


@pytest.fixture
def moses(db):
    return Person(make_user("moses", roles.MODERATOR))


@pytest.fixture
def lea(db):
    return Person(make_user("lea", roles.SENIOR))


@pytest.fixture
def rita(db):
    return Person(make_user("rita", roles.PUBLISHER))


@pytest.fixture
def ann(db):
    return Person(make_user("ann", roles.AUDITOR))


@pytest.fixture
def olga(db):
    return Person(make_user("olga", is_superuser=True))


@pytest.fixture
def sam(db):
    return Person(make_user("sam"))


@pytest.fixture
def nora(db):
    return Person(make_user("nora", is_staff=False))


@pytest.fixture
def nobody(db):
    return Person(None)
