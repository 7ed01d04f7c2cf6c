"""Sessions in the database, as Django's engine `db` keeps them: read by a statement that is ready, ended after
SESSION_IDLE_S without a request of a person (polls are none) and SESSION_COOKIE_AGE after signing in, whatever happens.
"""

from datetime import UTC, datetime, timedelta
from functools import cache

from allauth.account.signals import authentication_step_completed
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone

from console import prepared
from console.clientip import client_ip

BEGAN = "began"  # in the session's data, since its row only knows the end
NOTED_EVERY_S = 60  # how exactly it is known when somebody was last here: not every request writes
NOWHERE = "0.0.0.0"  # noqa: S104  (over a socket nobody says whose; a row takes an address)
NO_PERSON = ("/manage/live/",)  # asked by pages, not by people


@cache
def _read(model):
    """The session, and when its person was last here; sessions that nobody has signed in with count from their row."""
    return f"""
        SELECT {prepared.columns_of(model, "s")}, u.last_seen_at
        FROM django_session s LEFT JOIN usersessions_usersession u USING (session_key)
        WHERE session_key = %s AND s.expire_date > %s AND (u.last_seen_at IS NULL OR u.last_seen_at > %s)
    """


class SessionStore(db.SessionStore):
    seen_at = None  # when its person was last here, as noted; None when that is not known

    def _get_session_from_db(self):
        """Every request begins with this."""
        now = timezone.now()
        idle = now - timedelta(seconds=settings.SESSION_IDLE_S)
        found, rest = prepared.load(self.model, _read(self.model), [self.session_key, now, idle])
        if found is None:
            self._session_key = None
        else:
            (self.seen_at,) = rest
        return found

    def create_model_instance(self, data):
        """Saving a session must not make it last longer."""
        row = super().create_model_instance(data)
        if BEGAN in data:
            began = datetime.fromtimestamp(data[BEGAN], UTC)
            row.expire_date = min(row.expire_date, began + timedelta(seconds=settings.SESSION_COOKIE_AGE))
        return row


class ActivityMiddleware:
    """Notes that a person was here."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        seen_at = request.session.seen_at
        if seen_at and request.path not in NO_PERSON and (timezone.now() - seen_at).total_seconds() > NOTED_EVERY_S:
            UserSession.objects.filter(session_key=request.session.session_key).update(last_seen_at=timezone.now())
        return response


@receiver(user_logged_in, dispatch_uid="console.sessions")
def begin(sender, request, user, **kwargs):
    """By whichever way they came."""
    request.session[BEGAN] = timezone.now().timestamp()
    UserSession.objects.get_or_create(
        session_key=request.session.session_key,
        defaults={
            "user": user,
            "ip": client_ip(request) or NOWHERE,
            "user_agent": request.META.get("HTTP_USER_AGENT", "")[:200],
        },
    )


@receiver(authentication_step_completed, dispatch_uid="console.sessions")
def renew(sender, request, user, reauthenticated=False, **kwargs):
    """Whoever said anew who they are gets a new key: one that was stolen before is worth nothing now."""
    if reauthenticated:
        old = request.session.session_key
        with transaction.atomic():  # no session is ever without the row by which it is ended
            request.session.cycle_key()
            UserSession.objects.filter(session_key=old).update(session_key=request.session.session_key)


def end(sessions):
    """Ends UserSessions (a queryset), by three statements however many they are; whoever has one of these cookies is
    signed out at the next request. Each way of signing in made one (`begin`).
    """
    keys = list(sessions.values_list("session_key", flat=True))
    Session.objects.filter(pk__in=keys).delete()
    UserSession.objects.filter(session_key__in=keys).delete()


def end_all_of(people):
    """Signs these people (primary keys) out everywhere."""
    end(UserSession.objects.filter(user__in=people))


def sweep():
    """Removes what is still known of sessions that are gone, and of failures that count no more."""
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    AccessAttempt.objects.filter(attempt_time__lt=timezone.now() - settings.AXES_COOLOFF_TIME).delete()
