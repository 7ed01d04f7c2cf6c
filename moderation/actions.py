"""What staff do to comments and players. Each verb is declared here once; everything else reads the declaration.

A verb that brings a row into being (a ban, a strike, a note) stores it without effect and puts it in force by a
recorded change: undo is then the same everywhere, and nothing is ever deleted.
"""

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from console.ledger import Conflict
from console.models import Gesture
from console.verbs import verb
from moderation import signals
from moderation.forms import BanForm, NoteForm, ReasonForm, WhyForm
from moderation.lengths import TOO_LONG, is_long, until
from moderation.models import Ban, Comment, Note, Reason, Strike
from moderation.reasonforms import ReasonEditForm

REASON = "moderation.Reason"


@verb(
    "comment.approve",
    label="Approve",
    past="approved",
    model="moderation.Comment",
    permission="moderation.moderate_comment",
    legal=lambda comment: comment.status in (Comment.PENDING, Comment.REJECTED),
    icon="check",
    tone="ok",
    key="a",
)
def approve(comments, act):
    act.change(comments, status=Comment.APPROVED)


@verb(
    "comment.reject",
    label="Reject",
    past="rejected",
    model="moderation.Comment",
    permission="moderation.moderate_comment",
    legal=lambda comment: comment.status in (Comment.PENDING, Comment.APPROVED),
    icon="x",
    key="r",
    form=ReasonForm,
)
def reject(comments, act):
    act.change(comments, status=Comment.REJECTED)


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
)
def ban(players, act, expires="7d", reject_pending=True, games_down=False):
    """Bans until `expires` (as moderation.lengths reads it) and, unless told not to, rejects what they have pending;
    on request their games are taken down, too.

    Raises PermissionDenied for a length the person may not give, or games the person may not take down.
    """
    if act.by and (games_down or is_long(expires)) and not act.by.has_perm("moderation.ban_player_long"):
        raise PermissionDenied(TOO_LONG if is_long(expires) else "Your role may not take games down.")
    act.touch(players)
    now = timezone.now()
    bans = [
        Ban(player=player, reason=act.reason, note=act.note, starts_at=now, expires_at=until(expires), lifted_at=now)
        for player in players
    ]
    act.change(Ban.objects.bulk_create(bans), lifted_at=None)
    if reject_pending:
        pending = Comment.objects.filter(player__in=players, status=Comment.PENDING)
        pending = list(pending.select_for_update(of=("self",)).order_by("pk"))
        if pending:
            act.change(pending, status=Comment.REJECTED)
    if games_down:
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
    form=ReasonForm,
)
def warn(players, act):
    """A strike each; the player's lifetime number follows (Strike.after_change)."""
    act.touch(players)
    now = timezone.now()
    strikes = [Strike(player=player, reason=act.reason, created_at=now, withdrawn_at=now) for player in players]
    act.change(Strike.objects.bulk_create(strikes), withdrawn_at=None)


@verb(
    "player.note",
    label="Add note",
    past="left a note on",
    model="moderation.Player",
    permission="moderation.note_player",
    legal=lambda player: True,
    repeats=True,
    icon="pencil",
    form=NoteForm,
    asks="Note on {row}",
    tells="The note on {row} was saved.",
)
def note(players, act):
    act.touch(players)
    now = timezone.now()
    notes = [Note(player=player, author=act.by, text=act.note, withdrawn_at=now) for player in players]
    act.change(Note.objects.bulk_create(notes), withdrawn_at=None)


# --- reasons -------------------------------------------------------------------------------------------------


@verb(
    "reason.add",
    label="Add",
    past="added",
    model=REASON,
    permission="moderation.add_reason",
    legal=lambda reason: not reason.is_active,
    icon="check",
    by_hand=False,
)
def put_in_use(reasons, act):
    act.change(reasons, is_active=True)


@verb(
    "reason.edit",
    label="Edit",
    past="edited",
    model=REASON,
    permission="moderation.change_reason",
    legal=lambda reason: True,
    repeats=True,
    icon="pencil",
    tone="primary",
    form=ReasonEditForm,
    asks="Edit the reason “{row}”",
    tells="The reason “{row}” was {past}.",
)
def edit_reason(reasons, act, **fields):
    """`fields` are the values to be. Raises Conflict when they are so already."""
    if all(getattr(reason, name) == value for reason in reasons for name, value in fields.items()):
        raise Conflict("Nothing was changed: this is how it stands already.", reasons[0])
    act.change(reasons, **fields)
    _keep_one(reasons)


@verb(
    "reason.retire",
    label="Retire",
    past="retired",
    model=REASON,
    permission="moderation.change_reason",
    legal=lambda reason: reason.is_active,
    icon="archive",
    tells="The reason “{row}” was {past}.",
)
def retire(reasons, act):
    """No form offers it any more; what was decided for it stays as it is."""
    act.change(reasons, is_active=False)
    _keep_one(reasons)


@verb(
    "reason.restore",
    label="Restore",
    past="restored",
    model=REASON,
    permission="moderation.change_reason",
    legal=lambda reason: not reason.is_active,
    icon="archive-restore",
    tells="The reason “{row}” was {past}.",
)
def restore_reason(reasons, act):
    act.change(reasons, is_active=True)


def _keep_one(reasons):
    if not Reason.objects.filter(is_active=True, verbs=[]).exists():
        raise Conflict("Nothing was changed: one reason that fits everything has to stay in use.", reasons[0])


@transaction.atomic
def add_reason(*, by, key, origin, **fields):
    """A new reason, in use. Returns the console.verbs.Outcome; in one that is `replayed` nothing was made.

    Raises CodeTaken, and what verbs raise.
    """
    reason = _made(fields) if not _is_known(by, key) else None
    if reason is None and not _is_known(by, key):
        raise CodeTaken
    return put_in_use(reason or Reason(**fields), by=by, key=key, origin=origin, asked=_content(fields))


def _is_known(by, key):
    return Gesture.objects.filter(actor=by, idempotency_key=key).exists()


def _made(fields):
    """The reason, or None when its code is taken: after waiting for whoever takes it, perhaps by this very click."""
    try:
        with transaction.atomic():
            return Reason.objects.create(**fields, is_active=False)
    except IntegrityError:
        return None


def _content(fields):
    return {name: str(value) for name, value in fields.items()}


class CodeTaken(Exception):
    """There is a reason with this code already."""
