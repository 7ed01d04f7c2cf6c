"""What the forms propose once a player's strikes weigh enough. Nothing here bans anybody.

The steps are the setting STRIKE_STEPS: weights with the ban proposed from there on, as "3:1d".
"""

from django.conf import settings
from django.urls import reverse
from django.utils.http import urlencode

from console.forms import Advice
from moderation import lengths
from moderation.models import Player, Strike


def steps():
    """`[(weight, length)]`, lightest first. Raises ValueError for a setting that makes no sense."""
    read = []
    for step in settings.STRIKE_STEPS:
        weight, _, length = step.strip().partition(":")
        if length not in lengths.LABELS:
            raise ValueError(f"STRIKE_STEPS: {length or step} is none of {', '.join(lengths.LABELS)}.")
        read.append((int(weight), length))
    return sorted(read)


def proposed(weight):
    """The length of the ban proposed for strikes that weigh this, or ""."""
    return next((length for least, length in reversed(steps()) if weight >= least), "")


def weight_of(player):
    """What the player's strikes weigh; without a query when the row was loaded with it."""
    if "active_strikes" not in player.__dict__:
        player.active_strikes = Player.objects.with_standing().get(pk=player.pk).active_strikes
    return player.active_strikes


def phrase(length):
    """A ban of this length, as part of a sentence."""
    return "a ban for good" if length == lengths.NEVER else f"a ban of {lengths.LABELS[length]}"


def stand(weight):
    return f"Strikes against them weigh {weight}." if weight else "No strike weighs against them."


def on_strikes(player, by):
    """Beside a form that adds a strike: where the player stands, what the next steps are, and the ban proposed."""
    weight = weight_of(player)
    length = proposed(weight)
    if length and not player.is_banned and (by is None or by.has_perm("moderation.ban_player")):
        return Advice(f"{stand(weight)} Proposed: {phrase(length)}.", ban_url(player, length), "Ban instead")
    later = ", ".join(f"at {least} {phrase(each)}" for least, each in steps() if least > weight)
    return Advice(f"{stand(weight)} {f'Proposed {later}.' if later else ''}".strip())


def on_ban(player, offered):
    """Beside the form of a ban: `(what is proposed in words, the length to choose at first)`; both may be empty.

    `offered` are the lengths this person may give; when the one proposed is not among them, the longest is chosen.
    """
    weight = weight_of(player)
    length = proposed(weight)
    if not length:
        return "", ""
    words = f"{stand(weight)} Proposed: {lengths.LABELS[length].lower()}."
    if length in dict(offered):
        return words, length
    longest, label = offered[-1]
    return f"{words} A senior moderator can give that; you may give up to {label.lower()}.", longest


def ban_url(player, length):
    """The form of a ban with this length chosen, and the reason of the newest strike that weighs."""
    reason = Strike.objects.weighing().filter(player=player).order_by("-pk").values_list("reason", flat=True).first()
    given = {"expires": length} | ({"reason": reason} if reason else {})
    return f"{reverse('moderation:ban', args=[player.pk])}?{urlencode(given)}"
