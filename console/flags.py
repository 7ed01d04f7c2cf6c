"""Pieces of the console that ship behind a flag: declared here once, with a sentence, an owner and a removal date.

After migrate each has a row of waffle's; whom it is on for is kept there and changed by operators and Labs.
"""

from dataclasses import dataclass
from datetime import date

from django.db import transaction
from waffle import flag_is_active

BULK_ACTIONS = "bulk_actions"


@dataclass(frozen=True)
class Piece:
    """`sentence` tells staff what it brings, `owner` is a team, `removal` when the flag goes and the piece stays."""

    name: str
    sentence: str
    owner: str
    removal: date


PIECES = [Piece(BULK_ACTIONS, "Tick comments and decide on many at once.", "Moderation", date(2027, 6, 30))]


def is_on(request, name):
    return bool(flag_is_active(request, name))


def apply(sender, using, **kwargs):
    """Makes the rows of pieces that have none, and brings what is declared here up to date in the others."""
    from console.models import Flag

    for piece in PIECES:
        declared = {"note": piece.sentence, "owner": piece.owner, "removal_date": piece.removal}
        flag, made = Flag.objects.using(using).get_or_create(name=piece.name, defaults=declared)
        if not made and any(getattr(flag, name) != value for name, value in declared.items()):
            Flag.objects.using(using).filter(pk=flag.pk).update(**declared)


def forget(sender, instance, action, **kwargs):
    """Waffle empties its cache when people or groups are added or removed, but not when all are at once."""
    from console.models import Flag

    if action == "post_clear":
        for flag in [instance] if isinstance(instance, Flag) else Flag.objects.all():
            transaction.on_commit(flag.flush)


def give_to_group(name, group, using):
    """Switches a piece on for a group; for the demo, where Beta tries everything."""
    from console.models import Flag

    flag = Flag.objects.using(using).get(name=name)
    flag.groups.add(group)
    flag.flush()
