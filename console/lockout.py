"""When guessing at passwords ends: what axes asks us, and our own limit over all addresses.

Five failures close a login for one address; other addresses, and browsers that the person has used before, stay open,
so that nobody can be kept out by somebody else's guessing.
"""

from datetime import timedelta

from allauth.account.signals import password_reset
from django.conf import settings
from django.db.models import Q
from django.dispatch import receiver
from django.utils import timezone
from django.utils.crypto import salted_hmac

from console import devices
from console.clientip import subscriber
from console.errors import answer as answer_page
from console.models import SignIn, User

RESET = "console.lockout.reset"  # in a session: whose password was reset in it
WORDS = "Too many attempts to sign in failed. Try again in {minutes} minutes, or have your password reset."


def typed(credentials):
    """What somebody typed as their login."""
    credentials = credentials or {}
    return str(credentials.get("login") or credentials.get("username") or credentials.get("email") or "").lower()


def whose(credentials):
    """The account meant by that, or None."""
    login = typed(credentials).replace("\0", "")
    return User.objects.filter(Q(username__iexact=login) | Q(email__iexact=login)).first() if login else None


def ref(credentials):
    """Stands for the account, by whichever name: what is typed there may be a password, and is kept nowhere."""
    user = whose(credentials)
    return salted_hmac("console.lockout", user.get_username().lower() if user else typed(credentials)).hexdigest()


def place_of(request, credentials):
    """Counted together: a login from one address, or from one browser known to be its person's."""
    return f"{ref(credentials)}:{'known' if is_exempt(request, credentials) else subscriber(request)}"


def refusal(request, credentials):
    """Why a guess from a browser nobody knows is not looked at, when there were too many from all over; or ""."""
    since = timezone.now() - timedelta(hours=1)
    failed = SignIn.objects.filter(login=ref(credentials), at__gt=since).exclude(outcome=SignIn.IN)
    if failed.count() < settings.LOGIN_FAILURES_AN_HOUR or is_exempt(request, credentials):
        return ""
    return WORDS.format(minutes=60)


def key_of(request, credentials):
    """For axes: whose failures these are."""
    return ref(credentials or request.POST.dict())


def is_exempt(request, credentials):
    """For axes: browsers that this person has used before, or has just reset the password with; allauth's own limit
    still counts their failures.
    """
    user = whose(credentials)
    return user is not None and (devices.is_known(request, user) or request.session.get(RESET) == user.pk)


@receiver(password_reset, dispatch_uid="console.lockout")
def open_for(sender, request, user, **kwargs):
    """Whoever was told to have the password reset may sign in with the new one; that made every device a new one."""
    request.session[RESET] = user.pk


def answer(request, original_response=None, credentials=None):
    """For axes: 429 in our words."""
    wait = settings.AXES_COOLOFF_TIME
    words = WORDS.format(minutes=int(wait.total_seconds() // 60))
    response = answer_page(request, 429, words, "Not just now", "account/locked.html")
    response["Retry-After"] = str(int(wait.total_seconds()))
    return response
