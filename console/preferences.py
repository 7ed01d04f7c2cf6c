"""How the console looks and listens for one person: theme, density, single-key shortcuts.

Kept with the account; cookies of the same content dress pages before somebody has signed in. Nothing of the world
changes, so this leaves no entry in the ledger.
"""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponseRedirect

from console import verbs
from console.base import ConsoleView, safe_next
from console.models import User

COOKIES = {name: f"{settings.COOKIE_PREFIX}attendant_{name}" for name in ("theme", "density")}
A_YEAR = 365 * 24 * 3600
KEYS = [
    ("j", "Next card, or next comment"),
    ("k", "Previous card, or back to the list"),
    ("u", "Undo the latest decision"),
    ("/", "Search"),
    ("?", "This page"),
]


class PreferencesForm(forms.ModelForm):
    next = forms.CharField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = User
        fields = ["theme", "density", "shortcuts"]
        widgets = {"theme": forms.RadioSelect, "density": forms.RadioSelect}
        labels = {"shortcuts": "Single-key shortcuts"}
        help_texts = {"shortcuts": ""}


class PreferencesPage(ConsoleView):
    permission_required = "console.enter_console"
    template_name = "console/preferences.html"

    def prepare(self):
        self.next = safe_next(self.request, "/manage/")

    def get_context_data(self, **kwargs):
        kwargs.setdefault("form", PreferencesForm(instance=self.request.user, initial={"next": self.next}))
        keys = [
            (verb.key, verb.label) for verb in verbs.every() if verb.key and self.request.user.has_perm(verb.permission)
        ]
        return super().get_context_data(keys=[*keys, *KEYS], here=self.next, **kwargs)

    def post(self, request, *args, **kwargs):
        form = PreferencesForm(request.POST, instance=request.user)
        if not form.is_valid():
            response = self.render_to_response(self.get_context_data(form=form))
            response.status_code = 422
            return response
        user = form.save(commit=False)
        user.save(update_fields=PreferencesForm.Meta.fields)
        messages.success(request, "Your preferences were saved.")
        response = HttpResponseRedirect(self.next, status=303)
        for name, cookie in COOKIES.items():
            response.set_cookie(
                cookie,
                getattr(user, name),
                A_YEAR,
                httponly=True,
                samesite="Lax",
                secure=settings.SESSION_COOKIE_SECURE,
            )
        return response


def look_of(request):
    """`{"theme": …, "density": …}` for the page: the account's, or what this browser saw last."""
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return {"theme": user.theme, "density": user.density}
    allowed = {"theme": dict(User.THEMES), "density": dict(User.DENSITIES)}
    given = {name: request.COOKIES.get(cookie, "") for name, cookie in COOKIES.items()}
    return {name: value if value in allowed[name] else "" for name, value in given.items()}
