"""Invites: a link that opens once, and where whoever has it chooses a password. Nothing about it is stored: it is
worked out from the account as it is, so that taking it back, sending it anew or accepting it ends it.
"""

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.password_validation import validate_password
from django.http import HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.decorators import method_decorator
from django.views.generic import TemplateView

from console import ledger, mail, staffactions
from console.clientip import client_ip
from console.forms import VerbForm
from console.models import User


def token(person):
    known = f"{person.pk}:{person.invited_until.isoformat()}:{person.password}"
    return salted_hmac("console.invite", known, algorithm="sha256").hexdigest()


def link(site, person):
    return site + reverse("join", args=[person.pk, token(person)])


def send(request, person):
    """Queues the mail with the link. A mail server that is away is no error: the link is shown as well."""
    mail.post("invite", person.pk, by=request.user, site=mail.site_of(request), inviter=request.user.pk)


def draw(person, site, inviter):
    """For that mail, when it is sent; the link is in no job."""
    by = User.objects.get(pk=inviter)
    return {"person": person, "by": by, "link": link(site, person) if person.may_join else site}


mail.register("invite", draw)


def show_once(request, person):
    """The next page about this person shows the link."""
    request.session["invite"] = person.pk


def shown_once(request, person):
    """The link, if this page is to show it; "" for any other."""
    if request.session.get("invite") != person.pk:
        return ""
    del request.session["invite"]
    return link(mail.site_of(request), person) if person.may_join else ""


class JoinForm(VerbForm):
    password1 = forms.CharField(
        label="Password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": "Choose a password."},
    )
    password2 = forms.CharField(
        label="The same again",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": "Type it again."},
    )

    def clean_password1(self):
        validate_password(self.cleaned_data["password1"], self.row)
        return self.cleaned_data["password1"]

    def clean(self):
        data = super().clean()
        if data.get("password1") and data.get("password2") and data["password1"] != data["password2"]:
            self.add_error("password2", "These are not the same. Type both again.")
        return data


@method_decorator(login_not_required, name="dispatch")
class JoinPage(TemplateView):
    """What the link opens, for anybody who has it: choosing a password, and then signing in as everybody does."""

    template_name = "account/join.html"

    def dispatch(self, request, *args, pk, code, **kwargs):
        person = User.objects.filter(pk=pk).first()
        stands = person is not None and person.may_join and constant_time_compare(code, token(person))
        self.person = person if stands else None
        return super().dispatch(request, *args, **kwargs)

    def make_form(self, data=None):
        return JoinForm(data, row=self.person, initial={"version": self.person.version if self.person else 0})

    def get_context_data(self, **kwargs):
        return super().get_context_data(person=self.person, form=kwargs.pop("form", self.make_form()), **kwargs)

    def render_to_response(self, context, **kwargs):
        return super().render_to_response(context, status=kwargs.get("status", 200 if self.person else 410))

    def post(self, request, *args, **kwargs):
        form = self.make_form(request.POST)
        if self.person is None:
            return self.get(request)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form), status=422)
        origin = ledger.Origin(request.id, client_ip(request))
        try:
            staffactions.accept_invite(
                self.person,
                form.cleaned_data["password1"],
                key=form.cleaned_data["idempotency_key"],
                origin=origin,
            )
        except (ledger.Conflict, ledger.KeyReused):
            self.person = None
            return self.get(request)
        return HttpResponseRedirect(resolve_url("account_login"), status=303)
