"""Where one is signed in: one's own sessions, each of which can be ended, and the latest attempts to sign in."""

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.http import HttpResponseRedirect

from console import sessions, signins
from console.base import ConsoleView
from console.models import SignIn
from console.views import whole_number

LATEST = 10


class SessionsPage(ConsoleView):
    """Nothing of the world changes here, so this leaves no entry in the ledger; the sign-ins are on record."""

    permission_required = "console.enter_console"
    template_name = "console/sessions.html"

    def mine(self):
        return UserSession.objects.filter(user=self.request.user)

    def get_context_data(self, **kwargs):
        rows = [each for each in self.mine().order_by("-last_seen_at") if not each.purge()]
        for row in rows:
            row.device = signins.describe(row.user_agent) or "A browser"
            row.current = row.session_key == self.request.session.session_key
        tried = SignIn.objects.filter(user=self.request.user).order_by("-at")[:LATEST]
        return super().get_context_data(sessions=rows, others=len(rows) - 1, tried=tried, **kwargs)

    def post(self, request, *args, **kwargs):
        wanted = request.POST.get("session", "")
        others = self.mine().exclude(session_key=request.session.session_key)
        ending = others if wanted == "others" else others.filter(pk=whole_number(wanted, 0))
        number = ending.count()
        sessions.end(ending)
        said = "Nobody is signed in there any more." if number == 1 else f"{number} sessions were ended."
        messages.success(request, said if number else "That session had ended already.")
        return HttpResponseRedirect(request.path, status=303)
