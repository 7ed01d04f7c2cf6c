"""The upload page: one multipart form, with or without JavaScript, for a new game or a new build of one there is."""

import uuid

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from taggit.forms import TagField

from console import errors, flags, ledger, respond
from console.base import KEY_REUSED, OUT_OF_DATE, ConsoleView, safe_next
from console.forms import VerbForm
from console.htmx import wants_partial
from console.models import Gesture
from games import actions, intake
from games.cards import games_url
from games.models import Build, Game
from games.widgets import GameWidget
from moderation import suggestions
from moderation.lookups import LookupView
from moderation.models import Player
from moderation.text import fold
from moderation.widgets import let_ask

UPLOAD = "games.upload_game"
MOST_TAGS, LONGEST_TAG = 10, 40
_MOST = intake.LIMITS
LIMITS = (
    f"At most {filesizeformat(_MOST.zip)} and {_MOST.files:,} files; unpacked {filesizeformat(_MOST.unpacked)}, "
    f"a file {filesizeformat(_MOST.file)}. Paths up to {_MOST.path} bytes and {_MOST.depth} folders deep, with an "
    "index.html at the top or in the one folder everything is in."
)


class UploadForm(VerbForm):
    """`received` is the intake.Received that came with this request, if one did; `problem` why none did."""

    game_text = forms.CharField(label="New build of", required=False, max_length=200)
    game = forms.ModelChoiceField(Game.objects.all(), label="New build of", required=False, widget=GameWidget)
    title = forms.CharField(label="Title", required=False, max_length=200, help_text="Of a new game.")
    description = forms.CharField(
        label="Description (optional)", required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 3})
    )
    tags = TagField(label="Tags (optional)", required=False, help_text="With commas between them: racing, two players")
    author = forms.CharField(label="Author (optional)", required=False, max_length=200)
    held = forms.CharField(required=False, widget=forms.HiddenInput)
    zip = forms.FileField(
        label="Zip of the game",
        required=False,
        widget=forms.FileInput(attrs={"accept": ".zip,application/zip"}),
        error_messages={"empty": "This file is empty. Choose the zip of the game."},
    )

    def __init__(self, data=None, files=None, *, problem="", **kwargs):
        super().__init__(data, files, **kwargs)
        self.problem = problem
        self.fields["zip"].help_text = LIMITS
        if self.by:
            let_ask(self, self.by)

    @property
    def held_zip(self):
        """What arrived with an earlier try, or with this one, and need not be sent again."""
        arrived = self.files.get("zip") if self.files else None
        if arrived:
            return arrived.received
        received = intake.Received.of_token(self.data.get("held", ""), self.by)
        return received if received and not self._is_used(received) else None

    def _is_used(self, received):
        """Whether a build has it already, unless that came of this very form, sent twice."""
        key = self.cleaned_data.get("idempotency_key") if hasattr(self, "cleaned_data") else None
        if Gesture.objects.filter(actor=self.by, idempotency_key=key).exists():
            return False
        return Build.objects.filter(zip=received.name).exists()

    def clean(self):
        data = super().clean()
        game = data.get("game") or self._game_named(data.get("game_text", "").strip())
        if game:
            for name in ("title", "description", "tags", "author"):
                if data.get(name):
                    self.add_error(name, "This is for a new game only. Leave it empty for a new build.")
        elif "game_text" not in self.errors and not data.get("title"):
            self.add_error("title", "Give the new game a title, or say above which game this is a new build of.")
        data["received"] = self.held_zip
        if self.problem:
            self.add_error("zip", self.problem)
        elif data["received"] is None and "zip" not in self.errors:
            again = "It was kept for a day, and is gone. Choose it again." if data.get("held") else ""
            self.add_error("zip", again or "Choose the zip of the game.")
        return data | {"game": game}

    def clean_title(self):
        title = " ".join(self.cleaned_data["title"].split())
        if title and not fold(title).strip():
            raise forms.ValidationError("This title shows nothing. Write one that can be read.")
        return title

    def clean_tags(self):
        tags = self.cleaned_data["tags"]
        if len(tags) > MOST_TAGS:
            raise forms.ValidationError(f"At most {MOST_TAGS} tags; these are {len(tags)}.")
        long = [tag for tag in tags if len(tag) > LONGEST_TAG]
        if long:
            raise forms.ValidationError(f"A tag has at most {LONGEST_TAG} characters; “{long[0][:60]}” has more.")
        return tags

    def clean_author(self):
        name = self.cleaned_data["author"].strip()
        if not name:
            return None
        is_id = name.startswith("#") and name[1:].isascii() and name[1:].isdigit() and len(name) < 19
        found = Player.objects.filter(pk=name[1:]) if is_id else Player.objects.filter(username__iexact=name)
        found = list(found[:2])
        if len(found) > 1:
            raise forms.ValidationError(f"Several players are called “{name}”. Write the id of one instead, as #17.")
        if not found:
            raise forms.ValidationError(f"No player is called “{name}”. Check the spelling, or leave this empty.")
        return found[0]

    def _game_named(self, name):
        if not name:
            return None
        found = list(Game.objects.filter(slug__iexact=name)[:1] or Game.objects.filter(title__iexact=name)[:2])
        if len(found) > 1:
            hint = f"Write the address of one, as {found[0].slug}."
            self.add_error("game_text", f"Several games are called “{name}”. {hint}")
        elif not found:
            self.add_error("game_text", f"No game is called “{name}”. Leave this empty for a new game.")
        return found[0] if len(found) == 1 else None


class UploadPage(ConsoleView):
    """GET shows the form, POST takes the zip. The answer waits for nobody: a row in the database is the promise."""

    permission_required = UPLOAD
    template_name = "games/upload.html"
    handler, kept = None, False

    @classmethod
    def as_view(cls, **initkwargs):
        # Django's CSRF check reads the body: here it comes after sign-in, permission and limits (see post)
        return csrf_exempt(super().as_view(**initkwargs))

    def get_context_data(self, **kwargs):
        kwargs.setdefault("form", self.make_form())
        form = kwargs["form"]
        held = form.held_zip if form.is_bound and "zip" not in form.errors else None
        return super().get_context_data(
            most=intake.LIMITS.zip,
            held=held and {"token": held.token(self.request.user), "name": held.zip_name, "size": held.size},
            here=safe_next(self.request, games_url()),
            **kwargs,
        )

    def make_form(self, *args, **kwargs):
        back, game = safe_next(self.request, games_url()), self.request.GET.get("game", "")
        initial = {"version": 0, "next": back, "game_text": game}
        return UploadForm(*args, by=self.request.user, initial=initial, **kwargs)

    def post(self, request, *args, **kwargs):
        if words := flags.why_no_uploads(request):
            intake.drain(request)
            return errors.paused(request, words)
        try:
            self.handler = intake.begin(request)
        except intake.TooBig:
            intake.drain(request)
            form = self.make_form()
            return self.refuse(form, 413, intake.TOO_BIG)
        try:
            return self.take(request)
        finally:
            if not self.kept:
                self.handler.throw_away()

    @method_decorator(csrf_protect)
    def take(self, request):
        form = self.make_form(request.POST, request.FILES, problem=self.handler.problem)
        if not form.is_valid():
            self.kept = "zip" not in form.errors
            hidden = "version" in form.errors or "idempotency_key" in form.errors
            return self.refuse(self.fresh_form(OUT_OF_DATE) if hidden else form, 422)
        data, received = form.cleaned_data, form.cleaned_data["received"]
        try:
            outcome = actions.upload(
                received,
                by=request.user,
                key=data["idempotency_key"],
                origin=self.origin,
                **{name: data[name] for name in ("game", "title", "description", "tags", "author")},
            )
        except actions.SameZip as same:
            form.add_error("zip", str(same))
            return self.refuse(form, 422, same=same.build)
        except ledger.KeyReused:
            self.kept = True
            return self.refuse(self.fresh_form(KEY_REUSED), 422)
        self.kept = not outcome.replayed
        build = outcome.done[0]
        said = "was uploaded already." if outcome.replayed else "was uploaded. It is being processed."
        respond.remember(request, f"{build.game} {said}", None if outcome.replayed else outcome.gesture)
        if wants_partial(request):
            response = HttpResponse()
            response["HX-Redirect"] = safe_next(request, games_url())
            return response
        return HttpResponseRedirect(safe_next(request, games_url()), status=303)

    def fresh_form(self, words):
        """What was sent, with hidden fields made anew; `words` say why."""
        data = self.request.POST.copy()
        data["version"], data["idempotency_key"] = "0", str(uuid.uuid4())
        form = self.make_form(data, self.request.FILES, problem=self.handler.problem)
        form.add_error(None, words)
        return form

    def refuse(self, form, status, words="", same=None):
        response = self.render_to_response(self.get_context_data(form=form, words=words, same=same))
        response.status_code = status
        return response


class AuthorsView(ConsoleView):
    """Names of players to choose from while somebody types; no more of them than the name."""

    permission_required = UPLOAD
    template_name = "games/suggest.html"
    limit, limit_on = "search", ("GET", "HEAD")

    def get(self, request, *args, **kwargs):
        if not wants_partial(request):
            return HttpResponseRedirect(games_url(), status=303)
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs):
        typed = self.request.GET.get("author", "").replace("\0", "")
        return super().get_context_data(names=suggestions.names("player", typed), **kwargs)


class GameOptions(LookupView):
    permission_required = "games.view_game"
