"""Fields that a form does not have: whoever sends them changes nothing more than without them."""

import pytest
from django.db.models import DateTimeField

from console import verbs
from console.models import Entry, Gesture, User
from console.testing import make_user, undo_form
from games.models import Build, Game
from moderation.models import Ban, Comment, Player, Reason
from project.tests.test_verbs import EXTRA, LOOKS, make

MODELS = (User, Player, Comment, Ban, Reason, Game, Build)
OWN = {  # what a form asks for, and so may be sent
    "staff.groups": {"roles"},
    "player.edit": {"username", "email", "bio", "is_active", "recent_game", "last_seen_at"},
    "reason.edit": {"label", "text", "verbs", "position"},
    "flag.stage": {"stage", "groups", "share"},
    "webhook.edit": {"name", "url", "events"},
}
DERIVED = {"version", "changed_at", "published_at", "job_id", "strikes", "secret", "previous_secret"}
DERIVED |= {"attempt", "token", "error", "sent_at", "due_at", "ended_at"}  # of a job that begins anew, or ends
DERIVED |= {"delivered_at", "failing_since", "failures", "resting_until"}  # how an endpoint fares
COMMON = {"reason": "spam", "note": "why", "expires": "1d", "username": "kit", "label": "New", "position": 5}


def greedy(model, kept):
    """A value for each column of the model that nobody asked for, and some that never were one."""
    sent = {"pk": "1", "by": "1", "actor": "1", "groups": "1", "user_permissions": "1", "permission": "none"}
    for field in model._meta.concrete_fields:
        names = {field.name, field.attname} - kept - {"version"}
        value = "2001-01-01T00:00:00Z" if isinstance(field, DateTimeField) else "1"
        sent |= dict.fromkeys(names - set(COMMON), value)
    return sent


def columns(row):
    """All of a row but what tells how often and when it was changed."""
    row = type(row).objects.get(pk=row.pk)
    return {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields}


@pytest.mark.parametrize("verb", [v for v in verbs.every() if v.by_hand], ids=lambda verb: verb.name)
def test_a_form_takes_its_own_fields_and_no_other(olga, verb):
    (row,) = make(verb)
    before = columns(row)
    given = COMMON | EXTRA.get(verb.name, {})
    sent = greedy(type(row), OWN.get(verb.name, set())) | given | undo_form(version=row.version)
    url = f"{row.get_absolute_url()}{verb.name.rpartition('.')[2]}/"
    assert olga.post(url, sent).status_code == 303
    entry = Entry.objects.filter(target_id=row.pk, target_type=row._meta.label_lower).latest("pk")
    after = columns(row)
    recorded = {type(row)._meta.get_field(name).attname for name in entry.after}
    changed = {name for name in after if after[name] != before[name]}
    assert changed - DERIVED == recorded
    assert recorded <= recorded_without(olga, verb)
    assert (entry.actor, after["version"]) == (olga.user, before["version"] + (verb.name not in LOOKS))


def recorded_without(olga, verb):
    """Which columns the same verb changes when nothing but its own fields are sent."""
    (row,) = make(verb)
    url = f"{row.get_absolute_url()}{verb.name.rpartition('.')[2]}/"
    sent = COMMON | EXTRA.get(verb.name, {}) | undo_form(version=row.version)
    assert olga.post(url, sent).status_code == 303
    entry = Entry.objects.filter(target_id=row.pk, target_type=row._meta.label_lower).latest("pk")
    return {type(row)._meta.get_field(name).attname for name in entry.after}


RIGHTS = {"is_superuser": "on", "is_staff": "on", "is_active": "on", "roles": ["Senior"], "groups": ["1", "2"]}


def test_preferences_make_nobody_an_operator(moses):
    sent = undo_form(theme="dark", density="", **RIGHTS, username="root", email="x@y.example", password="!")
    before = columns(moses.user)
    assert moses.post("/manage/preferences/", sent).status_code == 303
    changed = {name for name, value in columns(moses.user).items() if value != before[name]}
    assert changed == {"theme", "shortcuts"}


def test_an_invite_gives_groups_and_no_more(olga):
    sent = undo_form(login="kit", name="", email="kit@mail.example", **RIGHTS | {"password": "x", "version": 0})
    assert olga.post("/manage/staff/invite/", sent).status_code == 303
    kit = User.objects.get(username="kit")
    assert (kit.is_superuser, kit.is_active, kit.roles, kit.has_joined) == (False, False, ["Senior"], False)


NEW = [
    ("/manage/reasons/new/", Reason, {"code": "new", "label": "New", "position": 5}, {"is_active": True}),
    (
        "/manage/bans/new/",
        Ban,
        {"network": "198.51.100.7", "reason": "spam", "expires": "1d"},
        {"held": False, "player_id": None, "approved_by_id": None, "lifted_at": None},
    ),
]


@pytest.mark.parametrize(("url", "model", "sent", "stands"), NEW)
def test_what_is_new_begins_as_its_form_says(lea, url, model, sent, stands):
    kept = {"text", "verbs", "starts", "games_down", "reject_pending", "allow", "note"}
    extra = {name: value for name, value in greedy(model, kept).items() if name not in sent}
    response = lea.post(url, undo_form(**extra | {"is_active": "", "held": "on"} | sent))
    assert response.status_code == 303
    row = model.objects.latest("pk")
    assert row.pk != 1 or Gesture.objects.count() == 1
    assert {name: getattr(row, name) for name in stands} == stands
    assert row.version == 1


@pytest.mark.parametrize("who", ["moses", "rita", "sam"])
def test_signing_in_gives_no_right(request, nobody, who):
    person = request.getfixturevalue(who)
    before = columns(person.user)
    nobody.post("/accounts/login/", {"login": who, "password": "correct horse battery", **RIGHTS})
    after = columns(person.user)
    assert {name for name in after if after[name] != before[name]} <= {"last_login"}


def test_changing_a_password_gives_no_right(moses):
    sent = {"oldpassword": "correct horse battery", "password1": "marble kitchen yacht", **RIGHTS}
    before = columns(moses.user)
    moses.post("/accounts/password/change/", sent | {"password2": "marble kitchen yacht"})
    after = columns(moses.user)
    assert {name for name in after if after[name] != before[name]} <= {"password", "last_login"}


def test_joining_gives_no_right(olga, nobody):
    from console import invites

    olga.post("/manage/staff/invite/", undo_form(login="kit", email="kit@mail.example"))
    kit = User.objects.get(username="kit")
    sent = {"password1": "marble kitchen yacht", "password2": "marble kitchen yacht", **RIGHTS}
    path = f"/accounts/invite/{kit.pk}/{invites.token(kit)}/"
    assert nobody.post(path, undo_form(**sent | {"version": kit.version})).status_code == 303
    kit.refresh_from_db()
    assert (kit.is_superuser, kit.is_active, kit.roles) == (False, True, [])
    assert make_user("lou").roles == []
