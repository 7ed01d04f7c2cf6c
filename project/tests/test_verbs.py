"""What holds for every verb, whoever declared it: one entry per target, undo restores, a permission that exists."""

from datetime import datetime, timedelta, timezone

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.auth.models import Permission
from django.urls import resolve
from django.utils.timezone import now

from console import flags, ledger, personal, respond, values, verbs
from console.models import (
    Choice,
    Delivery,
    Entry,
    Export,
    Flag,
    Gesture,
    Job,
    Personal,
    Received,
    Retention,
    Source,
    Switch,
    Token,
    User,
    Webhook,
)
from console.testing import make_export, make_received, make_source, make_token, make_user
from console.undo import may_undo, undo
from console.webhooks.testing import make_delivery, make_event, make_webhook
from games.models import Build, Game
from games.testing import make_build, make_game
from moderation.models import Ban, Comment, Player, Reason
from moderation.testing import make_comment, make_network_ban, make_player, make_reason
from project.tests.opsroutes import make_job

TARGETS = {
    "moderation.Comment": lambda verb: make_comment(),
    "moderation.Player": lambda verb: target_player(verb),
    "moderation.Ban": lambda verb: target_ban(verb),
    "moderation.Reason": lambda verb: make_reason(is_active=verb.name in ("reason.edit", "reason.retire")),
    "games.Game": lambda verb: target_game(verb),
    "console.Export": lambda verb: target_export(verb),
    "console.User": lambda verb: target_account(verb),
    "console.Retention": lambda verb: Retention.objects.create(),
    "console.Token": lambda verb: target_token(verb),
    "console.Webhook": lambda verb: target_webhook(verb),
    "console.Delivery": lambda verb: Delivery.objects.create(webhook=make_webhook(), state=Delivery.FAILED),
    "console.Job": lambda verb: make_job(Job.QUEUED if verb.name == "job.cancel" else Job.FAILED),
    "console.Source": lambda verb: make_source(**({"made_at": None} if verb.name == "source.make" else {})),
    "console.Received": lambda verb: make_received(),
    "console.Flag": lambda verb: Flag.objects.create(name=f"piece_{Flag.objects.count()}"),
    "console.Switch": lambda verb: Switch.objects.create(name=f"stop_{Switch.objects.count()}"),
    "console.Choice": lambda verb: target_choice(),
    "games.Build": lambda verb: make_build(BEFORE.get(verb.name, Build.READY)),
}
BEFORE = {  # the state of a build in which the verb is legal
    "build.retry": Build.FAILED,
    "build.cancel": Build.UNPACKED,
    "build.receive": Build.CANCELLED,
    "build.ready": Build.STORED,
    "build.fail": Build.INSPECTED,
}
EXTRA = {  # what a verb's form asks for beside reason and note
    "reason.edit": {"label": "Something new", "verbs": ["comment.reject"]},
    "flag.stage": {"stage": "share", "groups": ["Beta"], "share": 25},
    "player.update": {"bio": "I build racing games."},
    "staff.groups": {"roles": ["Publisher", "Senior"]},
    "webhook.edit": {"name": "Another", "url": "https://93.184.216.34/", "events": ["comment.approved"]},
    "player.edit": {"email": "kit@mail.example", "is_active": False},
}
ACCOUNTS = {  # how an account stands before the verb; by default somebody active
    "staff.invite": {"is_staff": False, "is_active": False, "password": "!"},
    "staff.renew": {"is_active": False, "password": "!"},
    "staff.withdraw": {"is_active": False, "password": "!"},
    "staff.join": {"is_active": False, "password": "!"},
    "staff.demote": {"is_superuser": True},
    "staff.reactivate": {"is_active": False},
    "staff.approve_reset": {"reset_asked_at": now()},
}
LOOKS = {"player.reveal"}  # they change nothing: the entry is all there is to it
STATUS = {"game.unpublish": Game.PUBLISHED, "game.restore": Game.ARCHIVED}


def target_export(verb):
    """One that was just begun, or is being written."""
    if verb.name == "export.cancel":
        return make_export(
            User.objects.filter(is_superuser=True).first() or make_user("olga", is_superuser=True), False
        )
    return Export.objects.create()


def target_webhook(verb):
    """An endpoint at which something failed."""
    given = {"webhook.add": {"added_at": None}, "webhook.enable": {"is_active": False, "disabled_at": now()}}
    webhook = make_webhook(**given.get(verb.name, {}))
    make_delivery(webhook, make_event(withdrawn_at=now()), state=Delivery.FAILED)
    return webhook


def target_account(verb):
    """A moderator with a second factor, invited or deactivated if that is what the verb takes."""
    given = ACCOUNTS.get(verb.name, {})
    if verb.name in ("staff.withdraw", "staff.join"):
        given = given | {"invited_until": now() + timedelta(days=1)}
    person = make_user(f"kit{User.objects.count()}", "Moderator", **given)
    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={})
    person.refresh_from_db()
    return person


def target_choice():
    """Of somebody who has not chosen yet."""
    person = make_user(f"kit{User.objects.count()}", "Moderator")
    return Choice.objects.create(flag=Flag.objects.get(name="key_line"), user=person)


def target_token(verb):
    """In force, or made just now."""
    fields = {"revoked_at": now()} if verb.name == "token.make" else {}
    make_token("bans:read", **fields)
    return Token.objects.latest("pk")


def target_game(verb):
    """A game with an older build that players know, and a newer one that is ready."""
    game = make_game()
    known = make_build(game=game)
    make_build(game=game, current=False)
    if STATUS.get(verb.name) == Game.PUBLISHED:
        Build.objects.filter(pk=known.pk).update(published_at=known.uploaded_at)
    game.status = STATUS.get(verb.name, Game.DRAFT)
    game.save()
    return game


def target_ban(verb):
    """A ban of a network from which a comment waits."""
    not_yet = {"ban.lay": {"lifted_at": now()}, "ban.approve": {"held": True}}
    ban = make_network_ban(reject_pending=True, **not_yet.get(verb.name, {}))
    make_comment(ip=str(ban.network.network_address))
    return ban


def target_player(verb):
    """A player with two comments waiting; banned, if that is what the verb takes."""
    player = make_player()
    for _ in range(2):
        make_comment(player=player)
    if verb.name == "player.unban":
        verbs.get("player.ban")(player, by=None, reason="spam")
        player.refresh_from_db()
    return player


def make(verb, number=1):
    return [TARGETS[verb.model](verb) for _ in range(number)]


def given(verb):
    return EXTRA.get(verb.name, {})


def state(rows):
    """Everything staff and players would notice about these rows and what hangs on them."""
    found = []
    for row in rows:
        row = type(row).objects.get(pk=row.pk)
        if isinstance(row, Export | Retention):
            found.append({f.attname: getattr(row, f.attname) for f in row._meta.fields})
            continue
        if isinstance(row, Game | Build):
            found += state_of_game(row if isinstance(row, Game) else row.game)
            continue
        own = {field.attname: getattr(row, field.attname) for field in row._meta.fields if field.name != "version"}
        if isinstance(row, Ban):
            theirs = Comment.objects.filter(ip__within=row.network).values_list("pk", "status")
            found.append(own | {"comments": sorted(theirs)})
            continue
        if isinstance(row, User):
            groups = sorted(row.groups.values_list("name", flat=True))
            found.append(own | {"groups": groups, "factors": row.authenticator_set.count()})
            continue
        if isinstance(row, Reason | Token | Webhook | Delivery | Source | Received | Job | Flag | Switch | Choice):
            found.append(own)
            continue
        player = row if isinstance(row, Player) else row.player
        found.append(
            {
                **own,
                "player": Player.objects.with_standing().values("active_strikes", "strikes").get(pk=player.pk),
                "banned": player.is_banned,
                "comments": sorted(player.comments.values_list("pk", "status")),
                "notes": player.notes.filter(withdrawn_at=None).count(),
            }
        )
    return found


def state_of_game(game):
    """The game and its builds, and whether somebody works on them; which job it is may differ."""
    passing = ("version", "changed_at", "published_at", "job")
    rows = [game, *game.builds.order_by("pk")]
    said = [{f.attname: getattr(row, f.attname) for f in row._meta.fields if f.name not in passing} for row in rows]
    return [*said, {"open": Job.objects.filter(pk__in=game.builds.values("job"), state__in=Job.OPEN).count()}]


@pytest.fixture(params=verbs.every(), ids=lambda verb: verb.name)
def verb(request):
    return request.param


def test_a_verb_names_a_permission_that_exists_and_is_routed(db, verb):
    app_label, codename = verb.permission.split(".")
    assert Permission.objects.filter(content_type__app_label=app_label, codename=codename).exists()
    assert verb.final or respond.card_for(verb.model.lower())
    if not verb.by_hand:
        return
    address = f"{make(verb)[0].get_absolute_url()}{verb.name.rpartition('.')[2]}/"
    assert resolve(address).func.view_initkwargs["verb"] is verb


@pytest.mark.parametrize("number", [1, 3])
def test_one_entry_per_target_and_one_batch(olga, verb, number):
    rows = make(verb, number)
    origin = ledger.Origin("r1", "203.0.113.9")
    outcome = verb(rows, by=olga.user, reason="spam", note="why", origin=origin, **given(verb))
    every = Entry.objects.filter(batch=outcome.gesture)
    entries = every.filter(target_type=verb.model.lower())
    assert {entry.target_id for entry in entries} == {row.pk for row in rows}
    assert len(entries) == number
    for entry in entries:
        assert (entry.actor, entry.verb, entry.request_id, entry.reason) == (olga.user, verb.name, "r1", "spam")
    for entry in every:
        assert set(entry.before) == set(entry.after)
        assert entry.before != entry.after or entry.target_type in ("moderation.player", "games.game")
    assert any(entry.before != entry.after for entry in every) or verb.name in LOOKS
    assert len({(entry.target_type, entry.target_id) for entry in every}) == len(every), "one line for each row"


def those(wanted):
    return pytest.mark.parametrize("verb", list(filter(wanted, verbs.every())), ids=lambda verb: verb.name)


@those(lambda verb: not verb.final)
def test_undo_restores_the_state_and_is_itself_undone(olga, verb):
    rows = make(verb, 2)
    before = state(rows)
    outcome = verb(rows, by=olga.user, reason="spam", note="why", **given(verb))
    after = state(rows)
    assert after != before
    undone = undo(outcome.gesture, by=olga.user)
    assert state(rows) == before
    redone = undo(undone.gesture, by=olga.user)
    assert state(rows) == after
    number = Entry.objects.filter(batch=outcome.gesture).count()
    assert Entry.objects.filter(batch=redone.gesture).count() == number


@those(lambda verb: verb.final)
def test_what_is_final_is_undone_by_nobody(olga, verb):
    rows = make(verb)
    outcome = verb(rows, by=olga.user)
    after = state(rows)
    assert not may_undo(olga.user, outcome.gesture)
    with pytest.raises(ledger.Conflict, match=verb.final):
        undo(outcome.gesture, by=olga.user)
    assert state(rows) == after


def test_bulk_costs_the_same_statements_for_2_and_for_20(olga, verb, django_assert_num_queries):
    olga.user.has_perm("warm.up")
    flags.is_flipped("warm_up")

    def statements(number):
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        rows = make(verb, number)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            verb(rows, by=olga.user, reason="spam", **given(verb))
        return len(queries)

    assert statements(2) == statements(20)


def test_without_permission_nothing_happens(sam, verb):
    from django.core.exceptions import PermissionDenied

    rows = make(verb)
    before, entries = state(rows), Entry.objects.count()
    with pytest.raises(PermissionDenied):
        verb(rows, by=sam.user)
    assert state(rows) == before
    assert Entry.objects.count() == entries


def test_bulk_skips_what_moved_on_and_names_it(moses, lea):
    comments = [make_comment() for _ in range(3)]
    verbs.get("comment.approve")(comments[1], by=lea.user)
    outcome = verbs.get("comment.reject")(comments, by=moses.user, reason="spam")
    assert {row.pk for row in outcome.done} == {comments[0].pk, comments[2].pk}
    assert ["lea approved this comment" in str(conflict) for conflict in outcome.skipped] == [True]


def test_every_model_a_verb_changes_has_a_version(verb):
    assert apps.get_model(verb.model)._meta.get_field("version")


MOMENT = datetime(2026, 3, 29, 3, 30, tzinfo=timezone(timedelta(hours=2)))
VALUES = [
    (Player, "strikes", 3),
    (Player, "is_active", False),
    (Player, "recent_game", None),
    (Player, "username", "ada"),
    (Player, "last_ip", "2001:DB8::1"),
    (Player, "last_seen_at", MOMENT),
    (Ban, "expires_at", MOMENT),
    (Ban, "expires_at", None),
    (Comment, "body", "a\u200bb"),
]


@pytest.mark.parametrize(("model", "name", "value"), VALUES)
def test_a_value_is_the_same_set_stored_and_restored(db, model, name, value):
    row = {Player: make_player, Comment: make_comment, Ban: lambda: Ban.objects.create(player=make_player())}[model]()
    keeper = personal.Keeper()
    kept = values.encode(row, name, value, keeper)
    keeper.store()
    if name in getattr(model, "PERSONAL_FIELDS", ()):
        assert set(kept) == {"$ref"}
    setattr(row, *values.decode(model, name, kept))
    row.save()
    row = model.objects.get(pk=row.pk)
    assert values.encode(row, name, getattr(row, name), keeper) == kept


def test_a_relation_is_kept_by_its_key(db):
    game = make_game()
    comment = make_comment(game=game)
    kept = values.encode(comment, "game", game, personal.Keeper())
    assert kept == game.pk
    assert values.decode(Comment, "game", kept) == ("game_id", game.pk)


def test_equal_values_of_two_people_are_erased_one_by_one(db):
    keeper = personal.Keeper()
    one, two = (make_player(username="ada") for _ in range(2))
    refs = [keeper.add(personal.subject(player), "username", "ada") for player in (one, two)]
    keeper.store()
    Personal.objects.filter(subject=personal.subject(one)).delete()
    assert list(personal.reveal(refs)) == [refs[1]]


def test_undo_of_an_old_decision_leaves_the_same_decision_made_anew(moses, lea):
    approve, reject = verbs.get("comment.approve"), verbs.get("comment.reject")
    comment = make_comment()
    first = approve(comment, by=moses.user)
    comment.refresh_from_db()
    second = reject(comment, by=lea.user, reason="spam")
    comment.refresh_from_db()
    approve(comment, by=lea.user)
    with pytest.raises(ledger.Conflict, match="has changed since"):
        undo(first.gesture, by=moses.user)
    assert state([comment])[0]["status"] == "approved"
    undo(Gesture.objects.latest("at"), by=lea.user)
    undo(second.gesture, by=lea.user)
    undo(first.gesture, by=moses.user)
    assert state([comment])[0]["status"] == "pending"


@pytest.mark.parametrize("number", [2, 20])
def test_bulk_over_stale_rows_costs_the_same(moses, lea, django_assert_num_queries, number):
    comments = [make_comment() for _ in range(number)]
    verbs.get("comment.approve")(comments, by=lea.user)
    stale = {comment.pk: 0 for comment in comments}
    moses.user.has_perm("warm.up")
    # savepoint, gesture, rows, their latest entries, rollback and release
    with django_assert_num_queries(6), pytest.raises(ledger.Conflict):
        verbs.get("comment.reject")(comments, by=moses.user, versions=stale)
