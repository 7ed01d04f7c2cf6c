"""Sign-ins: each is on record, and may be refused by what apps register as a door (a ban of a network, say)."""

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver

from console.clientip import client_ip
from console.models import SignIn

_doors = []


def register_door(door):
    """`door(address)` gives the sentence with which a sign-in from there is refused, or "" to let it in."""
    _doors.append(door)


def refusal(request):
    """Why nobody may sign in from where this request comes, in words; "" when they may."""
    address = client_ip(request)
    return next(filter(None, (door(address) for door in _doors)), "") if address else ""


@receiver(user_logged_in, dispatch_uid="console.sign_ins")
def put_on_record(sender, request, user, **kwargs):
    address = client_ip(request)
    if address:
        SignIn.objects.create(user=user, ip=address)
