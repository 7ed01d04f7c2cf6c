"""What staff do to players."""

from django.core.exceptions import PermissionDenied
from django.utils import timezone

from console.ledger import Unchanged
from console.verbs import verb
from moderation import erasing, masking, reach, signals
from moderation.editing import EditForm
from moderation.forms import BanForm, NoteForm, RevealForm, StrikeForm, WarnForm, WhyForm
from moderation.lengths import TOO_LONG, beginning, is_long, until
from moderation.models import Ban, Comment, Note, Strike


@verb(
    "player.ban",
    label="Ban player",
    past="banned",
    model="moderation.Player",
    permission="moderation.ban_player",
    legal=lambda player: not player.is_banned,
    icon="ban",
    tone="danger",
    key="b",
    form=BanForm,
    foretell=reach.foretell,
)
def ban(players, act, expires="7d", reject_pending=True, games_down=False, starts=""):
    """Bans until `expires` (as moderation.lengths reads it) and, unless told not to, rejects what they have pending;
    on request their games are taken down, too. A ban that `starts` later does neither.

    Raises PermissionDenied for a length the person may not give, or games the person may not take down.
    """
    begin = beginning(starts)
    too_long = is_long(expires, begin)
    if act.by and (games_down or too_long) and not act.by.has_perm("moderation.ban_player_long"):
        raise PermissionDenied(TOO_LONG if too_long else "Your role may not take games down.")
    act.touch(players)
    options = {"reject_pending": reject_pending and not starts, "games_down": games_down and not starts}
    times = {"starts_at": begin, "expires_at": until(expires, begin), "lifted_at": timezone.now()}
    about = {"reason": act.reason, "note": act.note, "asked_by": act.by}
    bans = [Ban(player=player, **about, **times, **options) for player in players]
    act.change(Ban.objects.bulk_create(bans), lifted_at=None)
    if options["reject_pending"]:
        pending = Comment.objects.filter(player__in=players, status=Comment.PENDING)
        pending = list(pending.select_for_update(of=("self",)).order_by("pk"))
        if pending:
            act.change(pending, status=Comment.REJECTED)
    if options["games_down"]:
        signals.games_down.send(Ban, act=act, players=players)


@verb(
    "player.unban",
    label="Unban",
    past="unbanned",
    model="moderation.Player",
    permission="moderation.lift_ban",
    legal=lambda player: player.is_banned,
    icon="lock-open",
    form=WhyForm,
)
def unban(players, act):
    act.touch(players)
    in_force = Ban.objects.in_force().filter(player__in=players)
    act.change(list(in_force.select_for_update(of=("self",)).order_by("pk")), lifted_at=timezone.now())


@verb(
    "player.warn",
    label="Warn",
    past="warned",
    model="moderation.Player",
    permission="moderation.warn_player",
    legal=lambda player: True,
    repeats=True,
    icon="triangle-alert",
    form=WarnForm,
)
def warn(players, act):
    """A strike of the least weight each; the player's lifetime number follows (Strike.after_change)."""
    _strike(players, act, 1)


@verb(
    "player.strike",
    label="Strike",
    past="gave a strike to",
    model="moderation.Player",
    permission="moderation.strike_player",
    legal=lambda player: True,
    repeats=True,
    icon="gavel",
    form=StrikeForm,
    asks="Give {row} a strike?",
    tells="{row} was given a strike.",
)
def strike(players, act, weight=1):
    """What counts more than a warning does. Bans nobody, however much it weighs: the forms only propose it."""
    _strike(players, act, weight)


def _strike(players, act, weight):
    act.touch(players)
    given = {"reason": act.reason, "weight": weight, "created_at": timezone.now(), "withdrawn_at": timezone.now()}
    act.change(Strike.objects.bulk_create([Strike(player=player, **given) for player in players]), withdrawn_at=None)


@verb(
    "player.note",
    label="Add note",
    past="left a note on",
    model="moderation.Player",
    permission="moderation.note_player",
    legal=lambda player: True,
    repeats=True,
    icon="sticky-note",
    form=NoteForm,
    asks="Note on {row}",
    tells="The note on {row} was saved.",
)
def note(players, act):
    act.touch(players)
    now = timezone.now()
    notes = [Note(player=player, author=act.by, text=act.note, withdrawn_at=now) for player in players]
    act.change(Note.objects.bulk_create(notes), withdrawn_at=None)


@verb(
    "player.edit",
    label="Edit",
    past="edited",
    model="moderation.Player",
    permission="moderation.change_player",
    legal=lambda player: True,
    repeats=True,
    icon="pencil",
    form=EditForm,
    asks="Edit {row}",
)
def edit(players, act, **fields):
    """Gives them these values, of those that staff may edit (EditForm.OWN). Raises Unchanged when they have them."""
    if all(getattr(player, name) == value for player in players for name, value in fields.items()):
        raise Unchanged
    act.change(players, **fields)


@verb(
    "player.reveal",
    label="Show addresses",
    past="saw the addresses of",
    model="moderation.Player",
    permission=masking.ASK,
    legal=lambda player: True,
    repeats=True,
    while_frozen=True,
    icon="eye",
    form=RevealForm,
    asks="Show addresses and e-mail of {row}?",
    tells="Addresses and e-mail of {row} are shown to you for 15 minutes.",
    final="What has been seen cannot be unseen.",
)
def reveal(players, act):
    """The entry is all there is to it: while it is fresh, moderation.masking shows this person what they asked for."""
    act.look(players)


@verb(
    "player.stop_mail",
    label="Stop mail",
    past="taken off the list of those who get mail",
    model="moderation.Player",
    permission="moderation.change_player",
    legal=lambda player: player.mail_stopped_at is None,
    icon="x",
    by_hand=False,
)
def stop_mail(players, act):
    """By the link in a mail, for whoever has it: nobody is written to who asked not to be."""
    act.change(players, mail_stopped_at=timezone.now())


@verb(
    "player.erase",
    label="Erase",
    past="erased",
    model="moderation.Player",
    permission="moderation.delete_player",
    legal=lambda player: True,
    repeats=True,
    icon="eye-off",
    by_hand=False,
    final="This cannot be undone: what it took is gone for good.",
)
def erase(players, act):
    """On the players' own request. The entry tells that and when; what was there before is in no entry either."""
    erasing.erase(players)
    act.change(players, erased_at=timezone.now())
