"""What operators do to staff accounts. Permissions are read afresh on every request, so all of it holds at once.

Nobody takes the operator role or the account from themselves, so that one operator always remains; a second factor is
reset by two operators together, or by whoever may run commands on the server.
"""

from datetime import timedelta

from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.html import format_html

from console import sessions
from console.ledger import Conflict, Taken, Unchanged
from console.models import Gesture, User
from console.staffforms import AskResetForm, GroupsForm, WhyForm
from console.staffmodel import MANAGE, against_losing, against_operators
from console.verbs import verb

ACCOUNT = "console.User"
INVITE_LASTS = timedelta(days=3)
ON_ACCOUNTS = {"model": ACCOUNT, "permission": MANAGE, "fresh": True}


def _says(words):
    """For the form of a verb: what it brings, before it is pressed."""
    return lambda people: format_html('<p class="meta">{}</p>', words)


def _refuse(why):
    if why:
        raise PermissionDenied(f"Nothing was changed: {why}.")


@verb(
    "staff.invite",
    label="Invite",
    past="invited",
    legal=lambda person: not person.is_staff and not person.has_joined,
    icon="plus",
    by_hand=False,
    final="A mail cannot be called back; the invite itself can be taken back on the person's page.",
    **ON_ACCOUNTS,
)
def invite(people, act, roles=()):
    act.change(people, is_staff=True, roles=sorted(roles), invited_until=timezone.now() + INVITE_LASTS)


@transaction.atomic
def invite_person(*, by, key, origin, login, name, email, roles):
    """An account that can do nothing until the invite is accepted. Returns the verb's Outcome; in one that is
    `replayed` nothing was made. Raises Taken, and what verbs raise.
    """
    asked = {"login": login, "name": name, "email": email}
    person = User(username=login, first_name=name, email=email, is_active=False, password=make_password(None))
    if not _was_sent(by, key) and not _stored(person) and not _was_sent(by, key):  # perhaps meanwhile, by this click
        raise Taken("login", "Somebody of staff has this login already. Choose another.")
    return invite(person, by=by, key=key, origin=origin, asked=asked, roles=roles)


def _was_sent(by, key):
    return Gesture.objects.filter(actor=by, idempotency_key=key).exists()


def _stored(person):
    """Whether it was stored: logins and addresses are one person's, however they are written."""
    if User.objects.filter(email__iexact=person.email).exists():
        raise Taken("email", "Somebody of staff has this address already.")
    try:
        with transaction.atomic():
            if not User.objects.filter(username__iexact=person.username).exists():
                person.save()
    except IntegrityError:
        return False
    return person.pk is not None


@verb(
    "staff.renew",
    label="Invite again",
    past="invited again",
    legal=lambda person: person.is_staff and not person.is_active and not person.has_joined,
    icon="rotate-ccw",
    repeats=True,
    final="A mail cannot be called back; the invite itself can be taken back.",
    **ON_ACCOUNTS,
)
def renew(people, act):
    """A new link; the one before opens nothing any more."""
    act.change(people, invited_until=timezone.now() + INVITE_LASTS)


@verb(
    "staff.withdraw",
    label="Take back invite",
    past="took back the invite of",
    legal=lambda person: person.status == User.INVITED,
    icon="x",
    tells="The invite of {row} was taken back.",
    final="A link that was taken back stays so; send a new invite instead.",
    **ON_ACCOUNTS,
)
def withdraw(people, act):
    act.change(people, invited_until=None)


@verb(
    "staff.join",
    label="Join",
    past="let in",
    legal=lambda person: person.may_join,
    while_frozen=True,
    icon="check",
    by_hand=False,
    final="The person has chosen a password; deactivate the account instead.",
    **ON_ACCOUNTS,
)
def join(people, act):
    act.change(people, is_active=True, invited_until=None)


@transaction.atomic
def accept_invite(person, password, *, key, origin):
    """The invited person's own doing, who is nobody as long as it is not done. Raises Conflict, KeyReused."""
    outcome = join(person, by=None, key=key, origin=origin)
    if not outcome.replayed:
        User.objects.filter(pk=person.pk).update(password=make_password(password))
    return outcome


@verb(
    "staff.groups",
    label="Change groups",
    past="changed the groups of",
    legal=lambda person: person.is_staff,
    icon="users",
    repeats=True,
    form=GroupsForm,
    asks="Groups of {row}",
    tells="The groups of {row} were changed.",
    **ON_ACCOUNTS,
)
def change_groups(people, act, roles=()):
    """Raises Unchanged when they are in exactly these already."""
    roles = sorted(roles)
    if all(person.roles == roles for person in people):
        raise Unchanged
    act.change(people, roles=roles)


@verb(
    "staff.promote",
    label="Make operator",
    past="made an operator of",
    legal=lambda person: person.is_active and not person.is_superuser,
    icon="shield-check",
    form=WhyForm,
    asks="Make {row} an operator?",
    tells="{row} is an operator now.",
    foretell=_says("An operator may do all that the console offers, and invites, changes and deactivates colleagues."),
    **ON_ACCOUNTS,
)
def promote(people, act):
    _refuse(against_operators(act.by))
    act.change(people, is_superuser=True)


@verb(
    "staff.demote",
    label="Take operator role",
    past="took the operator role from",
    legal=lambda person: person.is_superuser,
    icon="shield-alert",
    form=WhyForm,
    asks="Take the operator role from {row}?",
    tells="{row} is no operator any more.",
    foretell=_says("What their groups allow, they may go on doing."),
    **ON_ACCOUNTS,
)
def demote(people, act):
    _refuse(against_losing(people, act.by))
    act.change(people, is_superuser=False)


@verb(
    "staff.deactivate",
    label="Deactivate",
    past="deactivated",
    legal=lambda person: person.is_active,
    while_frozen=True,
    icon="lock",
    tone="danger",
    form=WhyForm,
    foretell=_says("They are signed out at once, and cannot sign in until somebody reactivates them."),
    **ON_ACCOUNTS,
)
def deactivate(people, act):
    """Their sessions end with it (console.staffmodel)."""
    _refuse(against_losing(people, act.by))
    act.change(people, is_active=False)


@verb(
    "staff.reactivate",
    label="Reactivate",
    past="reactivated",
    legal=lambda person: not person.is_active and person.has_joined,
    icon="lock-open",
    form=WhyForm,
    **ON_ACCOUNTS,
)
def reactivate(people, act):
    if any(person.is_superuser for person in people):
        _refuse(against_operators(act.by))
    act.change(people, is_active=True)


@verb(
    "staff.end_sessions",
    label="End sessions",
    past="ended the sessions of",
    legal=lambda person: person.is_active,
    while_frozen=True,
    icon="log-out",
    repeats=True,
    form=WhyForm,
    asks="Sign {row} out everywhere?",
    tells="{row} is signed out everywhere.",
    foretell=_says("Whoever uses this account is signed out, on every device. The person can sign in again at once."),
    final="Sessions that have ended do not come back; the person signs in again.",
    **ON_ACCOUNTS,
)
def end_sessions(people, act):
    act.change(people, sessions_ended_at=timezone.now())
    sessions.end_all_of([person.pk for person in people])


@verb(
    "staff.ask_reset",
    label="Reset second factor",
    past="asked to reset the second factor of",
    legal=lambda person: person.is_active and not person.waits_for_reset,
    icon="rotate-ccw",
    form=AskResetForm,
    asks="Reset the second factor of {row}?",
    tells="Another operator has to approve it. Until then {row} keeps the second factor.",
    **ON_ACCOUNTS,
)
def ask_reset(people, act):
    """Changes nothing yet: it waits for another operator, for a day. Raises Conflict when there is nothing to reset."""
    act.change(people, reset_asked_by=act.by, reset_asked_at=timezone.now())
    if Authenticator.objects.filter(user__in=people).values("user").distinct().count() < len(people):
        raise Conflict("Nothing was changed: there is no second factor to reset.", people[0])


@verb(
    "staff.approve_reset",
    label="Approve reset",
    past="approved to reset the second factor of",
    legal=lambda person: person.waits_for_reset,
    icon="check",
    tone="danger",
    form=WhyForm,
    foretell=_says("Their app, passkeys and recovery codes stop working, and they are signed out."),
    asks="Approve the reset for {row}?",
    tells="{row} has no second factor any more, is signed out, and sets up another at the next sign-in.",
    final="A second factor that was reset does not come back; the person sets up another.",
    **ON_ACCOUNTS,
)
def approve_reset(people, act):
    """Raises PermissionDenied to whoever asked for it, and to the person concerned."""
    for person in people:
        _refuse(against_approving(person, act.by))
    _reset(people, act)


def against_approving(person, by):
    """Why this person may not approve the reset, in words; "" if they may."""
    if by is not None and by.pk == person.reset_asked_by_id:
        return "you asked for it, so another operator has to approve it"
    return "it is your own second factor, so another operator has to approve it" if by == person else ""


@verb(
    "staff.reset_factor",
    label="Reset second factor at once",
    past="reset the second factor of",
    legal=lambda person: person.is_active,
    icon="rotate-ccw",
    by_hand=False,
    repeats=True,
    final="A second factor that was reset does not come back; the person sets up another.",
    **ON_ACCOUNTS,
)
def reset_factor(people, act):
    """By the command of that name, for consoles with a single operator."""
    _reset(people, act)


def _reset(people, act):
    act.change(people, reset_asked_by=None, reset_asked_at=None, factor_reset_at=timezone.now())
    Authenticator.objects.filter(user__in=people).delete()
    sessions.end_all_of([person.pk for person in people])


BY_HAND = (
    *(renew, withdraw, change_groups, promote, demote),
    *(deactivate, reactivate, end_sessions, ask_reset, approve_reset),
)
