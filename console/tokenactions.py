"""What operators do to tokens of the API. A token is shown once, when it is made; what is kept cannot open anything."""

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from console import mail
from console.api.auth import digest
from console.models import Gesture, Job, Token, User
from console.staffforms import WhyForm
from console.tokenforms import A_YEAR
from console.verbs import verb

MANAGE = "console.manage_portal"
MARK = "att_"
WARN, MAIL = timedelta(days=7), "token_ends"
ON_TOKENS = {"model": "console.Token", "permission": MANAGE, "fresh": True}


@verb(
    "token.make",
    label="Make token",
    past="made",
    legal=lambda token: token.version == 0 and token.revoked_at is not None,
    icon="lock-open",
    by_hand=False,
    final="A token that was made may be in use already. Revoke it instead: that holds at once.",
    **ON_TOKENS,
)
def put_in_force(tokens, act, scopes=(), days=A_YEAR):
    ends = timezone.now() + timedelta(days=days)
    act.change(tokens, scopes=sorted(scopes), expires_at=ends, revoked_at=None)


@transaction.atomic
def make_token(*, by, name, scopes, days=A_YEAR, key=None, origin=None):
    """`(the verb's Outcome, the token to be shown once)`; the token is "" when the Outcome is `replayed`.

    Raises what verbs raise.
    """
    secret = MARK + secrets.token_urlsafe(32)
    now = timezone.now()
    token = Token(name=name, prefix=secret[:12], digest=digest(secret), expires_at=now, revoked_at=now, created_by=by)
    if not Gesture.objects.filter(actor=by, idempotency_key=key).exists():
        token.save()
    outcome = put_in_force(token, by=by, key=key, origin=origin, asked={"name": name}, scopes=list(scopes), days=days)
    if outcome.replayed:
        transaction.set_rollback(True)  # the same click was quicker: one token is enough
    return outcome, "" if outcome.replayed else secret


def warn():
    """Tells operators by mail, once for each token, that it ends within WARN. Returns how many tokens that were.

    The job of the mail says that it was sent: nothing else does, so that no token changes without an entry.
    """
    now, warned = timezone.now(), 0
    soon = Token.objects.filter(revoked_at=None, expires_at__gt=now, expires_at__lte=now + WARN)
    operators = User.objects.filter(is_superuser=True, is_active=True).exclude(email="")
    with transaction.atomic():
        for pk in soon.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True):
            told = Job.objects.filter(kind=mail.KIND, args__mail=MAIL, args__with__token=pk)
            if not told.exists():
                warned += bool([mail.post(MAIL, person.pk, token=pk) for person in operators])
    return warned


def about(user, token):
    """For that mail, when it is sent."""
    return {"token": Token.objects.get(pk=token)}


@verb(
    "token.revoke",
    label="Revoke",
    past="revoked",
    legal=lambda token: token.revoked_at is None,
    while_frozen=True,
    icon="lock",
    tone="danger",
    form=WhyForm,
    asks="Revoke the token “{row}”?",
    tells="The token “{row}” was {past}. Its next request is refused.",
    final="A token that was revoked stays so: somebody may have had it. Make a new one.",
    **ON_TOKENS,
)
def revoke(tokens, act):
    act.change(tokens, revoked_at=timezone.now())
