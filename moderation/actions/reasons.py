"""What seniors do to canned reasons."""

from django.db import IntegrityError, transaction

from console.ledger import Conflict, Taken
from console.models import Gesture
from console.verbs import verb
from moderation.models import Reason
from moderation.reasonforms import ReasonEditForm

REASON = "moderation.Reason"
TAKEN = "There is a reason with this code already. Choose another code, or edit that one."


@verb(
    "reason.add",
    label="Add",
    past="added",
    model=REASON,
    permission="moderation.add_reason",
    legal=lambda reason: not reason.is_active,
    icon="check",
    by_hand=False,
)
def put_in_use(reasons, act):
    act.change(reasons, is_active=True)


@verb(
    "reason.edit",
    label="Edit",
    past="edited",
    model=REASON,
    permission="moderation.change_reason",
    legal=lambda reason: True,
    repeats=True,
    icon="pencil",
    tone="primary",
    form=ReasonEditForm,
    asks="Edit the reason “{row}”",
    tells="The reason “{row}” was {past}.",
)
def edit_reason(reasons, act, **fields):
    """`fields` are the values to be. Raises Conflict when they are so already."""
    if all(getattr(reason, name) == value for reason in reasons for name, value in fields.items()):
        raise Conflict("Nothing was changed: this is how it stands already.", reasons[0])
    act.change(reasons, **fields)
    _keep_one(reasons)


@verb(
    "reason.retire",
    label="Retire",
    past="retired",
    model=REASON,
    permission="moderation.change_reason",
    legal=lambda reason: reason.is_active,
    icon="archive",
    tells="The reason “{row}” was {past}.",
)
def retire(reasons, act):
    """No form offers it any more; what was decided for it stays as it is."""
    act.change(reasons, is_active=False)
    _keep_one(reasons)


@verb(
    "reason.restore",
    label="Restore",
    past="restored",
    model=REASON,
    permission="moderation.change_reason",
    legal=lambda reason: not reason.is_active,
    icon="archive-restore",
    tells="The reason “{row}” was {past}.",
)
def restore_reason(reasons, act):
    act.change(reasons, is_active=True)


def _keep_one(reasons):
    if not Reason.objects.filter(is_active=True, verbs=[]).exists():
        raise Conflict("Nothing was changed: one reason that fits everything has to stay in use.", reasons[0])


@transaction.atomic
def add_reason(*, by, key, origin, **fields):
    """A new reason, in use. Returns the console.verbs.Outcome; in one that is `replayed` nothing was made.

    Raises Taken, and what verbs raise.
    """
    reason = _made(fields) if not _is_known(by, key) else None
    if reason is None and not _is_known(by, key):
        raise Taken("code", TAKEN)
    return put_in_use(reason or Reason(**fields), by=by, key=key, origin=origin, asked=_content(fields))


def _is_known(by, key):
    return Gesture.objects.filter(actor=by, idempotency_key=key).exists()


def _made(fields):
    """The reason, or None when its code is taken: after waiting for whoever takes it, perhaps by this very click."""
    try:
        with transaction.atomic():
            return Reason.objects.create(**fields, is_active=False)
    except IntegrityError:
        return None


def _content(fields):
    return {name: str(value) for name, value in fields.items()}
