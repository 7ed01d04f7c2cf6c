"""Every address × role × method, with and without htmx, as data: guarded by sign-in, a permission and a role, whether
or not somebody remembered to.
"""

from contextlib import contextmanager

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.urls import URLPattern, get_resolver, reverse
from waffle.testutils import override_flag

from console import verbs
from console.base import ConsoleView, VerbView
from console.models import Export, Gesture, Token, User
from console.testing import Person, make_token, undo_form
from games.models import Build, Game
from games.testing import make_build
from games.upload import UploadForm
from moderation.filters import CommentFilter
from moderation.models import Ban, Comment, Player, Reason
from moderation.testing import make_comment, make_network_ban, make_player, make_reason
from moderation.widgets import let_ask
from project.tests import exportroutes, routesapart
from project.tests.openroutes import OWN_ACCOUNT, OWN_KEYS, PUBLIC, PUBLIC_ACCOUNTS
from project.tests.test_verbs import target_account

# page → who may open it; everybody else gets 403
READERS = {"moses", "lea", "ann", "olga"}
DECIDERS = {"moses", "lea", "olga"}
STAFF = READERS | {"rita"}
LEADERS = {"lea", "olga"}
OPERATORS = {"olga"}
PUBLISHERS = {"rita", "olga"}
MATRIX = {
    "console:dashboard": STAFF,
    "console:live": STAFF,
    "console:preferences": STAFF,
    "console:undo": {"lea", "olga"},  # of what lea did
    "console:ledger": STAFF,  # moses and rita see what they did themselves
    "console:ledger_panel": STAFF,
    "console:export": {"lea", "ann", "olga"},
    "console:entry": {"lea", "ann", "olga"},  # of what lea did; for the others there is none
    "console:staff": STAFF,
    "console:staff_member": {"lea", "ann", "olga"},
    "console:staff_invite": OPERATORS,
    "console:staff_renew": OPERATORS,
    "console:staff_withdraw": OPERATORS,
    "console:staff_groups": OPERATORS,
    "console:staff_promote": OPERATORS,
    "console:staff_demote": OPERATORS,
    "console:staff_deactivate": OPERATORS,
    "console:staff_reactivate": OPERATORS,
    "console:staff_end_sessions": OPERATORS,
    "console:staff_ask_reset": OPERATORS,
    "console:staff_approve_reset": OPERATORS,
    "console:tokens": {"ann", "olga"},
    "console:new_token": OPERATORS,
    "console:token": {"ann", "olga"},
    "console:revoke_token": OPERATORS,
    "moderation:comments": READERS,
    "moderation:comment": READERS,
    "moderation:approve": DECIDERS,
    "moderation:reject": DECIDERS,
    "moderation:panel": READERS,
    "moderation:suggest": READERS,
    "moderation:options": READERS,
    "moderation:bulk": READERS,  # the verb's own permission decides about a POST
    "moderation:players": READERS,
    "moderation:players_panel": READERS,
    "moderation:players_export": {"lea", "ann", "olga"},
    "moderation:player": READERS,
    "moderation:strike": DECIDERS,
    "moderation:edit": {"lea", "olga"},
    "moderation:ban": DECIDERS,
    "moderation:unban": {"lea", "olga"},
    "moderation:warn": DECIDERS,
    "moderation:note": DECIDERS,
    "moderation:player_export": {"lea", "ann", "olga"},
    "moderation:reveal": {"moses", "ann", "olga"},  # lea sees them anyway
    "moderation:bans": READERS,
    "moderation:bans_panel": READERS,
    "moderation:ban_new": LEADERS,
    "moderation:ban_reach": LEADERS,
    "moderation:ban_detail": READERS,
    "moderation:ban_approve": LEADERS,
    "moderation:ban_change": LEADERS,
    "moderation:ban_lift": LEADERS,
    "moderation:reasons": READERS,
    "moderation:reason": READERS,
    "moderation:new_reason": {"lea", "olga"},
    "moderation:edit_reason": {"lea", "olga"},
    "moderation:retire_reason": {"lea", "olga"},
    "moderation:restore_reason": {"lea", "olga"},
    "games:games": STAFF,
    "games:panel": STAFF,
    "games:options": STAFF,
    "games:game": STAFF,
    "games:build": STAFF,
    "games:picture": STAFF,
    "games:play": STAFF,
    "games:upload": PUBLISHERS,
    "games:authors": PUBLISHERS,
    "games:publish": PUBLISHERS,
    "games:unpublish": PUBLISHERS,
    "games:archive": PUBLISHERS,
    "games:restore": PUBLISHERS,
    "games:retry": PUBLISHERS,
    "games:cancel": PUBLISHERS,
    "games:reject": PUBLISHERS,
    "games:request_changes": PUBLISHERS,
    "moderation:connect": OPERATORS,
    **routesapart.MATRIX,
}
# pages that take a POST and are no verbs: who may send it, what answers a plain form and htmx, and how many gestures
EXPORTERS = {"lea", "ann", "olga"}
POSTS = {
    "console:preferences": (STAFF, 303, 303, 0),
    "console:undo": (LEADERS, 303, 200, 1),
    "console:export": (EXPORTERS, 200, 200, 1),
    "console:staff_invite": (OPERATORS, 303, 200, 1),
    "console:new_token": (OPERATORS, 200, 200, 1),
    "moderation:connect": (OPERATORS, 200, 200, 1),
    "moderation:bulk": (DECIDERS, 303, 200, 1),  # the verb's own permission decides
    "moderation:players_export": (EXPORTERS, 200, 200, 1),
    "moderation:player_export": (LEADERS, 200, 200, 1),
    "moderation:new_reason": (LEADERS, 303, 200, 1),
    "moderation:ban_new": (LEADERS, 303, 200, 1),
    "games:upload": (PUBLISHERS, 422, 422, 0),  # there is no zip in it
    **routesapart.POSTS,
}
ON_PLAYERS = {"moderation:player", "moderation:ban", "moderation:unban", "moderation:warn", "moderation:note"}
HIDDEN = exportroutes.HIDDEN  # 404 for those who may open some, but not this one
ON_PLAYERS |= {"moderation:strike", "moderation:edit", "moderation:reveal", "moderation:player_export"}
ALONE = {
    "moderation:connect",
    "console:tokens",
    "console:new_token",
    "console:ledger",
    "console:ledger_panel",
    "console:export",
    "console:staff",
    "console:staff_invite",
    "console:dashboard",
    "console:live",
    "console:preferences",
    *routesapart.ALONE,
    "moderation:comments",
    "moderation:panel",
    "moderation:suggest",
    "moderation:bulk",
    "moderation:bans",
    "moderation:bans_panel",
    "moderation:ban_new",
    "moderation:ban_reach",
    "moderation:reasons",
    "moderation:new_reason",
    "moderation:players",
    "moderation:players_panel",
    "moderation:players_export",
    "games:games",
    "games:panel",
    "games:upload",
    "games:authors",
}
ON_BANS = {"moderation:ban_detail", "moderation:ban_approve", "moderation:ban_change", "moderation:ban_lift"}
ON_REASONS = {f"moderation:{name}" for name in ("reason", "edit_reason", "retire_reason", "restore_reason")}
ON_TOKENS = {"console:token", "console:revoke_token"}
ON_GAMES = {"games:game": Game.DRAFT, "games:publish": Game.DRAFT, "games:archive": Game.DRAFT}
ON_GAMES |= {"games:unpublish": Game.PUBLISHED, "games:restore": Game.ARCHIVED}
ON_BUILDS = {"games:retry": Build.FAILED, "games:cancel": Build.UNPACKED}
PAGES_OF_BUILDS = ("games:build", "games:picture", "games:play")
ON_BUILDS |= dict.fromkeys((*PAGES_OF_BUILDS, "games:reject", "games:request_changes"), Build.READY)
PICTURE = "pictures/test.webp"
MAILS = {"moderation:mails", "moderation:mail_example"}
MATRIX |= {name: {"ann", "olga"} for name in sorted(MAILS)} | {"console:traffic": {"lea", "ann", "olga"}}
ALONE |= MAILS | {"console:traffic"}
CAST = ["moses", "lea", "rita", "ann", "olga", "sam", "nora"]


def routes(resolver=None, prefix=""):
    """Every route as `(qualified name, view)`, but Django's admin and the API, with doors and tests of their own."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLPattern):
            yield prefix + (pattern.name or str(pattern.pattern)), pattern.callback
        elif pattern.namespace not in ("admin", "api"):
            yield from routes(pattern, f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix)


def address(name, lea, person=None):
    asks = (person or lea).user  # fields that look things up are drawn for one person
    if name in ALONE:
        return reverse(name)
    if name in routesapart.MATRIX:
        return routesapart.address(name, lea.user)
    if name == "moderation:options":
        form = CommentFilter({}, whole=True).form
        let_ask(form, asks)
        str(form["players"])  # drawing the field makes it known to its lookups
        return f"{reverse(name)}?term=ad&field_id={form.fields['players'].widget.field_id}"
    if name in ON_PLAYERS:
        player = make_player()
        if name == "moderation:unban":
            verbs.get("player.ban")(player, by=lea.user, reason="spam")
        return reverse(name, args=[player.pk])
    if name in ON_BANS:
        return reverse(name, args=[make_network_ban(held=name == "moderation:ban_approve").pk])
    if name == "games:options":
        form = UploadForm(by=asks)
        str(form["game"])
        return f"{reverse(name)}?term=ne&field_id={form.fields['game'].widget.field_id}"
    if name in ON_GAMES:
        build = make_build()
        build.game.status = ON_GAMES[name]
        build.game.save()
        return reverse(name, args=[build.game_id])
    if name in ON_BUILDS:
        build = make_build(ON_BUILDS[name], thumbnail=PICTURE)
        if not default_storage.exists(PICTURE):
            default_storage.save(PICTURE, ContentFile(b"picture"))
        return reverse(name, args=[build.pk])
    if name.startswith("console:staff_") and name != "console:staff_member":
        return reverse(name, args=[target_account(verbs.get(name.replace("console:staff_", "staff."))).pk])
    if name == "console:staff_member":
        return reverse(name, args=[lea.user.pk])
    if name in ON_TOKENS:
        make_token("bans:read")
        return reverse(name, args=[Token.objects.latest("pk").pk])
    if name in ON_REASONS:
        return reverse(name, args=[make_reason(is_active=name != "moderation:restore_reason").pk])
    comment = make_comment()
    if name in ("console:undo", "console:entry"):
        outcome = verbs.get("comment.approve")(comment, by=lea.user)
        entry = outcome.gesture.entries.get()
        return entry.get_undo_url() if name == "console:undo" else entry.get_absolute_url()
    return reverse(name, args=[comment.pk])


@pytest.fixture
def cast(request, lea):
    return {who: request.getfixturevalue(who) for who in CAST}


@pytest.fixture(autouse=True)
def _switched_on(db):
    with override_flag("bulk_actions", active=True):
        yield


@contextmanager
def forgotten():
    """What happens inside has not happened afterwards: each role finds things as they were."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def sent(name):
    """What a good form of this page posts."""
    kinds = [(ON_PLAYERS, Player), (ON_BANS, Ban), (ON_GAMES, Game), (ON_BUILDS, Build), (ON_REASONS, Reason)]
    kinds += [(ON_TOKENS, Token), (exportroutes.ON_EXPORTS, Export)]
    model = next((model for names, model in kinds if name in names), Comment)
    model = User if name.startswith("console:staff_") else model
    newest = model.objects.order_by("id").last()
    version = 0 if name in POSTS or newest is None else newest.version
    data = undo_form(version=version, reason="spam", note="why", expires="1d", next="/manage/comments/")
    data |= {"label": "Something new", "position": 5, "username": "kit", "code": "new", "network": "198.51.100.7"}
    data |= {"login": "lou", "email": "lou@mail.example", "roles": ["Senior"], "theme": "dark", "density": ""}
    data |= {"name": "Portal", "scopes": ["bans:read"], "days": "30"}
    data |= routesapart.sent(name)
    if name == "moderation:player_export":
        data["format"] = "json"
    if name == "moderation:bulk":
        data |= {"verb": "comment.approve", "selected": f"{make_comment().pk}:0"}
    return data


def takes_post(view):
    return issubclass(view.view_class, VerbView) or hasattr(view.view_class, "post")


VIEWS = dict(routes())


def test_every_route_is_in_the_matrix_or_named_as_open():
    for name, view in VIEWS.items():
        if name not in PUBLIC | PUBLIC_ACCOUNTS | OWN_ACCOUNT:
            assert issubclass(view.view_class, ConsoleView), f"{name} is no console view; say who may open it"
            assert name in MATRIX, f"say in MATRIX who may open {name}"
            if takes_post(view) and not issubclass(view.view_class, VerbView):
                assert name in POSTS, f"say in POSTS who may send {name} what"
    assert set(MATRIX) | PUBLIC | PUBLIC_ACCOUNTS | OWN_ACCOUNT >= set(VIEWS) >= set(MATRIX) | set(POSTS)


def test_only_the_allowed_routes_are_public():
    public = {name for name, view in VIEWS.items() if not getattr(view, "login_required", True)}
    assert public <= PUBLIC | PUBLIC_ACCOUNTS


@pytest.mark.parametrize("name", sorted(OWN_ACCOUNT))
def test_nobody_has_no_account_to_change(nobody, db, name):
    for method in (nobody.get, nobody.post):
        assert method(own(name)).status_code == 302
        assert method(own(name), htmx=True).status_code == 401


def own(name):
    return reverse(name, args=[1] if name in OWN_KEYS else [])


def may_read(who, name):
    """Whether they hold the page's permission; of a hidden page, what it shows may still be none of theirs."""
    return who in MATRIX[name] or (name in HIDDEN and who in STAFF)


@pytest.mark.parametrize("name", MATRIX)
def test_each_role_opens_what_it_may_and_nothing_else(cast, nobody, name):
    url = address(name, cast["lea"])
    for who, person in cast.items():
        url = address(name, cast["lea"], person) if name.endswith(":options") else url
        for htmx in (False, True):
            status = person.get(url, htmx=htmx).status_code
            if who in MATRIX[name]:
                assert status in (200, 303), who
            else:
                assert status == (404 if may_read(who, name) else 403), who
        assert person.put(url).status_code == 405, who
    for method in (cast["olga"].patch, cast["olga"].delete, cast["olga"].trace):
        assert method(url).status_code == 405
    assert nobody.put(url).status_code == 405
    for method in (nobody.get, nobody.post, nobody.options):
        assert method(url)["Location"].startswith("/accounts/login/")
        assert method(url, htmx=True).status_code == 401


@pytest.mark.parametrize("name", MATRIX)
def test_each_role_does_what_it_may_and_nothing_else(cast, name):
    allowed, plain, partial, gestures = POSTS.get(name, (MATRIX[name], 303, 200, 1))
    for who, person in cast.items():
        for htmx in (False, True):
            with forgotten():
                url, data = address(name, cast["lea"]), sent(name)
                before = Gesture.objects.count()
                status = person.post(url, data, htmx=htmx).status_code
                did = Gesture.objects.count() - before
            if not takes_post(VIEWS[name]):
                assert (status, did) == (405 if may_read(who, name) else 403, 0), who
            elif name == "moderation:player_export" and who == "ann":
                assert (status, did) == (422, 0), "whoever sees addresses masked has them shown first, with a reason"
            elif who in allowed:
                assert (status, did) == (partial if htmx else plain, gestures), who
            else:
                assert (status, did) == (404 if name in HIDDEN and may_read(who, name) else 403, 0), who


@pytest.mark.parametrize("name", sorted(MATRIX.keys() | {"account_login", "account_logout", *OWN_ACCOUNT}))
def test_nothing_is_taken_from_a_form_without_the_token(lea, olga, name):
    url, data = address(name, lea) if name in MATRIX else own(name), sent(name)
    before = Gesture.objects.count()
    for user in (lea.user, olga.user, None):
        for htmx in (False, True):
            status = Person(user, enforce_csrf_checks=True).post(url, data, htmx=htmx).status_code
            # an upload's token is looked at as the body arrives: by then it is known who sends it
            unknown = name == "games:upload" and user is None
            assert status == (401 if unknown else 403)
    assert Gesture.objects.count() == before


@pytest.mark.parametrize("name", ["comment.approve", "comment.reject", "player.ban"])
@pytest.mark.parametrize("who", CAST)
def test_a_bulk_takes_the_permission_of_its_verb(request, db, who, name):
    comment = make_comment()
    data = undo_form(selected=f"{comment.pk}:0", verb=name, reason="spam", expires="1d", next="/manage/comments/")
    status = request.getfixturevalue(who).post("/manage/comments/bulk/", data).status_code
    assert status == (303 if who in DECIDERS else 403)
    assert Gesture.objects.count() == (who in DECIDERS)
