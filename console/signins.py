"""Sign-ins: each is on record, as are those that failed, and may be refused by what apps register as a door (a ban of a
network, say).
"""

import re

from allauth.mfa.signals import authentication_failed
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.dispatch import receiver

from console import lockout, mail
from console.clientip import client_ip
from console.models import SignIn

_doors = []
# the first that is named wins: Chromium calls itself Safari, Edge calls itself Chrome
BROWSERS = [("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari")]
SYSTEMS = [("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows")]
SYSTEMS += [("Mac OS", "Mac"), ("CrOS", "Chromebook"), ("Linux", "Linux")]


def register_door(door):
    """`door(address)` gives the sentence with which a sign-in from there is refused, or "" to let it in."""
    _doors.append(door)


def refusal(request, user=None):
    """Why nobody may sign in from where this request comes, in words; "" when they may. Refusals are on record."""
    address = client_ip(request)
    words = next(filter(None, (door(address) for door in _doors)), "") if address else ""
    if words:
        note(request, SignIn.REFUSED, user)
    return words


def describe(agent):
    """ "Firefox, Android" of a User-Agent header; of others their first word."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return ", ".join(filter(None, (browser, system))) or re.sub(r"[^\w.-]", "", agent.partition("/")[0])[:40]


def note(request, outcome, user=None, login=""):
    SignIn.objects.create(
        user=user,
        login=login,
        ip=client_ip(request) or None,
        outcome=outcome,
        device=describe(request.headers.get("User-Agent", "")),
    )


@receiver(user_logged_in, dispatch_uid="console.signins")
def put_on_record(sender, request, user, **kwargs):
    note(request, SignIn.IN, user)


@receiver(user_login_failed, dispatch_uid="console.signins")
def put_failure_on_record(sender, credentials, request=None, **kwargs):
    if request is not None:
        locked = getattr(request, "axes_locked_out", False)
        outcome = SignIn.LOCKED if locked else SignIn.PASSWORD
        note(request, outcome, lockout.whose(credentials), lockout.ref(credentials))


@receiver(authentication_failed, dispatch_uid="console.signins")
def put_wrong_code_on_record(sender, request, user, **kwargs):
    note(request, SignIn.CODE, user)


def tell_of_new_device(request, user):
    """A mail to somebody who has signed in before, but not with this browser."""
    latest = SignIn.objects.filter(user=user, outcome=SignIn.IN).order_by("-pk")[:2]
    if user.email and len(latest) == 2:
        mail.post("new_device", user.pk, sign_in=latest[0].pk, site=mail.site_of(request))


def describe_new_device(user, sign_in, site):
    """For that mail: what is on record of the sign-in."""
    row = SignIn.objects.get(pk=sign_in)
    return {"device": row.device or "A browser", "at": row.at, "ip": row.ip}


mail.register("new_device", describe_new_device)
