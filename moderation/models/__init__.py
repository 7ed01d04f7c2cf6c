"""People of the portal and what they say. Rows change through actions.py only."""

from moderation.models.bans import Ban
from moderation.models.comments import Comment, CommentEdit, CommentText, Report
from moderation.models.mails import Mailing, Notice
from moderation.models.measures import STRIKE_DAYS, Note, Reason, Strike
from moderation.models.players import Player

__all__ = [
    "STRIKE_DAYS",
    "Ban",
    "Comment",
    "CommentEdit",
    "CommentText",
    "Mailing",
    "Note",
    "Notice",
    "Player",
    "Reason",
    "Report",
    "Strike",
]
