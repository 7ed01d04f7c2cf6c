"""How allauth behaves here: staff accounts are made by operators, addresses come from our one function."""

import logging

from allauth.account import urls
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django.core.exceptions import ValidationError

from console import prepared, sign_ins
from console.clientip import client_ip
from console.models import User

# What staff need of allauth now; the rest is not routed, so that nothing is reachable which nobody looked at.
ROUTED = {
    "account_login",
    "account_logout",
    "account_signup",  # says that it is closed
    "account_inactive",
    "account_change_password",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "account_reauthenticate",
}
urlpatterns = [pattern for pattern in urls.urlpatterns if pattern.name in ROUTED]
log = logging.getLogger(__name__)


# one statement for what Django asks four times on every request: the person, their rights, their groups
_PERSON = f"""
    SELECT {prepared.columns_of(User, "u")},
        ARRAY(
            SELECT t.app_label || '.' || p.codename FROM console_user_user_permissions given
            JOIN auth_permission p ON p.id = given.permission_id JOIN django_content_type t ON t.id = p.content_type_id
            WHERE given.user_id = u.id
        ) AS own_rights,
        ARRAY(
            SELECT t.app_label || '.' || p.codename FROM console_user_groups mine
            JOIN auth_group_permissions given ON given.group_id = mine.group_id
            JOIN auth_permission p ON p.id = given.permission_id JOIN django_content_type t ON t.id = p.content_type_id
            WHERE mine.user_id = u.id
        ) AS group_rights,
        (
            SELECT json_agg(json_build_array(g.id, g.name) ORDER BY g.id)
            FROM console_user_groups mine JOIN auth_group g ON g.id = mine.group_id WHERE mine.user_id = u.id
        ) AS their_groups
    FROM console_user u WHERE u.id = %s
"""


class StaffBackend(AuthenticationBackend):
    """allauth's, loading a signed-in person with everything that is asked about them, afresh on every request."""

    def get_user(self, user_id):
        user, rest = prepared.load(User, _PERSON, [user_id])
        if user is None or not self.user_can_authenticate(user):
            return None
        own, of_groups, groups = rest
        if not user.is_superuser:  # who has every right there is
            user._user_perm_cache, user._group_perm_cache = set(own), set(of_groups)  # where ModelBackend looks first
        user.group_names = dict(groups or [])
        return user


class StaffAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request):
        return False

    def get_client_ip(self, request):
        return client_ip(request)

    def pre_authenticate(self, request, **credentials):
        """Before the password is looked at: whoever is turned away learns nothing about it."""
        super().pre_authenticate(request, **credentials)
        if words := sign_ins.refusal(request):
            raise ValidationError(words)

    def send_mail(self, *args, **kwargs):
        """A mail server that is down must not turn a request into an error, nor tell who has an account."""
        try:
            super().send_mail(*args, **kwargs)
        except OSError as error:
            log.warning("A mail could not be sent: %s", error)

    def add_message(self, *args, **kwargs):
        """allauth's greetings would stand above the work; signing in shows that it worked."""
