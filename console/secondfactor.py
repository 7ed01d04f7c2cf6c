"""The second factor: an authenticator app or a passkey, with recovery codes; staff get nowhere without one."""

import re
from contextlib import contextmanager

from allauth.mfa import signals
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import forms
from allauth.mfa.webauthn.internal.auth import get_state
from allauth.mfa.webauthn.views import RemoveWebAuthnView
from allauth.usersessions.models import UserSession
from cryptography.exceptions import InvalidSignature
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.dispatch import receiver
from django.forms import BooleanField
from django.http import HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.safestring import mark_safe
from fido2.webauthn import UserVerificationRequirement

from console import atrest, sessions
from console.errors import alert
from console.htmx import wants_partial

PURPOSE = "console.secondfactor"
PRIMARY = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
# all that somebody without one may open
ENROLMENT = {
    "mfa_index",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_view_recovery_codes",
    "account_reauthenticate",
    "account_logout",
}
UNREADABLE = "That passkey could not be used. Try again, or sign in another way."
WORDS = "Your account needs a second factor before anything else."


class SecondFactorAdapter(DefaultMFAAdapter):
    """allauth's, with seeds that are worth nothing to somebody who has only the database."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "That code is not right, or was used already. Wait for the next one.",
        "cannot_delete_authenticator": "It is your only second factor. Add another one first, then remove this.",
    }

    def encrypt(self, text):
        return atrest.lock(PURPOSE, text)

    def decrypt(self, encrypted_text):
        """Raises ValidationError, shown on the form, when the secret key has changed meanwhile."""
        try:
            return atrest.unlock(PURPOSE, encrypted_text)
        except atrest.Unreadable:
            raise ValidationError("Your second factor cannot be read any more. Ask an operator to reset it.") from None

    def get_totp_issuer(self):
        return "Attendant"

    def generate_authenticator_name(self, user, type):
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return "Passkey" if number == 1 else f"Passkey {number}"

    def build_totp_svg(self, url):
        """The library's path, squares only, in a frame that can be scanned on a dark page too."""
        drawn = super().build_totp_svg(url)
        path = drawn[drawn.index("<path") : drawn.index("</svg>")]
        side = re.search(r'viewBox="0 0 (\d+) ', drawn)[1]
        return mark_safe(  # noqa: S308
            f'<svg class="qr" viewBox="0 0 {side} {side}" role="img" aria-label="The key, as a picture to scan">'
            f'<rect width="100%" height="100%" fill="#fff"/>{path}</svg>'
        )

    def can_delete_authenticator(self, authenticator):
        if not settings.SECOND_FACTOR_REQUIRED:
            return True
        others = Authenticator.objects.filter(user_id=authenticator.user_id, type__in=PRIMARY)
        return others.exclude(pk=authenticator.pk).exists()


@contextmanager
def _readable():
    """A credential is JSON from anywhere; the library raises whatever comes when it is none."""
    try:
        yield
    except ValidationError:
        raise
    except (LookupError, ValueError, TypeError, AttributeError, InvalidSignature):
        raise ValidationError(UNREADABLE) from None


class _Careful:
    def clean_credential(self):
        with _readable():
            return super().clean_credential()


class LoginForm(_Careful, forms.LoginWebAuthnForm):
    def clean_credential(self):
        """A challenge for passkeys that only come after a password is none for signing in with one alone."""
        if (get_state() or {}).get("user_verification") != UserVerificationRequirement.REQUIRED:
            raise ValidationError(UNREADABLE)
        return super().clean_credential()


class CodeForm(_Careful, forms.AuthenticateWebAuthnForm):
    pass


class ConfirmForm(_Careful, forms.ReauthenticateWebAuthnForm):
    pass


class AddForm(forms.AddWebAuthnForm):
    passwordless = BooleanField(
        label="Sign in with it alone",
        help_text="Without a password: the device asks for your fingerprint, face or PIN.",
        initial=True,
        required=False,
    )

    def clean(self):
        with _readable():
            return super().clean()


class RemovePasskey(RemoveWebAuthnView):
    """allauth's, which would take the last one too."""

    def form_valid(self, form):
        adapter = SecondFactorAdapter()
        if not adapter.can_delete_authenticator(self.get_object()):
            raise PermissionDenied(adapter.error_messages["cannot_delete_authenticator"])
        return super().form_valid(form)


class SecondFactorMiddleware:
    """Without a second factor there is one thing to do: get one. Not asked for where SECOND_FACTOR_REQUIRED is off."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view_func, view_args, view_kwargs):
        if not settings.SECOND_FACTOR_REQUIRED or not getattr(view_func, "login_required", True):
            return None
        if not request.user.is_authenticated or request.user.has_second_factor:
            return None
        if request.resolver_match.url_name in ENROLMENT:
            return None
        page = resolve_url("mfa_index")
        if wants_partial(request):
            return alert(request, 403, WORDS, link=page, link_text="Set it up")
        return HttpResponseRedirect(page)


@receiver([signals.authenticator_added, signals.authenticator_removed], dispatch_uid="console.secondfactor")
def end_other_sessions(sender, request, user, **kwargs):
    """Whoever else uses this account has not shown the factor that counts now."""
    sessions.end(UserSession.objects.filter(user=user).exclude(session_key=request.session.session_key))
