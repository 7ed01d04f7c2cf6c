"""What operators do to accounts: it holds from the next request, and nobody is left without an operator."""

import io
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.utils import timezone

from console import ledger, roles, staffactions
from console.emergency import CHANGED_HERE
from console.ledger import Conflict
from console.models import Entry, Gesture, User
from console.testing import Person, form, make_user, undo_form
from console.undo import undo

LIST = "/manage/staff/"
pytestmark = pytest.mark.usefixtures("noted_sessions")


def fresh(person):
    return User.objects.get(pk=person.user.pk)


def url(person, verb):
    return f"{LIST}{person.user.pk}/{verb}/"


def do(by, verb, person, htmx=False, **fields):
    """The verb by way of its form; the answer's status."""
    return by.post(url(person, verb), form(fresh(person), note="why", **fields), htmx=htmx).status_code


def factor(person, kind=Authenticator.Type.TOTP):
    return Authenticator.objects.create(user=person.user, type=kind, data={})


@pytest.fixture
def otto(db):
    """A second operator."""
    return Person(make_user("otto", is_superuser=True))


@pytest.mark.parametrize("htmx", [False, True])
def test_groups_hold_from_the_next_request_without_signing_in_again(olga, sam, htmx):
    assert sam.get("/manage/ledger/").status_code == 403
    assert do(olga, "groups", sam, htmx, roles=[roles.AUDITOR]) == (200 if htmx else 303)
    assert sam.get("/manage/ledger/").status_code == 200
    assert do(olga, "groups", sam, htmx, roles=[]) == (200 if htmx else 303)
    assert sam.get("/manage/ledger/").status_code == 403


def test_groups_are_recorded_and_undone(olga, moses):
    do(olga, "groups", moses, roles=[roles.SENIOR, roles.BETA])
    entry = Entry.objects.get()
    assert (entry.before, entry.after) == ({"roles": ["Moderator"]}, {"roles": ["Beta", "Senior"]})
    assert moses.get("/manage/ledger/export/").status_code == 200
    assert olga.post(entry.get_undo_url(), undo_form()).status_code == 303
    assert moses.get("/manage/ledger/export/").status_code == 403
    assert [group.name for group in moses.user.groups.all()] == ["Moderator"]


def test_the_same_groups_again_change_nothing(olga, moses):
    assert do(olga, "groups", moses, roles=[roles.MODERATOR]) == 303
    assert Gesture.objects.count() == 0


def test_a_group_that_does_not_exist_is_refused(olga, moses):
    assert do(olga, "groups", moses, roles=["Emperor"]) == 422
    assert fresh(moses).roles == [roles.MODERATOR]


def test_roles_follow_whoever_else_changes_groups(moses):
    moses.user.groups.add(Group.objects.get(name=roles.BETA))
    assert fresh(moses).roles == [roles.BETA, roles.MODERATOR]
    Group.objects.get(name=roles.MODERATOR).user_set.remove(moses.user)
    assert fresh(moses).roles == [roles.BETA]
    moses.user.groups.clear()
    assert fresh(moses).roles == []


def sessions(person):
    return Session.objects.filter(session_key=person.session.session_key).count()


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("verb", ["deactivate", "end_sessions"])
def test_sessions_end_at_once_everywhere_and_others_stay(olga, lea, moses, verb, htmx):
    elsewhere = Person(moses.user)
    assert do(olga, verb, moses, htmx) == (200 if htmx else 303)
    for browser in (moses, elsewhere):
        assert sessions(browser) == 0
        assert browser.get("/manage/").status_code == 302
    assert lea.get("/manage/").status_code == 200


def test_who_is_reactivated_signs_in_anew(olga, moses):
    do(olga, "deactivate", moses)
    assert do(olga, "reactivate", moses) == 303
    assert moses.get("/manage/").status_code == 302
    assert Person(fresh(moses)).get("/manage/").status_code == 200


def test_undo_of_a_reactivation_ends_sessions_too(olga, moses):
    do(olga, "deactivate", moses)
    do(olga, "reactivate", moses)
    again = Person(fresh(moses))
    olga.post(Entry.objects.latest("id").get_undo_url(), undo_form())
    assert sessions(again) == 0


def test_a_new_operator_may_everything_on_the_next_request_and_no_more_when_it_is_taken(olga, moses):
    assert moses.get(LIST).context.get("manages") is None
    do(olga, "promote", moses)
    assert moses.get(LIST).context["manages"]
    do(olga, "demote", moses)
    assert moses.get(url(olga, "deactivate")).status_code == 403


@pytest.mark.parametrize("verb", ["deactivate", "demote"])
def test_nobody_does_it_to_themselves(olga, otto, verb):
    assert do(olga, verb, olga) == 403
    assert fresh(olga).is_superuser
    assert fresh(olga).is_active
    assert Gesture.objects.count() == 0
    assert f"/{olga.user.pk}/{verb}/" not in olga.get(f"{LIST}{olga.user.pk}/").text


@pytest.mark.parametrize("verb", [staffactions.deactivate, staffactions.demote])
def test_the_last_operator_stays(olga, otto, verb):
    verb(fresh(otto), by=olga.user)
    with pytest.raises(PermissionDenied, match="nobody would be left"):
        verb(fresh(olga), by=None)
    assert fresh(olga).is_superuser


@pytest.mark.parametrize("verb", [staffactions.deactivate, staffactions.demote])
def test_two_operators_who_remove_each_other_at_once_leave_one(committed_db, verb):
    two = [make_user(login, is_superuser=True) for login in ("olga", "otto")]

    def remove(pair):
        by, whom = pair
        try:
            with transaction.atomic():
                verb(User.objects.get(pk=whom.pk), by=by)
                deadline = time.monotonic() + 1
                while time.monotonic() < deadline and not somebody_waits():
                    time.sleep(0.01)
        except PermissionDenied:
            return "refused"
        finally:
            connections.close_all()
        return "done"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(remove, [two, two[::-1]])) == ["done", "refused"]
    assert User.objects.filter(is_superuser=True, is_active=True).count() == 1


def somebody_waits():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0


@pytest.mark.parametrize("verb", ["deactivate", "demote", "groups"])
def test_seniors_undo_others_but_nothing_about_staff(olga, lea, otto, verb):
    do(olga, verb, otto, roles=[roles.SENIOR])
    entry = Entry.objects.latest("id")
    assert lea.user.has_perm("console.undo_gesture")
    assert lea.post(entry.get_undo_url(), undo_form()).status_code == 403
    with pytest.raises(Conflict, match="only an operator may change that"):
        undo(entry.batch, by=lea.user)
    assert Gesture.objects.count() == 1


def test_undo_takes_the_operator_role_from_nobody_who_would_be_the_last(olga, otto):
    staffactions.demote(fresh(otto), by=olga.user)
    promoted = staffactions.promote(fresh(otto), by=olga.user).gesture
    staffactions.demote(fresh(olga), by=otto.user)
    with pytest.raises(Conflict, match="nobody takes that from themselves"):
        undo(promoted, by=fresh(otto))
    assert fresh(otto).is_superuser


def test_a_stale_form_is_a_409_that_keeps_what_was_typed(olga, otto, moses):
    seen = form(fresh(moses), roles=[roles.SENIOR], note="she leads now")
    do(otto, "groups", moses, roles=[roles.AUDITOR])
    response = olga.post(url(moses, "groups"), seen)
    assert response.status_code == 409
    assert "otto changed the groups of this account" in response.text
    assert "she leads now" in response.text
    assert fresh(moses).roles == [roles.AUDITOR]


def test_who_is_no_staff_is_not_found(olga, nora):
    for verb in ("deactivate", "groups", "promote", "end_sessions"):
        assert olga.get(url(nora, verb)).status_code == 404
        assert do(olga, verb, nora, roles=[roles.SENIOR]) == 404
    assert fresh(nora).is_active


def test_a_reset_waits_for_another_operator(olga, otto, moses):
    factor(moses)
    factor(moses, Authenticator.Type.RECOVERY_CODES)
    assert do(olga, "ask_reset", moses) == 303
    assert Authenticator.objects.count() == 2, "asking changes nothing"
    assert do(olga, "approve_reset", moses) == 403
    assert Authenticator.objects.count() == 2
    assert moses.get("/manage/").status_code == 200
    assert "asked to reset the second factor of <bdi>moses" in otto.get(LIST).text
    assert do(otto, "approve_reset", moses) == 303
    assert Authenticator.objects.count() == 0
    assert sessions(moses) == 0
    entry = Entry.objects.latest("id")
    assert (entry.verb, entry.actor, entry.before["reset_asked_by"]) == (
        "staff.approve_reset",
        otto.user,
        olga.user.pk,
    )


def test_nobody_approves_their_own_reset(olga, otto):
    factor(otto)
    do(olga, "ask_reset", otto)
    assert do(otto, "approve_reset", otto) == 403
    assert "it is your own second factor" in otto.get(f"{LIST}{otto.user.pk}/").text
    assert Authenticator.objects.count() == 1


def test_a_request_to_reset_is_taken_back_by_undo_and_runs_out_after_a_day(olga, otto, moses):
    factor(moses)
    do(olga, "ask_reset", moses)
    otto.post(Entry.objects.latest("id").get_undo_url(), undo_form())
    assert do(otto, "approve_reset", moses) == 409
    do(olga, "ask_reset", moses)
    User.objects.filter(pk=moses.user.pk).update(reset_asked_at=timezone.now() - timedelta(days=1))
    assert do(otto, "approve_reset", moses) == 409
    assert Authenticator.objects.count() == 1


def test_nobody_asks_again_in_the_name_of_who_took_it_back(olga, otto, moses):
    factor(moses)
    do(otto, "ask_reset", moses)
    otto.post(Entry.objects.latest("id").get_undo_url(), undo_form())
    taken_back = Entry.objects.latest("id").get_undo_url()
    assert olga.post(taken_back, undo_form()).status_code == 409
    assert do(olga, "approve_reset", moses) == 409
    assert Authenticator.objects.count() == 1
    assert otto.post(taken_back, undo_form()).status_code == 303
    assert do(olga, "approve_reset", moses) == 303


def test_only_operators_give_an_operator_the_account_back_also_by_undo(olga, otto, moses):
    moses.user.user_permissions.add(Permission.objects.get(codename="manage_staff"))
    do(olga, "deactivate", otto)
    entry = Entry.objects.latest("id")
    moses.user.user_permissions.add(Permission.objects.get(codename="undo_gesture"))
    assert moses.post(entry.get_undo_url(), undo_form()).status_code == 409
    assert not fresh(otto).is_active


def test_a_reset_says_why_and_needs_something_to_reset(olga, moses):
    assert "Reset second factor" not in olga.get(f"{LIST}{moses.user.pk}/").text
    assert do(olga, "ask_reset", moses) == 409
    factor(moses)
    assert olga.post(url(moses, "ask_reset"), form(fresh(moses), note="")).status_code == 422
    assert Gesture.objects.count() == 0


def test_with_one_operator_the_server_resets(olga):
    factor(olga)
    out = io.StringIO()
    call_command("reset_second_factor", "olga", stdout=out)
    assert "olga has no second factor any more" in out.getvalue()
    assert Authenticator.objects.count() == sessions(olga) == 0
    assert (Entry.objects.get().actor, Entry.objects.get().verb) == (None, "staff.reset_factor")


@pytest.mark.parametrize(("login", "code"), [("nobody", 2), ("old", 1)])
def test_the_command_says_what_is_wrong(db, login, code):
    make_user("old", is_active=False)
    with pytest.raises(CommandError) as error:
        call_command("reset_second_factor", login)
    assert error.value.returncode == code
    assert Entry.objects.count() == 0


def logins(person, query):
    return [each.username for each in person.get(f"{LIST}?{query}").context["rows"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("group=Senior", ["lea"]),
        ("group=operator", ["olga"]),
        ("group=none", ["kit", "olga", "sam"]),
        ("status=active", ["lea", "moses", "olga", "sam"]),
        ("status=invited", ["kit"]),
        ("status=deactivated", ["rita"]),
        ("factor=yes", ["lea"]),
        ("factor=no&group=Moderator", ["moses"]),
        ("group=Emperor", []),
    ],
)
def test_operators_narrow_the_list(olga, lea, moses, sam, rita, query, found):
    make_user("kit", is_active=False, invited_until=timezone.now())
    User.objects.filter(pk=rita.user.pk).update(is_active=False)
    factor(lea)
    factor(moses, Authenticator.Type.RECOVERY_CODES)  # alone they are none
    assert logins(olga, query) == found


def test_who_has_a_second_factor_is_for_operators_to_know(olga, lea, moses):
    factor(moses)
    assert "second factor" in olga.get(LIST).text
    assert "second factor" not in lea.get(LIST).text.lower()
    assert logins(lea, "factor=yes") == ["lea", "moses", "olga"]
    page = lea.get(f"{LIST}{moses.user.pk}/").text
    assert "Second factor" not in page
    assert "Done to this account" not in page


def test_emergency_access_changes_nothing_that_leaves_no_entry(olga, moses, rf):
    request = rf.get("/admin/")
    request.user = olga.user
    for model, each in admin.site._registry.items():
        asked = each.has_add_permission, each.has_change_permission, each.has_delete_permission
        allowed = {may(request) for may in asked}
        assert allowed == {model._meta.label in CHANGED_HERE}, model
    assert Authenticator not in admin.site._registry
    for path in (f"user/{moses.user.pk}/change/", f"user/{moses.user.pk}/password/", "user/add/"):
        assert olga.post(f"/admin/console/{path}", {"is_superuser": "on", "password1": "x"}).status_code == 403
    assert not fresh(moses).is_superuser


def test_what_was_done_to_an_account_is_told_on_its_page(olga, moses):
    do(olga, "groups", moses, roles=[roles.SENIOR])
    page = " ".join(olga.get(f"{LIST}{moses.user.pk}/").text.split())
    assert "changed the groups of <bdi>account moses</bdi>" in page
    assert "“why”" in page
    assert Entry.objects.get().get_undo_url() in page


def test_every_verb_on_accounts_asks_for_the_password_anew():
    for verb in (*staffactions.BY_HAND, staffactions.invite):
        assert verb.fresh, verb.name
        assert verb.permission == "console.manage_staff"


def test_the_ledger_names_accounts(olga, moses):
    do(olga, "deactivate", moses)
    assert ledger.describe(fresh(moses)) == "moses"
    assert "deactivated <bdi>account moses</bdi>" in olga.get("/manage/ledger/").text
