"""An example of each mail, for those who decide whether players are written to."""

from dataclasses import dataclass
from datetime import UTC, datetime

from moderation.mails.topics import GROUPS, Part

_samples = {}
END = datetime(2027, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Sample:
    """`name` and `when` in words; `group` is the word of PLAYER_MAIL; `part` what is said."""

    name: str
    group: str
    when: str
    part: Part


def add(*samples):
    for sample in samples:
        _samples[sample.part.kind] = sample


def every():
    """`{kind: Sample}`, in the order of the words of PLAYER_MAIL."""
    return dict(sorted(_samples.items(), key=lambda item: GROUPS.index(item[1].group)))


def setup():
    why = {"reason": "Advertising is not welcome here.", "automatic": False}
    quotes = ["Best prices for coins at https://coins.example", "Come and see my shop!"]
    mine = {"quotes": ["That last level took me all evening."]}
    back, again = Part("comment_back", {"number": 1}, **mine), Part("comment_again", {"number": 1}, **mine)
    add(
        Sample("Comments rejected", "author", "Comments were rejected.", _part("comment_rejected", 7, why, quotes, 5)),
        Sample("Comment back", "author", "A rejected comment was approved.", back),
        Sample("Comment looked at anew", "author", "A rejection was undone.", again),
        Sample("Report, removed", "reporter", "A reported comment was rejected.", Part("report_removed")),
        Sample("Report, stays", "reporter", "A reported comment was approved.", Part("report_stays")),
        Sample("Banned", "banned", "A player was banned.", Part("banned", {"until": END, **why})),
        Sample("Ban changed", "banned", "A ban ends at another time.", Part("ban_changed", {"until": END, **why})),
        Sample("Ban lifted", "banned", "A ban was lifted before its end.", Part("unbanned")),
    )


def _part(kind, number, context, quotes, more):
    return Part(kind, {"number": number, **context}, quotes, more)
