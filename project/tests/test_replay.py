"""Whatever two people do and undo, in whatever order: the state is what the ledger, replayed, says it is, and what
portals were told.
"""

from collections import defaultdict
from datetime import timedelta

from allauth.mfa.models import Authenticator
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from console import ledger, verbs
from console.models import Entry, Event, Gesture, User
from console.personal import Keeper
from console.testing import make_user
from console.undo import undo
from console.values import encode
from games.models import Build, Game
from games.testing import make_build, make_game
from moderation.models import Ban, Comment, Note, Player, Reason, Strike
from moderation.testing import make_comment, make_network_ban, make_player, make_reason

RECORDED = {
    Player: ["username", "email", "is_active", "bio", "mail_stopped_at"],
    Comment: ["status"],
    Ban: ["lifted_at", "held", "expires_at", "approved_by_id"],
    Strike: ["withdrawn_at"],
    Note: ["withdrawn_at"],
    Reason: ["is_active", "label", "verbs"],
    User: ["is_active", "is_staff", "is_superuser", "roles", "invited_until", "reset_asked_at", "reset_asked_by_id"],
    Game: ["status", "current_build_id", "thumbnail"],
    Build: ["state", "changes_requested_at"],
}
TOLD = {Comment: "status", Game: "status", Build: "state"}
KEYS = {"current_build": "current_build_id", "reset_asked_by": "reset_asked_by_id", "approved_by": "approved_by_id"}
STATES = (Build.READY, Build.STORED, Build.FAILED, Build.READY, Build.RECEIVED, Build.CANCELLED)
BANS = (
    {"lifted_at": timezone.now(), "reject_pending": True},
    {"held": True, "reject_pending": True},
    {"reject_pending": True, "expires_at": timezone.now() + timedelta(days=1)},
)


def is_tried(verb):
    """Whether it can be undone and is about what players and staff see, not about how the portal is connected."""
    return not verb.final and verbs.model_of(verb.model) in RECORDED


STEP = st.tuples(
    st.sampled_from(["undo", "undo", "wait", *(verb.name for verb in verbs.every() if is_tried(verb))]),
    st.booleans(),  # which of the two
    st.sets(st.integers(0, 5), min_size=1, max_size=4),  # on what; its largest chooses what is undone
)


def kept(row, name):
    return encode(row, name, getattr(row, name), Keeper())


def now():
    """`{(model, id, field): value}` of everything verbs change."""
    found = {}
    for model, names in RECORDED.items():
        for row in model.objects.all():
            found |= {(model._meta.label_lower, row.pk, name): kept(row, name) for name in names}
    return found


def replayed(start):
    """The same from the ledger alone: each entry must begin where the one before it ended."""
    state = dict(start)
    for entry in Entry.objects.order_by("id"):
        for name, before in entry.before.items():
            key = (entry.target_type, entry.target_id, KEYS.get(name, name))
            assert state.setdefault(key, before) == before, entry
            state[key] = entry.after[name]
    return state


def truth():
    """`{(model, id): event}` that says how each row is, for a portal; "" where there is no event for it."""
    found = {}
    for model, name in TOLD.items():
        for row in model.objects.all():
            found[model._meta.label_lower, row.pk] = row.event_of({}, {name: getattr(row, name)})
    for ban in Ban.objects.all():
        bites = ban.lifted_at is None and not ban.held
        found["moderation.ban", ban.pk] = f"{'player' if ban.player_id else 'network'}.{'' if bites else 'un'}banned"
    off = {key: event or "game.unpublished" for key, event in found.items() if key[0] == "games.game"}
    return found | off


def heard(start):
    """What a portal believes that knew the start and was told every event that was not withdrawn in time."""
    believed = dict(start)
    sent = Event.objects.exclude(withdrawn_at__lt=F("due_at"))
    for event in sent.order_by("entry"):
        believed[event.target_type, event.target_id] = event.name
    return believed


def do(step, people, pools):
    name, second, places = step
    by = people[second]
    if name == "wait":  # until the undo window of everything so far is over
        Event.objects.filter(withdrawn_at=None).update(due_at=F("due_at") - timedelta(hours=1))
        return
    if name == "undo":
        gestures = list(Gesture.objects.order_by("at", "pk"))
        if gestures:
            undo_and_check(gestures[max(places) % len(gestures)], by)
        return
    verb = verbs.get(name)
    model = verbs.model_of(verb.model)
    pool = pools[model]
    rows = list(model.objects.filter(pk__in={pool[place % len(pool)].pk for place in places}))
    extra = {}
    if name == "player.ban":
        extra = {"reject_pending": len(places) < 4, "games_down": len(places) < 3}
    elif name == "player.edit":
        extra = {"bio": f"number {len(places)}", "is_active": max(places) > 2}
    elif name == "reason.edit":
        extra = {"label": f"for {len(places)}", "verbs": ["comment.reject"][: len(places) % 2]}
    elif name == "staff.groups":
        extra = {"roles": ["Moderator", "Senior"][: len(places) % 3]}
    verb(rows, by=by, reason="spam", note="why", **extra)


def undo_and_check(gesture, by):
    """Every field the gesture changed goes back to what it was, or stays as it is and is listed."""
    before, standing = now(), Gesture.objects.filter(undoes=gesture).exists()
    try:
        result = undo(gesture, by=by)
    except ledger.Conflict:
        assert now() == before
        raise
    assert not standing, "nothing is undone twice"
    after, left = now(), defaultdict(int)
    for entry in gesture.entries.all():
        for name, value in entry.before.items():
            key = (entry.target_type, entry.target_id, KEYS.get(name, name))
            if after[key] != value:
                assert after[key] == before[key]
                left[key[:2]] += 1
    assert len(result.moved_on) == len(left)


@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(steps=[("player.ban", True, {0}), ("comment.approve", False, {0}), ("undo", True, {0})])
@given(steps=st.lists(STEP, max_size=14))
def test_the_state_is_the_replay_of_the_ledger(lea, olga, steps):
    with transaction.atomic():
        players = [make_player() for _ in range(3)]
        addresses = [f"198.51.100.{place % 4}" for place in range(6)]
        comments = [make_comment(player=players[place % 3], ip=address) for place, address in enumerate(addresses)]
        bans = [make_network_ban(f"198.51.100.{place}", **options) for place, options in enumerate(BANS)]
        games = [make_game(author=players[place]) for place in range(3)]
        builds = [make_build(state, game=games[place % 3]) for place, state in enumerate(STATES)]
        reasons = [make_reason(is_active=place != 0) for place in range(3)]
        staff = [make_user(f"kit{place}", is_superuser=place == 0, is_active=place < 2) for place in range(3)]
        for person in staff:
            Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={})
        pools = {
            Player: players,
            Comment: comments,
            Ban: bans,
            Game: games,
            Build: builds,
            Reason: reasons,
            User: staff,
        }
        start, known = now(), truth()
        for step in steps:
            try:
                do(step, (lea.user, olga.user), pools)
            except (ledger.Conflict, ledger.Unchanged, PermissionDenied):
                continue
        state = replayed(start)
        assert state == {key: value for key, value in now().items() if key in state}
        believed = heard(known)
        for key, event in truth().items():
            assert event in (believed.get(key, "player.unbanned"), ""), key
        for player in Player.objects.all():
            assert player.strikes == player.strikes_given.filter(withdrawn_at=None).count()
        for person in User.objects.all():
            assert person.roles == sorted(person.groups.values_list("name", flat=True))
        transaction.set_rollback(True)
