"""Which browsers somebody has signed in with before, by a signed cookie that only says so. It opens nothing: it keeps
mails about new devices away, and keeps the door open when others guess at somebody's password.
"""

from django.conf import settings
from django.core import signing

SALT, KEPT_S, MOST = "console.devices", 180 * 24 * 3600, 6  # one browser may be several people's


def _mark(user):
    """Changes with the password: then every device is new."""
    return [user.pk, user.get_session_auth_hash()[:12]]


def _known(request):
    try:
        known = signing.loads(request.COOKIES.get(settings.DEVICE_COOKIE_NAME, ""), salt=SALT, max_age=KEPT_S)
    except signing.BadSignature:
        return []
    return known


def is_known(request, user):
    """Whether somebody signed in as this user with this browser before, all factors included."""
    return _mark(user) in _known(request)


def remember(request, response, user):
    """Leaves the cookie."""
    mark = _mark(user)
    known = [each for each in _known(request) if each[0] != user.pk][-MOST + 1 :]
    value = signing.dumps([*known, mark], salt=SALT)
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        value,
        KEPT_S,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
