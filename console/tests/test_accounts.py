"""A signed-in person is loaded by one statement of ours: it must say what Django's own backend says."""

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, Permission

from console import roles
from console.accounts import StaffBackend
from console.models import User
from console.testing import make_user

KINDS = {
    "a moderator": lambda: make_user("moses", roles.MODERATOR),
    "in two groups": lambda: make_user("beta", roles.MODERATOR, roles.BETA),
    "without anything": lambda: make_user("sam"),
    "an operator": lambda: make_user("olga", is_superuser=True),
    "no longer here": lambda: make_user("old", roles.SENIOR, is_active=False),
}


def with_a_right():
    user = make_user("rita", roles.PUBLISHER)
    user.user_permissions.add(Permission.objects.get(codename="ban_network"))
    return user


@pytest.mark.parametrize("kind", [*KINDS, "with a right of their own"])
def test_it_loads_whom_django_loads_with_the_rights_django_finds(db, kind):
    pk = KINDS.get(kind, with_a_right)().pk
    ours, django = StaffBackend().get_user(pk), ModelBackend().get_user(pk)
    assert ours == django
    if django is not None:
        names = {"moderation.ban_network", "moderation.moderate_comment", "console.enter_console", "no.such"}
        for name in names:
            assert StaffBackend().has_perm(ours, name) == ModelBackend().has_perm(User.objects.get(pk=pk), name)
        assert StaffBackend().get_all_permissions(ours) == ModelBackend().get_all_permissions(django)
        assert ours.group_names == dict(django.groups.values_list("pk", "name"))
        assert ours.role == User.objects.get(pk=pk).role


def test_nobody_is_nobody(db):
    assert StaffBackend().get_user(12345) is None


@pytest.mark.parametrize(
    "take",
    [
        lambda user: user.groups.clear(),
        lambda user: Group.objects.get(name=roles.MODERATOR).permissions.clear(),
        lambda user: User.objects.filter(pk=user.pk).update(is_staff=False),
    ],
)
def test_what_is_taken_away_is_gone_on_the_next_request(moses, take):
    assert moses.get("/manage/comments/").status_code == 200
    take(moses.user)
    assert moses.get("/manage/comments/").status_code == 403


def test_who_is_switched_off_is_signed_out_on_the_next_request(moses):
    User.objects.filter(pk=moses.user.pk).update(is_active=False)
    assert moses.get("/manage/comments/").status_code == 302
