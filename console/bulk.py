"""Bulk: one verb on many rows at once, by the very function that does it to one."""

import re
import uuid

from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect

from console import ledger, respond, verbs
from console.base import KEY_REUSED, OUT_OF_DATE, ConsoleView, in_dialog, safe_next
from console.errors import alert
from console.forms import VerbForm
from console.htmx import wants_partial


class BulkView(ConsoleView):
    """One verb on the rows that were ticked, by the same function as on one. POST does it; a verb that asks for
    something shows its form first (a POST with `ask`, or GET).

    `offered` holds the verbs' names, `card` shows the rows on the list they were ticked on.
    """

    template_name = "console/bulk.html"
    limit = "bulk"
    offered = ()
    card = None
    most = 1000
    confirms = False  # whether it asks first also for verbs that want to know nothing

    def prepare(self):
        self.next = safe_next(self.request, self.card.list_url())
        self.data = self.request.POST if self.request.method == "POST" else self.request.GET
        name = self.data.get("verb", "")
        self.verb = verbs.get(name) if name in self.offered else None
        if self.verb and not self.request.user.has_perm(self.verb.permission):
            raise PermissionDenied

    def targets(self, seen):
        """`(versions of the verb's own targets, Conflicts of those left out)` for ticked rows `{pk: version}`."""
        return seen, []

    def read_selected(self):
        """`{pk: version}` of what was ticked. Raises ValueError in words for the person."""
        if self.verb is None:
            raise ValueError("Choose what to do with what you ticked.")
        given = self.data.getlist("selected")
        pairs = [re.fullmatch(r"(\d{1,18}):(\d{1,9})", value, flags=re.ASCII) for value in given]
        if not all(pairs):
            raise ValueError("This page was out of date. Nothing was changed; reload it and tick again.")
        seen = {int(pair[1]): int(pair[2]) for pair in pairs}
        if not seen:
            raise ValueError("Nothing was ticked, so nothing was changed.")
        if len(seen) > self.most:
            raise ValueError(f"At most {self.most:,} at once; {len(seen):,} were ticked. Nothing was changed.")
        return seen

    def make_form(self, data=None):
        form_class = self.verb.form or VerbForm
        if data is not None:
            data = data.copy()
            data["version"] = 0  # each row brings its own
            data.setdefault("idempotency_key", str(uuid.uuid4()))
        return form_class(data, by=self.request.user, verb=self.verb, initial={"version": 0, "next": self.next})

    def get(self, request, *args, **kwargs):
        if not self.data.get("verb"):
            return HttpResponseRedirect(self.next, status=303)
        return self.ask()

    def ask(self, form=None, status=200):
        """The verb's form, with what was ticked in it."""
        try:
            seen = self.read_selected()
        except ValueError as error:
            return self.refuse(422, str(error))
        model = verbs.model_of(self.card.model)
        many = f"1 {model._meta.verbose_name}" if len(seen) == 1 else f"{len(seen)} {ledger.plural(model)}"
        return self.answer(
            status,
            verb=self.verb,
            title=f"{self.verb.label}: {many}",
            form=form or self.make_form(),
            selected=[f"{pk}:{version}" for pk, version in seen.items()],
            action=self.request.path,
            in_dialog=in_dialog(self.request),
            foretold=self.foretold(seen),
        )

    def foretold(self, seen):
        if not self.verb.foretell:
            return ""
        versions, _ = self.targets(seen)
        return self.verb.foretell(list(verbs.model_of(self.verb.model).objects.filter(pk__in=versions)))

    def post(self, request, *args, **kwargs):
        if self.verb and (self.verb.form or self.confirms) and "ask" in request.POST:
            return self.ask()
        try:
            seen = self.read_selected()
        except ValueError as error:
            return self.refuse(422, str(error))
        form = self.make_form(request.POST)
        if not form.is_valid():
            return self.ask(self.fresh_form(OUT_OF_DATE) if "idempotency_key" in form.errors else form, 422)
        data = form.cleaned_data
        versions, left_out = self.targets(seen)
        try:
            outcome = self.verb(
                [],
                by=request.user,
                reason=data.get("reason") or "",
                note=data.get("note") or "",
                key=data["idempotency_key"],
                versions=versions,
                origin=self.origin,
                asked=seen,
                **form.extra,
            )
        except ledger.Conflict as conflict:
            return self.refuse(409, "Nothing was changed. " + respond.named([*left_out, *conflict.all]))
        except ledger.KeyReused:
            return self.ask(self.fresh_form(KEY_REUSED), 422) if self.verb.form else self.refuse(422, KEY_REUSED)
        return self.succeed(outcome, [] if outcome.replayed else [*left_out, *outcome.skipped])

    def fresh_form(self, words):
        """What was typed, with a key made anew; `words` say why."""
        data = self.request.POST.copy()
        data["idempotency_key"] = str(uuid.uuid4())
        form = self.make_form(data)
        form.add_error(None, words)
        return form

    def succeed(self, outcome, skipped):
        number = len(outcome.done)
        many = f"{number} {ledger.plural(verbs.model_of(self.verb.model))}"
        what = ledger.describe(outcome.done[0]) if number == 1 else many
        tells = self.verb.tells if number == 1 else self.verb.tells.replace(" was ", " were ")
        past = f"already {self.verb.past}" if outcome.replayed else self.verb.past
        along = "" if outcome.replayed else ledger.taken_along(outcome.gesture, self.verb.model)
        message = f"{tells.format(row=what, past=past)} {along}".strip()
        if wants_partial(self.request):
            card = respond.card_for(self.verb.model.lower())
            rows = outcome.done
            return respond.done(self.request, self.verb, outcome.gesture, card, rows, message, self.next, skipped)
        respond.remember(self.request, message, outcome.gesture, skipped)
        return HttpResponseRedirect(self.next, status=303)

    def refuse(self, status, words):
        """In words; a form with a note in it gets them beside the note, a bar without one as an alert."""
        typed = self.request.POST.get("note", "").strip()
        if wants_partial(self.request) and not typed:
            # the list anew: its bar has a key that was not used, its cards say how things stand
            anew = respond.refreshed(self.request, status, words, self.next)
            return anew or alert(self.request, status, words)
        return self.answer(status, problem=words, typed=typed, title="Nothing was changed")

    def answer(self, status, **context):
        response = self.render_to_response(self.get_context_data(here=self.next, **context))
        response.status_code = status
        if wants_partial(self.request):
            response["HX-Retarget"], response["HX-Reswap"] = "#dialog-body", "innerHTML"
        return response
