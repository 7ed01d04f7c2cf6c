"""The cast and how it signs in. Moses moderates comments, Lea leads, Rita publishes games, Ann audits, Olga operates,
Sam is staff without rights, Nora has an account but is no staff. Players come from moderation.testing.
"""

import re
import time
import uuid
from datetime import timedelta
from functools import cache

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.core.cache import caches
from django.test import Client
from django.test.client import ClientHandler
from django.test.signals import setting_changed
from django.utils import timezone

from console import jobs, meter, roles
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


def just_signed_in(user, at=None):
    """What allauth notes in the session of somebody who gave a password."""
    record = {"method": "password", "at": time.time() if at is None else at}
    return {"account_authentication_methods": [record], "account_authentication_methods_user": str(user.pk)}


def session_of(user):
    """The key of a session in which that person has signed in, as by a password; nothing is noted of how."""
    from console.sessions import SessionStore

    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.update(just_signed_in(user))
    session.save()
    return session.session_key


@cache
def _handler(enforce_csrf_checks):
    """Django loads middleware for every client anew, and looks at each static file every time; once is enough."""
    return ClientHandler(enforce_csrf_checks)


setting_changed.connect(lambda **_: _handler.cache_clear(), weak=False)


class Person(Client):
    """A signed-in browser. `htmx=True` on a request asks as htmx does."""

    is_noted = False  # whether signing in leaves its marks, as lists of sessions, which takes longer

    def __init__(self, user, **kwargs):
        super().__init__(**kwargs)
        self.handler = _handler(self.handler.enforce_csrf_checks)
        self.user = user
        if user and self.is_noted:
            self.force_login(user)
            self.session_says(just_signed_in(user))
        elif user:
            self.cookies[settings.SESSION_COOKIE_NAME] = session_of(user)

    def session_says(self, values):
        session = self.session
        session.update(values)
        session.save()

    def _base_environ(self, **request):
        if request.pop("htmx", False):
            request["HTTP_HX_REQUEST"] = "true"
        return super()._base_environ(**request)


@pytest.fixture(autouse=True)
def _fresh_hot_cache():
    caches["hot"].delete_pattern("*")
    HotCache.asleep_until = jobs._away["until"] = 0.0
    meter.forget()


@pytest.fixture
def noted_sessions(monkeypatch):
    """For tests of sessions: the cast signs in with all that is noted of it."""
    monkeypatch.setattr(Person, "is_noted", True)


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


def make_token(*scopes, name="Portal", **fields):
    """The secret of a token in force that may do this (console.api.scopes)."""
    from console.api.auth import digest
    from console.models import Token

    secret = f"att_{uuid.uuid4().hex}"
    fields = {"expires_at": timezone.now() + timedelta(days=1), "prefix": secret[:8]} | fields
    Token.objects.create(name=name, digest=digest(secret), scopes=list(scopes), **fields)
    return secret


def make_source(**fields):
    """A source of events that may be signed with its secret."""
    from console import atrest
    from console.received.models import Source
    from console.webhooks import signing

    secret = atrest.lock(Source.PURPOSE, signing.new_secret())
    return Source.objects.create(**{"name": "Portal", "made_at": timezone.now(), "secret": secret} | fields)


def make_received(**fields):
    """An event that was taken in."""
    from console.models import Received

    number = Received.objects.count()
    values = {"message": f"msg_{number}", "type": "comment.created", "about": "c1", "sent_at": timezone.now()}
    values |= {"data": {"external_id": "c1"}, "state": Received.PROCESSED, "processed_at": timezone.now()}
    fields.setdefault("source", None)
    fields["source"] = fields["source"] or make_source()
    return Received.objects.create(**values | fields)


def make_export(owner, is_ready=True, text="Player\r\n1\r\n", **fields):
    """An export that somebody asked for; its file holds `text`, once it is ready."""
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage

    from console.exporting import actions, work
    from console.exporting.sources import get
    from console.models import Export, Job

    source = get(fields.pop("source", "ledger"))(owner)
    empty = Export.objects.create(owner=owner, source=source.name)
    (export,) = actions.ask(empty, **actions.told(source, owner, None)).done
    if is_ready:
        name = default_storage.save(f"{work.PREFIX}{uuid.uuid4().hex}.csv", ContentFile(text.encode()))
        made = {"file": name, "size": len(text), "expires_at": timezone.now() + timedelta(hours=24)}
        Export.objects.filter(pk=export.pk).update(**made | fields)
        Job.objects.filter(pk=export.job_id).update(state=Job.DONE, progress=100, result={"written": 1, "about": 1})
    return Export.objects.get(pk=export.pk)
