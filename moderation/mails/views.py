"""The page that shows what players are written, and the one by which they ask for no more."""

from contextlib import suppress

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import TemplateView

from console import ledger, tabs
from console.base import ConsoleView
from console.clientip import client_ip
from moderation.actions import stop_mail
from moderation.mails import drawing, samples, topics
from moderation.models import Player

VIEW = "moderation.view_mailing"
TRIES = 3
SAMPLE = "ada"  # whom the examples are written to
GROUPS = {"author": "authors", "reporter": "reporters", "banned": "who is banned", "game": "authors of games"}
# an example is shown as a mail program would: by its own styles, with no script, request or form
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox"
)


def setup():
    tabs.register_tab(tabs.Tab("portal", "Mail", "moderation:mails", VIEW, position=40))


def drawn(sample):
    stop = "https://console.example.org/mail/stop/…/"
    return drawing.draw(SAMPLE, [sample.part], stop)


def chosen(request):
    """`(kind, Sample)` of the one that is asked for, else of the first."""
    every = samples.every()
    kind = request.GET.get("mail", "")
    return (kind, every[kind]) if kind in every else next(iter(every.items()))


class MailsPage(tabs.TabsMixin, ConsoleView):
    section = "portal"
    """Which mails there are, whether they are on, and one of them as an example (`?mail=`)."""

    permission_required = VIEW
    template_name = "moderation/mails.html"
    root = "#results"

    def get_context_data(self, **kwargs):
        groups, (kind, sample) = topics.wanted(), chosen(self.request)
        subject, text, _ = drawn(sample)
        return super().get_context_data(
            mails=[(each, other, other.group in groups) for each, other in samples.every().items()],
            groups=", ".join(GROUPS[name] for name in groups),
            kind=kind,
            sample=sample,
            subject=subject,
            text=text,
            here=self.request.get_full_path(),
            **kwargs,
        )

    def render_to_response(self, context, **kwargs):
        response = super().render_to_response(context, **kwargs)
        response._csp_update = {"frame-src": ["'self'"]}
        return response


class MailExample(ConsoleView):
    """An example as HTML, and nothing around it."""

    permission_required = VIEW

    def get(self, request, *args, **kwargs):
        response = HttpResponse(drawn(chosen(request)[1])[2])
        response["Content-Security-Policy"], response["X-Frame-Options"] = POLICY, "SAMEORIGIN"
        return response


@method_decorator([login_not_required, csrf_exempt], name="dispatch")  # mail programs send it, too (RFC 8058)
class StopPage(TemplateView):
    """What the link in a mail opens: a button, since programs that look for viruses follow links. A POST does it."""

    template_name = "account/no_more_mail.html"

    def dispatch(self, request, *args, signed, **kwargs):
        pk = drawing.who(signed)
        if pk is None:
            raise Http404("That link is none of ours.")
        self.player = get_object_or_404(Player, pk=pk)
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs):
        done = bool(self.player.mail_stopped_at or self.player.erased_at)
        return super().get_context_data(done=done, portal=drawing.portal(), **kwargs)

    def post(self, request, *args, **kwargs):
        for _ in range(TRIES):
            if self.player.mail_stopped_at:
                break
            with suppress(ledger.Conflict):  # somebody changed something else about the player just now
                stop_mail(self.player, by=None, origin=ledger.Origin(request.id, client_ip(request)))
            self.player.refresh_from_db()
        return self.get(request)
