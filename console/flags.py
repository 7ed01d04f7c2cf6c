"""What ships behind a flag and what can be paused in an emergency: declared here once, and asked here.

After migrate each has a row (console.labs.models). Operators move the rows on the pages of console.labs, staff choose
there for themselves; both are verbs.
"""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from console.labs import state
from console.labs.state import is_flipped  # noqa: F401

BULK_ACTIONS = "bulk_actions"
KEY_LINE = "key_line"
PAUSE_UPLOADS = "pause_uploads"
PAUSE_INTAKE = "pause_intake"
PAUSE_WEBHOOKS = "pause_webhooks"
FREEZE_CONSOLE = "freeze_console"
OFF, OPT_IN, GROUPS, SHARE, EVERYONE = "off", "opt-in", "groups", "share", "everyone"
RETRY_S = 60  # when the portal may ask again


@dataclass(frozen=True)
class Piece:
    """`sentence` tells staff what it brings, `owner` is a team, `removal` when the flag goes and the piece stays.

    `stage` is where its row begins; `self_service` lets staff choose for themselves.
    """

    name: str
    sentence: str
    owner: str
    since: date
    removal: date
    stage: str = OFF
    self_service: bool = False

    @property
    def title(self):
        return titled(self.name)


@dataclass(frozen=True)
class Switch:
    """`sentence` says what it does, `stops` what no longer happens while it is on and what becomes of that, `notice`
    what those are told who hold the permission `concerns`.
    """

    name: str
    sentence: str
    owner: str
    stops: str
    notice: str
    concerns: str


PIECES = [
    Piece(
        BULK_ACTIONS,
        "Tick comments and decide on many at once.",
        owner="Moderation",
        since=date(2026, 11, 2),
        removal=date(2027, 6, 30),
        stage=OPT_IN,
        self_service=True,
    ),
    Piece(
        KEY_LINE,
        "See the keys that work on comments in one line above them.",
        owner="Console",
        since=date(2026, 11, 22),
        removal=date(2027, 6, 30),
        stage=OPT_IN,
        self_service=True,
    ),
]
SWITCHES = [
    Switch(
        PAUSE_UPLOADS,
        "Take no new builds",
        owner="Games",
        stops="Nobody can upload a build, here or by the API. Builds that are being processed go on.",
        notice="No builds are taken just now. What you see here works as always.",
        concerns="games.upload_game",
    ),
    Switch(
        PAUSE_INTAKE,
        "Take nothing in from the portal",
        owner="Moderation",
        stops="The API answers comments, players and reports with 503, and the portal sends them again later. It may "
        "still ask who is banned.",
        notice="Nothing is taken in from the portal just now: comments, players and reports come later.",
        concerns="moderation.view_comment",
    ),
    Switch(
        PAUSE_WEBHOOKS,
        "Hold what portals are told",
        owner="Console",
        stops="No endpoint is told of decisions. What is decided meanwhile is kept, and sent when this is off again.",
        notice="Portals are told of nothing just now; what is decided is kept and told later.",
        concerns="console.enter_console",
    ),
    Switch(
        FREEZE_CONSOLE,
        "Let nobody decide anything",
        owner="Console",
        stops="The console can be read, and no verb does anything. Operators can still flip switches, move flags, "
        "deactivate accounts, end sessions, revoke tokens and disable endpoints. What portals send by the API still "
        "comes in, builds too: the switches above stop that.",
        notice="The console is read-only just now: nothing can be decided until operators lift it.",
        concerns="console.enter_console",
    ),
]
FROZEN = "Nothing was changed: the console is read-only just now. Operators say when it is over."
NO_UPLOADS = "No builds are taken just now. Try again later; nothing was changed."
NO_INTAKE = "Nothing is taken in just now. Send the same again later; what is sent twice counts once."
LATER = {PAUSE_UPLOADS: NO_UPLOADS, PAUSE_INTAKE: NO_INTAKE}  # what the API answers meanwhile


class Decision(NamedTuple):
    """Whether a piece is on for somebody; why, for themselves and for others, and by whose hand."""

    on: bool
    mine: str
    theirs: str
    by: str = ""


def titled(name):
    return name.replace("_", " ").capitalize()


def piece(name):
    return next((each for each in PIECES if each.name == name), None)


def switch(name):
    return next((each for each in SWITCHES if each.name == name), None)


def is_on(request, name):
    """Whether the piece is on for whoever asks. Decided once for each request, in `request.decided_flags`."""
    decided = vars(request).setdefault("decided_flags", {})
    if name not in decided:
        decided[name] = decide(state.of(request).flags.get(name), name, request.user).on
    return decided[name]


def decide(facts, name, user):
    """The Decision for this person, by the row's state.Facts (None: there is no row)."""
    if facts is None:
        return Decision(False, "Off for everybody.", "there is no such flag")
    if facts.everyone is not None:
        words = f"switched {'on' if facts.everyone else 'off'} for everybody from the server"
        return Decision(facts.everyone, f"{words.capitalize()}.", words)
    if facts.stage in (OFF, EVERYONE):
        on = facts.stage == EVERYONE
        return Decision(on, f"{'On' if on else 'Off'} for everybody.", "everybody")
    return _own_choice(facts, name, user) or _by_stage(facts, name, user)


def _own_choice(facts, name, user):
    declared, chosen = piece(name), facts.chosen.get(str(user.pk))
    if chosen is None or not (declared and declared.self_service):
        return None
    word = "on" if chosen else "off"
    return Decision(chosen, f"You switched it {word}.", f"switched it {word} for themselves", "self")


def _by_stage(facts, name, user):
    mine = [group for group in user.group_names.values() if group in facts.groups]
    if mine and facts.stage in (GROUPS, SHARE):
        return Decision(True, f"On for you by your group {mine[0]}.", f"in the group {mine[0]}", "group")
    if facts.stage == SHARE and place_of(name, user) < facts.share:
        words = f"{facts.share}% of staff"
        return Decision(True, f"On for you: you are among {words} who have it.", f"among {words}", "share")
    return Decision(False, "Off for you.", "not yet")


def place_of(name, user):
    """Where the person stands among all staff for this piece, from 0 to under 100: always the same place, so that a
    share which grows takes nobody back.
    """
    digest = hashlib.sha256(f"{name}:{user.pk}".encode()).digest()
    return int.from_bytes(digest[:4]) / 2**32 * 100


def flipped_for(request):
    """`[(Switch, since when)]` of those that are on and concern whoever asks."""
    on = state.of(request).switches
    return [(each, on[each.name]) for each in SWITCHES if each.name in on and request.user.has_perm(each.concerns)]


def why_no_uploads(request):
    """Why no build is taken from this person just now, in words; "" while they are."""
    on = state.of(request).switches
    return NO_UPLOADS if PAUSE_UPLOADS in on else FROZEN if FREEZE_CONSOLE in on else ""


def apply(sender, using, **kwargs):
    """Makes the rows that are missing, and brings what is declared here up to date in the others."""
    from console.models import Flag
    from console.models import Switch as Row

    for each in PIECES:
        declared = {"note": each.sentence, "owner": each.owner, "removal_date": each.removal}
        _declare(Flag.objects.using(using), each.name, declared, stage=each.stage)
    for each in SWITCHES:
        _declare(Row.objects.using(using), each.name, {"note": each.sentence})


def _declare(rows, name, declared, **first):
    row, made = rows.get_or_create(name=name, defaults=declared | first)
    if not made and any(getattr(row, field) != value for field, value in declared.items()):
        rows.filter(pk=row.pk).update(**declared)


def give_to_group(name, group, using):
    """Switches a piece on for a group, with no entry; for the demo, where Beta tries everything."""
    from console.models import Flag

    flag = Flag.objects.using(using).get(name=name)
    flag.stage, flag.given_to = GROUPS, sorted({*flag.given_to, group.name})
    flag.save(using=using)
    state.forget()
