"""Every address: guarded by sign-in, a permission and a role, whether or not somebody remembered to."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import Http404
from django.urls import URLPattern, get_resolver, reverse
from waffle.testutils import override_flag

from console import verbs
from console.base import ConsoleView
from console.models import Gesture
from console.testing import steady, undo_form
from games.models import Build, Game
from games.testing import make_build
from games.upload import UploadForm
from moderation.filters import CommentFilter
from moderation.models import Ban, Comment, Player, Reason
from moderation.testing import make_comment, make_network_ban, make_player, make_reason

# what anybody may ask for: sign-in and its kin; /healthz and /readyz are answered before routing
PUBLIC = {"root", "favicon"}
PUBLIC_ACCOUNTS = {
    "account_login",
    "account_signup",
    "account_logout",
    "account_inactive",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
}
# page → who may open it; everybody else gets 403
READERS = {"moses", "lea", "ann", "olga"}
DECIDERS = {"moses", "lea", "olga"}
STAFF = READERS | {"rita"}
LEADERS = {"lea", "olga"}
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
}
ON_PLAYERS = {"moderation:player", "moderation:ban", "moderation:unban", "moderation:warn", "moderation:note"}
HIDDEN = {"console:entry", "console:staff_member"}  # 404 for those who may open some, but not this one
ON_PLAYERS |= {"moderation:strike", "moderation:edit"}
ALONE = {
    "console:ledger",
    "console:ledger_panel",
    "console:export",
    "console:staff",
    "console:dashboard",
    "console:live",
    "console:preferences",
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
DOES = ("approve", "reject", "ban", "unban", "warn", "strike", "note", "edit", "ban_approve", "ban_change", "ban_lift")
ON_BANS = {"moderation:ban_detail", "moderation:ban_approve", "moderation:ban_change", "moderation:ban_lift"}
REASONS_DO = ("moderation:edit_reason", "moderation:retire_reason", "moderation:restore_reason")
ON_REASONS = {"moderation:reason", *REASONS_DO}
ON_GAMES = {"games:game": Game.DRAFT, "games:publish": Game.DRAFT, "games:archive": Game.DRAFT}
ON_GAMES |= {"games:unpublish": Game.PUBLISHED, "games:restore": Game.ARCHIVED}
ON_BUILDS = {"games:retry": Build.FAILED, "games:cancel": Build.UNPACKED}
PAGES_OF_BUILDS = ("games:build", "games:picture", "games:play")
ON_BUILDS |= dict.fromkeys((*PAGES_OF_BUILDS, "games:reject", "games:request_changes"), Build.READY)
GAMES_DO = [name for name in [*ON_GAMES, *ON_BUILDS] if name not in ("games:game", *PAGES_OF_BUILDS)]
PICTURE = "pictures/test.webp"
CAST = ["moses", "lea", "rita", "ann", "olga", "sam", "nora"]


def routes(resolver=None, prefix=""):
    """Every route as `(qualified name, view)`, Django's admin left out: its site has its own door and test."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLPattern):
            yield prefix + (pattern.name or str(pattern.pattern)), pattern.callback
        elif pattern.namespace != "admin":
            yield from routes(pattern, f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix)


def address(name, lea):
    if name in ALONE:
        return reverse(name)
    if name == "moderation:options":
        form = CommentFilter({}, whole=True).form
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
        form = UploadForm()
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
    if name == "console:staff_member":
        return reverse(name, args=[lea.user.pk])
    if name in ON_REASONS:
        return reverse(name, args=[make_reason(is_active=name != "moderation:restore_reason").pk])
    comment = make_comment()
    if name in ("console:undo", "console:entry"):
        outcome = verbs.get("comment.approve")(comment, by=lea.user)
        entry = outcome.gesture.entries.get()
        return entry.get_undo_url() if name == "console:undo" else entry.get_absolute_url()
    return reverse(name, args=[comment.pk])


def test_every_console_route_is_a_console_view_in_the_matrix():
    for name, view in routes():
        if name.startswith("account_"):
            continue
        if name not in PUBLIC:
            assert issubclass(view.view_class, ConsoleView), name
            assert name in MATRIX, f"say in MATRIX who may open {name}"


def test_only_the_allowed_routes_are_public():
    public = {name for name, view in routes() if not getattr(view, "login_required", True)}
    assert public <= PUBLIC | PUBLIC_ACCOUNTS


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("name", MATRIX)
def test_nobody_gets_in_without_signing_in(nobody, lea, name, htmx):
    url = address(name, lea)
    for method in (nobody.get, nobody.post):
        response = method(url, htmx=htmx)
        assert response.status_code == (401 if htmx else 302)
        assert htmx or response["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("name", MATRIX)
@pytest.mark.parametrize("who", CAST)
def test_each_role_opens_what_it_may_and_nothing_else(request, lea, who, name, htmx):
    with override_flag("bulk_actions", active=True):
        response = request.getfixturevalue(who).get(address(name, lea), htmx=htmx)
    if who in MATRIX[name]:
        assert response.status_code in (200, 303)
    elif name in HIDDEN and who in STAFF:
        assert response.status_code == 404
    else:
        assert response.status_code == 403


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("name", [*(f"moderation:{verb}" for verb in DOES), *GAMES_DO, *REASONS_DO, "console:undo"])
@pytest.mark.parametrize("who", CAST)
def test_each_role_does_what_it_may_and_nothing_else(request, lea, who, name, htmx):
    person = request.getfixturevalue(who)
    url = address(name, lea)
    before = Gesture.objects.count()
    kinds = [(ON_PLAYERS, Player), (ON_BANS, Ban), (ON_GAMES, Game), (ON_BUILDS, Build), (ON_REASONS, Reason)]
    model = next((model for names, model in kinds if name in names), Comment)
    version = 0 if name == "console:undo" else model.objects.latest("id").version
    data = undo_form(version=version, reason="spam", note="why", expires="1d", next="/manage/comments/")
    data |= {"label": "Something new", "position": 5, "username": "kit"}
    status = person.post(url, data, htmx=htmx).status_code
    allowed = who in MATRIX[name]
    assert status == ((200 if htmx else 303) if allowed else 403)
    assert Gesture.objects.count() == before + allowed


@pytest.mark.parametrize("name", ["comment.approve", "comment.reject", "player.ban"])
@pytest.mark.parametrize("who", CAST)
def test_a_bulk_takes_the_permission_of_its_verb(request, db, who, name):
    comment = make_comment()
    data = undo_form(selected=f"{comment.pk}:0", verb=name, reason="spam", expires="1d", next="/manage/comments/")
    with override_flag("bulk_actions", active=True):
        status = request.getfixturevalue(who).post("/manage/comments/bulk/", data).status_code
    assert status == (303 if who in DECIDERS else 403)
    assert Gesture.objects.count() == (who in DECIDERS)


# they send pages elsewhere, or are none
NO_PAGE = {"console:live", "moderation:suggest", "moderation:options", "moderation:bulk"}
NO_PAGE |= {"moderation:ban_reach", "games:authors", "games:options", "games:picture"}


@pytest.mark.parametrize("name", sorted(MATRIX.keys() - NO_PAGE))
def test_the_fragment_is_part_of_the_page(lea, olga, name):
    person = lea if "lea" in MATRIX[name] else olga
    url = address(name, lea)
    fragment = steady(person.get(url, htmx=True).text).strip()
    assert fragment
    assert "<!DOCTYPE" not in fragment
    assert fragment in steady(person.get(url).text)


@pytest.mark.parametrize("name", MATRIX)
def test_wrong_methods_are_405_or_refused(moses, lea, name):
    for method in (moses.put, moses.delete, moses.patch):
        assert method(address(name, lea)).status_code in (403, 404, 405)


def test_a_view_without_a_permission_cannot_be_routed():
    from django.core.exceptions import ImproperlyConfigured

    class Careless(ConsoleView):
        template_name = "console/dashboard.html"

    with pytest.raises(ImproperlyConfigured, match="names no permission"):
        Careless.as_view()


class Beta(ConsoleView):
    permission_required = "console.enter_console"
    template_name = "console/dashboard.html"
    flag = "a_new_thing"


def test_a_page_behind_a_flag_is_a_404_while_it_is_off(moses, rf):
    request = rf.get("/")
    request.user, request.htmx, request.id = moses.user, False, "r1"
    for on in (False, True):
        with override_flag("a_new_thing", active=on):
            if on:
                assert Beta.as_view()(request).status_code == 200
            else:
                with pytest.raises(Http404):
                    Beta.as_view()(request)
