"""Who sees addresses and e-mails of players whole: roles that need them, and whoever asked for one player's with a
reason on record, for a quarter of an hour. What is masked, and how, says console.masking.
"""

from datetime import timedelta

from django.utils import timezone

from console import masking
from console.models import Entry
from moderation.models import Player

WHOLE, ASK = "moderation.view_address", "moderation.reveal_address"
VERB = "player.reveal"
SHOWN_FOR = timedelta(minutes=15)


def shown_until(user, player):
    """Until when this person sees the player's addresses because they asked for them; None when they did not."""
    if not user.has_perm(ASK):
        return None
    asked = Entry.objects.filter(target_type=Player._meta.label_lower, target_id=player.pk, actor=user, verb=VERB)
    asked = asked.filter(at__gt=timezone.now() - SHOWN_FOR).order_by("-id").values_list("at", flat=True).first()
    return asked + SHOWN_FOR if asked else None


def sees(user, player):
    """Whether this person sees this player's addresses and e-mail whole just now."""
    return masking.sees_whole(user) or shown_until(user, player) is not None
