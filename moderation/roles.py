"""What each preset group may do with comments, players and bans (design 9)."""

from console.roles import AUDITOR, MODERATOR, SENIOR, grant

READ = [f"moderation.view_{noun}" for noun in ("comment", "player", "ban", "report", "note", "reason")]
WORK = [
    "moderation.moderate_comment",
    "moderation.warn_player",
    "moderation.strike_player",
    "moderation.note_player",
    "moderation.ban_player",
]
REVEAL = ["moderation.reveal_address"]
LEAD = [
    "moderation.view_address",
    "moderation.ban_player_long",
    "moderation.ban_network",
    "moderation.ban_network_wide",
    "moderation.lift_ban",
    "moderation.change_player",
    "moderation.add_reason",
    "moderation.change_reason",
]
EXPORT = ["moderation.export_player"]
PRESETS = {
    MODERATOR: READ + WORK + REVEAL,
    SENIOR: READ + WORK + LEAD + EXPORT,
    AUDITOR: [*READ, *EXPORT, *REVEAL, "moderation.view_mailing"],
}


def apply(sender, using, **kwargs):
    grant(sender, PRESETS, using)
