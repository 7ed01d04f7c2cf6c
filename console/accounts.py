"""How allauth behaves here: staff accounts are made by operators, addresses come from our one function."""

import logging

from allauth.account import urls
from allauth.account.adapter import DefaultAccountAdapter

from console.clientip import client_ip

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


class StaffAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request):
        return False

    def get_client_ip(self, request):
        return client_ip(request)

    def send_mail(self, *args, **kwargs):
        """A mail server that is down must not turn a request into an error, nor tell who has an account."""
        try:
            super().send_mail(*args, **kwargs)
        except OSError as error:
            log.warning("A mail could not be sent: %s", error)

    def add_message(self, *args, **kwargs):
        """allauth's greetings would stand above the work; signing in shows that it worked."""
