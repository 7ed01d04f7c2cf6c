"""What staff do to comments, players and bans. Each verb is declared here once; everything else reads the declaration.

A verb that brings a row into being (a ban, a strike, a note) stores it without effect and puts it in force by a
recorded change: undo is then the same everywhere, and nothing is ever deleted.
"""

from moderation.actions.bans import BAN, approve_ban, ban_network, change_ban, lay, lift
from moderation.actions.comments import approve, reject
from moderation.actions.players import ban, erase, note, unban, warn

__all__ = [
    "BAN",
    "approve",
    "approve_ban",
    "ban",
    "ban_network",
    "change_ban",
    "erase",
    "lay",
    "lift",
    "note",
    "reject",
    "unban",
    "warn",
]
