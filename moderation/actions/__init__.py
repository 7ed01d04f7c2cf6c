"""What staff do to comments, players, bans and reasons. Each verb is declared here once; all else reads that.

A verb that brings a row into being (a ban, a strike, a note) stores it without effect and puts it in force by a
recorded change: undo is then the same everywhere, and nothing is ever deleted.
"""

from moderation.actions.bans import BAN, approve_ban, ban_network, change_ban, lay, lift
from moderation.actions.comments import approve, reject
from moderation.actions.players import ban, edit, erase, note, reveal, stop_mail, strike, unban, warn
from moderation.actions.portal import delete_comment, edit_comment, update_player
from moderation.actions.reasons import REASON, add_reason, edit_reason, put_in_use, restore_reason, retire

__all__ = [
    "BAN",
    "REASON",
    "add_reason",
    "approve",
    "approve_ban",
    "ban",
    "ban_network",
    "change_ban",
    "delete_comment",
    "edit",
    "edit_comment",
    "edit_reason",
    "erase",
    "lay",
    "lift",
    "note",
    "put_in_use",
    "reject",
    "restore_reason",
    "retire",
    "reveal",
    "stop_mail",
    "strike",
    "unban",
    "update_player",
    "warn",
]
