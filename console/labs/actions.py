"""What staff do about pieces for themselves, and operators about flags and switches for all."""

from django.db import transaction
from django.utils import timezone

from console import flags
from console.labs.forms import FlipForm, StageForm
from console.ledger import Conflict, Unchanged
from console.models import Choice
from console.verbs import verb

FLAG, CHOICE, SWITCH = "console.Flag", "console.Choice", "console.Switch"
MANAGE, JOIN = "console.manage_flags", "console.join_flag"
OPEN = (flags.OPT_IN, flags.GROUPS, flags.SHARE)  # stages in which people may choose for themselves
FOR_ONESELF = {"model": CHOICE, "permission": JOIN, "by_hand": False, "decides": False}
FOR_ALL = {"permission": MANAGE, "repeats": True, "guarded": True, "while_frozen": True, "decides": False}


@verb(
    "flag.join",
    label="Switch on",
    past="switched on",
    legal=lambda choice: choice.wanted is not True,
    icon="flask-conical",
    tells="{row} was {past} for you.",
    **FOR_ONESELF,
)
def join(choices, act):
    act.change(choices, wanted=True)


@verb(
    "flag.leave",
    label="Switch off",
    past="switched off",
    legal=lambda choice: choice.wanted is not False,
    icon="flask-conical",
    tells="{row} was {past} for you.",
    **FOR_ONESELF,
)
def leave(choices, act):
    act.change(choices, wanted=False)


@transaction.atomic
def choose(flag, wanted, *, by, seen, **sent):
    """Switches the piece on or off for whoever asks, who saw their choice in the version `seen` (0: none yet).

    Returns the console.verbs.Outcome. Raises Conflict when nobody chooses about this piece now, and what verbs raise.
    """
    if not may_choose(flag):
        raise Conflict("Nothing was changed: this piece is not for you to switch just now.")
    choice, _ = Choice.objects.get_or_create(flag=flag, user=by)
    return (join if wanted else leave)(choice, by=by, versions={choice.pk: seen}, **sent)


def may_choose(flag):
    return bool(flag.piece and flag.piece.self_service and flag.stage in OPEN and flag.everyone is None)


@verb(
    "flag.stage",
    label="Change stage",
    past="moved",
    model=FLAG,
    legal=lambda flag: True,
    icon="sliders-horizontal",
    tone="primary",
    form=StageForm,
    asks="Who has {row}?",
    **FOR_ALL,
)
def move(several, act, stage, groups, share):
    """Gives them this stage, these names of groups, this share. Raises Unchanged when they have them."""
    fields = {"stage": stage, "given_to": groups, "share": share}
    if all(getattr(flag, name) == value for flag in several for name, value in fields.items()):
        raise Unchanged
    act.change(several, **fields)


@verb(
    "switch.flip",
    label="Flip",
    past="flipped",
    model=SWITCH,
    legal=lambda switch: True,
    icon="pause",
    form=FlipForm,
    asks="Flip {row}?",
    tells="{row} was {past}.",
    foretell=lambda rows: FlipForm.foretold(rows),
    **FOR_ALL,
)
def flip(switches, act):
    now = timezone.now()
    act.change(
        switches,
        since=lambda switch: None if switch.active else now,
        active=lambda switch: not switch.active,
    )


BY_HAND = (move, flip)
