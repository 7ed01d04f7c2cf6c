"""Whatever two people do and undo, in whatever order: the state is what the ledger, replayed, says it is."""

from collections import defaultdict

from django.core.exceptions import PermissionDenied
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from console import ledger, verbs
from console.models import Entry, Gesture
from console.personal import Keeper
from console.undo import undo
from console.values import encode
from games.models import Build, Game
from games.testing import make_build, make_game
from moderation.models import Ban, Comment, Note, Player, Strike
from moderation.testing import make_comment, make_player

RECORDED = {
    Player: ["username", "email", "is_active", "bio"],
    Comment: ["status"],
    Ban: ["lifted_at"],
    Strike: ["withdrawn_at"],
    Note: ["withdrawn_at"],
    Game: ["status", "current_build_id", "thumbnail"],
    Build: ["state", "changes_requested_at"],
}
KEYS = {"current_build": "current_build_id"}
STATES = (Build.READY, Build.STORED, Build.FAILED, Build.READY, Build.RECEIVED, Build.CANCELLED)
STEP = st.tuples(
    st.sampled_from(["undo", "undo", *(verb.name for verb in verbs.every() if not verb.final)]),
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


def do(step, people, pools):
    name, second, places = step
    by = people[second]
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
        comments = [make_comment(player=players[place % 3]) for place in range(6)]
        games = [make_game(author=players[place]) for place in range(3)]
        builds = [make_build(state, game=games[place % 3]) for place, state in enumerate(STATES)]
        pools = {Player: players, Comment: comments, Game: games, Build: builds}
        start = now()
        for step in steps:
            try:
                do(step, (lea.user, olga.user), pools)
            except (ledger.Conflict, ledger.Unchanged, PermissionDenied):
                continue
        assert replayed(start) == now()
        for player in Player.objects.all():
            assert player.strikes == player.strikes_given.filter(withdrawn_at=None).count()
        transaction.set_rollback(True)
