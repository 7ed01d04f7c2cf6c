"""Tokens of the API: all of them, one, a new one that is shown once, and the verbs on them."""

from django.db.models import F
from django.urls import reverse

from console import ledger, respond, telling, tokenactions, verbs
from console.api import scopes
from console.base import ConsoleView, DetailPage, NewPage, VerbView
from console.models import Token
from console.tabs import TabsMixin
from console.tokenactions import MANAGE
from console.tokenforms import NewTokenForm

VIEW = "console.view_token"
SHOWN = 200  # of a few there should be
RECENT = 10
GONE = "Nothing: there is no such scope any more."
ALREADY = "This form was sent before, and the token was shown then. If nobody has noted it, revoke it and make another."


def tokens():
    return Token.objects.select_related("created_by")


TOKEN_CARD = respond.Card(
    model="console.Token",
    summary="console/_token_summary.html",
    queryset=tokens,
    list_url=lambda: reverse("console:tokens"),
)


def allowed(token):
    """`[Scope]` of what a token may do; of a scope that is no more, its name alone."""
    return [
        scopes.get(name) or scopes.Scope(name, "Nothing: there is no such scope any more.") for name in token.scopes
    ]


class TokensPage(TabsMixin, ConsoleView):
    section = "portal"
    permission_required = VIEW
    template_name = "console/tokens.html"
    root = "#results"

    def get_context_data(self, **kwargs):
        found = tokens().order_by(F("revoked_at").desc(nulls_first=True), "-pk")[:SHOWN]
        return super().get_context_data(
            tokens=sorted(found, key=lambda token: token.state != Token.ACTIVE),
            may_make=self.request.user.has_perm(MANAGE),
            here=self.request.get_full_path(),
            **kwargs,
        )


class TokenPage(TabsMixin, DetailPage):
    section = "portal"
    permission_required = VIEW
    template_name = "console/token.html"

    def get_queryset(self):
        return tokens()

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        user = self.request.user
        keys = list(dict.fromkeys(entry.batch_id for entry in ledger.entries_on(self.object)[:RECENT]))
        return context | {
            "token": self.object,
            "allowed": allowed(self.object),
            "offered": verbs.offered("console.Token", user),
            "told": telling.tell(keys, user),
        }


class NewTokenPage(TabsMixin, NewPage):
    """POST makes the token and is itself the page that shows it: it is stored nowhere on the way there."""

    section = "portal"
    permission_required = MANAGE
    template_name = "console/new_token.html"
    fresh = True
    secret = ""

    def make_form(self, data=None):
        return NewTokenForm(data, by=self.request.user, initial={"version": 0})

    def get_context_data(self, **kwargs):
        return super().get_context_data(here=reverse("console:tokens"), action=self.request.path, **kwargs)

    def make(self, form, **sent):
        fields = {name: form.cleaned_data[name] for name in ("name", "scopes", "days")}
        outcome, self.secret = tokenactions.make_token(**sent, **fields)
        return outcome

    def finish(self, outcome):
        self.template_name = "console/made_token.html"
        token = outcome.done[0]
        context = {"token": token, "allowed": allowed(token), "secret": self.secret, "already": ALREADY}
        return self.render_to_response(self.get_context_data(form=None, **context))


class TokenVerb(VerbView):
    card = TOKEN_CARD
    queryset = staticmethod(tokens)
