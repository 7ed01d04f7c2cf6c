"""What operators do on the staff page: inviting, and the verbs on one account."""

from django.http import Http404
from django.urls import reverse

from console import invites, ledger, respond, staffactions
from console.base import NewPage, VerbView
from console.models import User
from console.staffforms import InviteForm
from console.staffmodel import MANAGE


def accounts():
    return User.objects.filter(is_staff=True)


STAFF_CARD = respond.Card(
    model=staffactions.ACCOUNT,
    summary="console/_account_summary.html",
    queryset=accounts,
    list_url=lambda: reverse("console:staff"),
)


class StaffVerb(VerbView):
    card = STAFF_CARD
    queryset = staticmethod(accounts)

    def prepare(self):
        super().prepare()
        if not self.object.is_staff:
            raise Http404("Nobody of staff.")

    def succeed(self, outcome):
        if self.verb is staffactions.renew and not outcome.replayed:
            invites.send(self.request, outcome.done[0])
            invites.show_once(self.request, outcome.done[0])
        return super().succeed(outcome)


class InvitePage(NewPage):
    """POST makes the account and sends the link."""

    permission_required = MANAGE
    template_name = "console/invite.html"
    fresh = True
    limit = "invite"

    def make_form(self, data=None):
        return InviteForm(data, by=self.request.user, initial={"version": 0})

    def get_context_data(self, **kwargs):
        return super().get_context_data(here=reverse("console:staff"), action=reverse("console:staff_invite"), **kwargs)

    def make(self, form, **sent):
        fields = {name: form.cleaned_data[name] for name in ("login", "name", "email", "roles")}
        return staffactions.invite_person(**sent, **fields)

    def succeed(self, outcome):
        person, already = outcome.done[0], "already " if outcome.replayed else ""
        if not outcome.replayed:
            invites.send(self.request, person)
            invites.show_once(self.request, person)
        respond.remember(self.request, f"{ledger.describe(person)} was {already}invited.", None)
        return person.get_absolute_url()
