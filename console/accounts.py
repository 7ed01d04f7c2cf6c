"""How allauth behaves here: staff accounts are made by operators, addresses come from our one function."""

from allauth.account.adapter import DefaultAccountAdapter

from console.clientip import client_ip


class StaffAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request):
        return False

    def get_client_ip(self, request):
        return client_ip(request)

    def add_message(self, *args, **kwargs):
        """allauth's greetings would stand above the work; signing in shows that it worked."""
