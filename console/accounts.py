"""How allauth behaves here: staff accounts are made by operators, addresses come from our one function, and every way
in passes the same doors.
"""

import logging

from allauth.account import app_settings, urls
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.stagekit import clear_login
from allauth.account.utils import user_pk_to_url_str
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import include, path, reverse
from django.utils.crypto import constant_time_compare

from console import devices, freshness, lockout, mail, prepared, sessions, signins
from console.clientip import client_ip
from console.errors import answer
from console.models import User
from console.secondfactor import RemovePasskey
from console.sessionspage import SessionsPage

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
urlpatterns += [
    path("2fa/webauthn/keys/<int:pk>/remove/", RemovePasskey.as_view(), name="mfa_remove_webauthn"),
    path("2fa/", include("allauth.mfa.urls")),
    path("sessions/", SessionsPage.as_view(), name="account_sessions"),
]
BEGUN = "console.accounts.begun"  # in a session: stands for the password that a sign-in began with
CHANGES = {
    "password_changed": "The password was changed",
    "password_reset": "The password was reset",
    "totp_activated": "An authenticator app was set up",
    "totp_deactivated": "The authenticator app was switched off",
    "webauthn_added": "A passkey was added",
    "webauthn_removed": "A passkey was removed",
    "recovery_codes_generated": "New recovery codes were made",
}
NO_MATCH = "The login or the password is not correct."
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
        ) AS their_groups,
        EXISTS (SELECT FROM mfa_authenticator a WHERE a.user_id = u.id AND a.type IN ('totp', 'webauthn')) AS factor
    FROM console_user u WHERE u.id = %s
"""


class StaffBackend(AuthenticationBackend):
    """allauth's, loading a signed-in person with everything that is asked about them, afresh on every request."""

    def get_user(self, user_id):
        user, rest = prepared.load(User, _PERSON, [user_id])
        if user is None or not self.user_can_authenticate(user):
            return None
        own, of_groups, groups, user.has_second_factor = rest
        if not user.is_superuser:  # who has every right there is
            user._user_perm_cache, user._group_perm_cache = set(own), set(of_groups)  # where ModelBackend looks first
        user.group_names = dict(groups or [])
        return user


class StaffAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": NO_MATCH,
        "email_password_mismatch": NO_MATCH,
        "incorrect_password": "That is not your password.",
        "enter_current_password": "That is not your password.",
    }

    def is_open_for_signup(self, request):
        return False

    def get_client_ip(self, request):
        return client_ip(request) or sessions.NOWHERE

    def _get_login_attempts_cache_key(self, request, **credentials):
        """Failures count for a login from one place: from elsewhere nobody is kept out by them."""
        return lockout.place_of(request, credentials)

    def pre_authenticate(self, request, **credentials):
        """Before the password is looked at: whoever is turned away learns nothing about it."""
        super().pre_authenticate(request, **credentials)
        if words := signins.refusal(request) or lockout.refusal(request, credentials):
            raise ValidationError(words)

    def pre_login(self, request, user, **kwargs):
        """Passkeys come this way only."""
        if words := signins.refusal(request, user):
            raise ImmediateHttpResponse(answer(request, 403, words, "Not from here"))
        request.session[BEGUN] = user.get_session_auth_hash()
        return super().pre_login(request, user, **kwargs)

    def login(self, request, user):
        """Raises ImmediateHttpResponse to whoever began with a password that was replaced before the second factor
        came, or was deactivated meanwhile.
        """
        begun = request.session.pop(BEGUN, "")
        if not user.is_active or not constant_time_compare(begun, user.get_session_auth_hash()):
            clear_login(request)
            raise ImmediateHttpResponse(HttpResponseRedirect(resolve_url("account_login")))
        super().login(request, user)

    def post_login(self, request, user, **kwargs):
        """Signed in, with all that it takes."""
        known = devices.is_known(request, user)
        response = super().post_login(request, user, **kwargs)
        devices.remember(request, response, user)
        if not known:
            signins.tell_of_new_device(request, user)
        return response

    def get_reauthentication_methods(self, user):
        """In our words."""
        words = {"mfa_reauthenticate": "Use a code instead", "mfa_reauthenticate:webauthn": "Use a passkey instead"}
        words |= {"reauthenticate": "Use your password instead"}
        found = super().get_reauthentication_methods(user)
        return [each | {"description": words.get(each["id"], each["description"])} for each in found]

    def is_reauthentication_required(self, *, app, **kwargs):
        """Whoever signed in just now need not say it twice."""
        return not freshness.is_fresh(context.request)

    def send_password_reset_mail(self, user, email, context):
        """By a worker, which also makes the token: no job holds one, and answers tell nobody who has an account."""
        mail.post("password_reset", user.pk, site=mail.site_of(context["request"]))

    def send_notification_mail(self, template_prefix, user, context=None, email=None):
        """That a password or second factor has changed."""
        what = template_prefix.rpartition("/")[2]
        if what in CHANGES and user.email:
            mail.post("account_changed", user.pk, what=what, site=mail.site_of(self.request))

    def send_mail(self, *args, **kwargs):
        """What allauth sends by itself. A mail server that is down must not turn a request into an error."""
        try:
            super().send_mail(*args, **kwargs)
        except OSError as error:
            log.warning("A mail could not be sent: %s", type(error).__name__)

    def add_message(self, *args, **kwargs):
        """allauth's greetings would stand above the work; signing in shows that it worked."""


def change_words(user, what, site):
    """For the mail about a change of the account."""
    return {"words": CHANGES[what]}


def reset_link(user, site):
    """For the mail about a forgotten password. The token dies with the password it replaces."""
    token = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    key = {"uidb36": user_pk_to_url_str(user), "key": token}
    path = reverse("account_reset_password_from_key", kwargs=key)
    return {"link": site + path, "hours": settings.PASSWORD_RESET_TIMEOUT // 3600}


def setup():
    """Once, when the console is ready."""
    mail.register("password_reset", reset_link)
    mail.register("account_changed", change_words)
