"""What each preset group may do with games."""

from console.roles import AUDITOR, MODERATOR, PUBLISHER, SENIOR, grant

PRESETS = {group: ["games.view_game"] for group in (MODERATOR, SENIOR, PUBLISHER, AUDITOR)}


def apply(sender, using, **kwargs):
    grant(sender, PRESETS, using)
