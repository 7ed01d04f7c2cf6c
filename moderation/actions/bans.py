"""What staff do to bans, and how a ban of a network comes about."""

import uuid

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from console.ledger import Conflict
from console.verbs import verb
from moderation import networks, reach, second, signals
from moderation.banforms import ChangeBanForm, NetworkBanForm
from moderation.forms import WhyForm
from moderation.lengths import beginning, until
from moderation.models import Ban, Comment

BAN = "moderation.Ban"


def ban_network(
    network, *, by, key=None, origin=None, reason="", note="", allow=False, expires="7d", starts="", **does
):
    """Lays a ban of the network, or with `allow` an exception from wider bans; `does`: reject_pending, games_down.

    One that reaches far waits for a second person (moderation.second). Returns the verb's Outcome. Raises Conflict
    when there is an entry for exactly this network already, PermissionDenied, ValueError for impossible times.
    """
    asked = {"network": str(network), "allow": allow, "expires": expires, "starts": starts, **does}
    with transaction.atomic():
        second.one_at_a_time()
        begin = beginning(starts)
        ban = Ban(
            network=network,
            allow=allow,
            reason=reason,
            note=note,
            asked_by=by,
            starts_at=begin,
            expires_at=until(expires, begin),
            lifted_at=timezone.now(),
            **{name: bool(wanted) and not allow and not starts for name, wanted in does.items()},
        )
        ban.held = bool(second.takes_two(ban))
        before = transaction.savepoint()
        there = _same(network)
        ban.save()
        try:
            outcome = lay(ban, by=by, key=key or uuid.uuid4(), origin=origin, reason=reason, note=note, asked=asked)
        except Conflict:
            raise Conflict("It was undone meanwhile. Nothing was changed.") from None
        if outcome.replayed:
            transaction.savepoint_rollback(before)
        elif there:
            raise Conflict(f"There is {there} already, {there.state}. Change that one, or lift it first.", there)
    return outcome


def _same(network):
    found = Ban.objects.filter(network=network, lifted_at=None).select_related("player")
    return next((ban for ban in found if ban.is_open), None)


@verb(
    "ban.lay",
    label="Ban network",
    past="laid",
    model=BAN,
    fresh=True,
    permission="moderation.ban_network",
    legal=lambda ban: ban.network is not None and ban.lifted_at is not None,
    icon="ban",
    by_hand=False,
    form=NetworkBanForm,
)
def lay(bans, act):
    act.change(bans, lifted_at=None)
    _carry_out([ban for ban in bans if not ban.held], act)


@verb(
    "ban.approve",
    label="Approve",
    past="approved",
    model=BAN,
    fresh=True,
    permission="moderation.ban_network",
    legal=lambda ban: ban.held and ban.is_open,
    icon="check",
    tone="danger",
    foretell=lambda bans: reach.foretell_bans(bans),
    form=WhyForm,
)
def approve_ban(bans, act):
    """Raises PermissionDenied to whoever asked for one of them, or could not have."""
    if act.by and any(ban.asked_by_id == act.by.pk for ban in bans):
        raise PermissionDenied("You asked for this ban. Another senior moderator has to approve it.")
    against = next(filter(None, (networks.against(ban.network, act.by, act.origin.ip) for ban in bans)), "")
    if act.by and against:
        raise PermissionDenied(against)
    act.change(bans, held=False, approved_by=act.by)
    _carry_out(bans, act)


@verb(
    "ban.change",
    label="Change",
    past="changed",
    model=BAN,
    fresh=True,
    permission="moderation.lift_ban",
    legal=lambda ban: ban.is_open,
    repeats=True,
    icon="pencil",
    form=ChangeBanForm,
    asks="Change {row}",
)
def change_ban(bans, act, expires="30d"):
    """Gives them another end, counted from now or from when they begin.

    Raises PermissionDenied for what takes a second person.
    """
    now = timezone.now()
    ends = {ban.pk: until(expires, max(now, ban.starts_at)) for ban in bans}
    for ban in bans:
        end = ends[ban.pk]
        longer = ban.expires_at is not None and (end is None or end > ban.expires_at)
        if not ban.held:
            _refuse(second.against_more(ban, act.by, end) if longer else second.against_less(ban, act.by))
    act.change(bans, expires_at=lambda ban: ends[ban.pk])


@verb(
    "ban.lift",
    label="Lift",
    past="lifted",
    model=BAN,
    fresh=True,
    permission="moderation.lift_ban",
    legal=lambda ban: ban.is_open,
    icon="lock-open",
    form=WhyForm,
)
def lift(bans, act):
    """Raises PermissionDenied for an exception that keeps a wide ban in bounds (moderation.second)."""
    for ban in bans:
        _refuse(second.against_less(ban, act.by))
    act.change(bans, lifted_at=timezone.now())


def _refuse(why):
    if why:
        raise PermissionDenied(f"This is not for you alone: {why}.")


def _carry_out(bans, act):
    """Rejects what waits from these networks and takes games down, as far as their bans say so."""
    now = timezone.now()
    begun = [ban for ban in bans if ban.network and ban.starts_at <= now]
    rejecting = [ban for ban in begun if ban.reject_pending]
    if rejecting:
        pending = reach.pending_from(rejecting)
        rows = list(pending.select_for_update(of=("self",)).order_by("pk"))
        if rows:
            act.change(rows, status=Comment.REJECTED)
    taking = [ban for ban in begun if ban.games_down]
    if taking:
        signals.games_down.send(Ban, act=act, players=reach.players_banned(taking))
