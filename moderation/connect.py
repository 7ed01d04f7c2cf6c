"""The page that connects a portal: three steps, each of them green once it has happened for real."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from django import forms
from django.template.loader import render_to_string

from console import live, mail, tabs
from console.models import Token, Webhook
from console.tokenactions import MANAGE
from console.tokenforms import A_YEAR, NewTokenForm
from console.tokenpages import ALREADY, NewTokenPage

SCOPE = "comments:write"
USUAL = ("comments:write", "players:write", "reports:write", "bans:read", "decisions:read")
FOLDER = Path(__file__).parent / "snippets"


@dataclass(frozen=True)
class Steps:
    """When each happened first, or None: there is a token for comments, a comment came, a webhook was acknowledged."""

    token: datetime | None
    comment: datetime | None
    webhook: datetime | None

    @classmethod
    def now(cls):
        tokens = list(Token.objects.filter(scopes__contains=[SCOPE]).order_by("created_at"))
        came = [token.first_taken_at for token in tokens if token.first_taken_at]
        told = Webhook.objects.filter(removed_at=None).exclude(delivered_at=None).order_by("delivered_at").first()
        made = next((token.created_at for token in tokens if token.state == Token.ACTIVE), None)
        return cls(made, min(came, default=None), told and told.delivered_at)

    @property
    def state(self):
        """Such as "tc": what polls compare."""
        return "".join(word[0] for word in ("token", "comment", "webhook") if getattr(self, word))


@cache
def _text(name):
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def snippet(name, site, token=""):
    """The program as it is pasted; without a token it takes that from the environment."""
    missing = "$ATTENDANT_TOKEN" if name.endswith(".sh") else ""
    return _text(name).replace("{site}", site).replace("{token}", token or missing)


class UsualTokenForm(NewTokenForm):
    """A token as most portals need it: nothing has to be chosen."""

    def __init__(self, *args, initial=(), **kwargs):
        usual = {"name": "Portal", "scopes": USUAL, "days": A_YEAR}
        super().__init__(*args, initial={**dict(initial), **usual}, **kwargs)
        self.fields["name"].widget = self.fields["days"].widget = forms.HiddenInput()
        self.fields["scopes"].widget = forms.MultipleHiddenInput()


class ConnectPage(NewTokenPage):
    """POST makes a token with the usual rights, and shows it once, in lines that are ready to be pasted."""

    template_name = "moderation/connect.html"

    def make_form(self, data=None):
        return UsualTokenForm(data, by=self.request.user, initial={"version": 0})

    def get_context_data(self, secret="", **kwargs):
        site = mail.site_of(self.request)
        return super().get_context_data(
            steps=Steps.now(),
            secret=secret,
            curl=snippet("send.sh", site, secret),
            send=snippet("send.py", site, secret),
            listen=snippet("listen.py", site),
            **kwargs,
        )

    def finish(self, outcome):
        already = ALREADY if outcome.replayed else ""
        return self.render_to_response(self.get_context_data(secret=self.secret, already=already))


def bring_up_to_date(request, states, here):
    """For the poll: the steps, when one more has been done since."""
    steps = Steps.now()
    if not request.user.has_perm(MANAGE) or states.get(1, steps.state) == steps.state:
        return "", ""
    html = render_to_string("moderation/_connect_steps.html", {"steps": steps, "oob": True}, request)
    said = [("comment", "The first comment has arrived."), ("webhook", "The first webhook was acknowledged.")]
    return html, " ".join(words for name, words in said if getattr(steps, name) and name[0] not in states[1])


def ready():
    live.watch("connect", bring_up_to_date)
    tabs.register_tab(tabs.Tab("portal", "Connect", "moderation:connect", MANAGE, position=10))
