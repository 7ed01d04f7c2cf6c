"""The views everything else is made of. Read top to bottom: ConsoleView, ListPage, DetailPage, NewPage, VerbView.

A page `app/thing.html` includes its partial `app/_thing.html`; both come from the same view and context.
"""

from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.generic import TemplateView

from console import flags, freshness, keyset, ledger, limits, respond, verbs
from console.clientip import client_ip
from console.errors import SwitchedOff, too_many
from console.forms import VerbForm
from console.htmx import wants_partial

KEY_REUSED = "This form was sent before with other content. Nothing was changed; look again, then send it."
OUT_OF_DATE = "This form was out of date. Nothing was changed; look again, then send it."
PASSING = ("after", "live", "ticked", "dialog")  # parameters that say how to answer, not what is looked at
UNSEARCHED = ("status", "order", "per", "after", *PASSING)  # what says which part of a list, looking for nothing
HIDDEN = {"version", "idempotency_key"}
COUNTED = 1000  # counts are exact up to here; "1,000+" costs the same on any table


def safe_next(request, default):
    """The page to return to: the form's `next` when it is a path of ours, else the default."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ok = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, None)
    return wanted if ok else default


def in_dialog(request):
    """Whether a form is asked for, or sent back, as the body of the dialog instead of as a page's partial."""
    return "dialog" in request.GET or (request.method == "POST" and wants_partial(request))


def redirect(request, url):
    """To another page, after a form that need not be seen again."""
    if wants_partial(request):
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseRedirect(url, status=303)


class ConsoleView(TemplateView):
    """Staff only, one permission, page or partial. A view without a permission cannot be put into urls.py."""

    permission_required = None
    flag = None  # 404 while this flag is off for the person
    fresh = False  # a POST takes somebody who has just said who they are (console.freshness)
    root = ""  # the element that the partial is, for pages that answers swap whole
    limit, limit_on = "", ("POST",)  # which of console.limits counts requests, and by which methods

    @classmethod
    def as_view(cls, **initkwargs):
        if not (initkwargs.get("permission_required") or cls.permission_required or initkwargs.get("verb")):
            raise ImproperlyConfigured(f"{cls.__name__} names no permission.")
        return super().as_view(**initkwargs)

    def dispatch(self, request, *args, **kwargs):
        user = request.user
        if not (user.is_active and user.is_staff and user.has_perm(self.permission_required)):
            raise PermissionDenied
        if self.flag and not flags.is_on(request, self.flag):
            raise SwitchedOff("This part of the console is switched off. Nothing was changed.")
        if request.method not in self._allowed_methods():
            return super().dispatch(request, *args, **kwargs)
        if self.is_limited() and (seconds := limits.wait(self.limit, request)):
            return too_many(request, seconds)
        if self.fresh and request.method == "POST" and not freshness.is_fresh(request):
            return freshness.ask(request)
        self.prepare()
        return super().dispatch(request, *args, **kwargs)

    def is_limited(self):
        """Whether this request counts. A page drawn in answer to a verb does not: the verb was counted."""
        return self.limit and self.request.method in self.limit_on and not hasattr(self.request, "answering")

    def prepare(self):
        """For subclasses: load what the view is about. Runs once it is clear that the person may."""

    def get_template_names(self):
        if wants_partial(self.request):
            folder, _, name = self.template_name.rpartition("/")
            return [f"{folder}/_{name}"]
        return [self.template_name]

    @property
    def origin(self):
        return ledger.Origin(self.request.id, client_ip(self.request))


class ListPage(ConsoleView):
    """A filtered, keyset-paged list. `filterset_class` has fields `order` and `per`; `orders` the Order objects."""

    root = "#results"
    limit, limit_on = "search", ("GET", "HEAD")
    filterset_class = None
    orders = ()
    per_page = 25

    def is_limited(self):
        looks = any(value.strip() for name, value in self.request.GET.items() if name not in UNSEARCHED)
        return looks and super().is_limited()

    def get_queryset(self):
        """What is filtered, ordered and counted; of its primary keys, newer rows have the higher."""
        raise NotImplementedError

    def load(self, keys):
        """The rows with these primary keys, in this order, with everything they show."""
        raise NotImplementedError

    def newer_than(self, pk):
        """How many rows of this list came since; stops counting behind 1,000."""
        newer = self.get_queryset().filter(pk__gt=pk)
        return self.filterset_class(self.request.GET, newer, request=self.request).matches.count(COUNTED)

    def get_context_data(self, **kwargs):
        filterset = self.filterset_class(self.request.GET, self.get_queryset(), request=self.request)
        values = filterset.form.cleaned_data if filterset.is_valid() else {}
        order = next((o for o in self.orders if o.name == values.get("order")), self.orders[0])
        survey = self.survey(filterset.matches, order, int(values.get("per") or self.per_page))
        query = clean_query(self.request.GET, self.filterset_class.defaults)
        return super().get_context_data(
            filter=filterset,
            rows=self.load(survey.keys) if survey.keys else [],
            beginning="after" not in self.request.GET,
            newest=survey.newest,
            order=order,
            orders=self.orders,
            total=survey.total,
            counted=COUNTED,
            query=query,
            here=f"{self.request.path}?{query.urlencode()}" if query else self.request.path,
            more=with_params(query, after=survey.after).urlencode() if survey.after else "",
            **kwargs,
        )

    def survey(self, matches, order, size):
        cursor = self.request.GET.get("after", "")
        if not cursor:
            return matches.survey(order, size, COUNTED)
        try:
            return keyset.Survey(*matches.newest_and_count(COUNTED), *matches.page(order, cursor, size))
        except keyset.BadCursor:
            raise Http404("That cursor is none of ours.") from None

    def render_to_response(self, context, **kwargs):
        response = super().render_to_response(context, **kwargs)
        if wants_partial(self.request) and "after" not in self.request.GET:
            # while somebody types, Back should not go letter by letter
            response["HX-Replace-Url" if "live" in self.request.GET else "HX-Push-Url"] = context["here"]
        if not context["filter"].is_valid() and wants_partial(self.request):
            response.status_code = 422
            response["HX-Retarget"], response["HX-Reswap"] = "#results", "outerHTML"
        return response


def clean_query(params, defaults):
    """The query string without empty parts, defaults and the cursor: what belongs in the address bar."""
    query = QueryDict(mutable=True)
    for name, values in params.lists():
        kept = [value for value in values if value.strip() and value != defaults.get(name)]
        if kept and name not in PASSING:
            query.setlist(name, kept)
    return query


def with_params(query, **params):
    """The query (a QueryDict) with these parts set, or left out when given "": the same list, changed."""
    changed = query.copy()
    for name, value in params.items():
        changed[name] = value
        if not value:
            del changed[name]
    return changed


class DetailPage(ConsoleView):
    """One object, by primary key, from a queryset that holds only what this person may open."""

    root = "#item"

    def get_queryset(self):
        raise NotImplementedError

    def get_context_data(self, **kwargs):
        self.object = get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])
        here = self.request.get_full_path()
        return super().get_context_data(
            object=self.object, here=here, **getattr(self.request, "answering", {}), **kwargs
        )


class NewPage(ConsoleView):
    """Brings something into being: GET shows the form, POST does it."""

    limit = "verb"

    def make_form(self, data=None):
        """A VerbForm, of `data` when there is any."""
        raise NotImplementedError

    def make(self, form, **sent):
        """Calls the verb with what the valid form asks for; `sent` is by, key and origin. Returns its Outcome;
        may raise ledger.Taken, and what verbs raise.
        """
        raise NotImplementedError

    def succeed(self, outcome):
        """What follows: remembers the message, returns the address to go to."""
        raise NotImplementedError

    def get_context_data(self, **kwargs):
        if "form" not in kwargs:
            kwargs["form"] = self.make_form()
        return super().get_context_data(**kwargs)

    def post(self, request, *args, **kwargs):
        form = self.make_form(request.POST)
        if not form.is_valid():
            return self.refuse(self.fresh_form(OUT_OF_DATE) if HIDDEN & set(form.errors) else form)
        return self.look_first(form) or self.send(form)

    def look_first(self, form):
        """For subclasses: an answer to look at before it is done, or None."""

    def send(self, form):
        sent = {"by": self.request.user, "key": form.cleaned_data["idempotency_key"], "origin": self.origin}
        try:
            outcome = self.make(form, **sent)
        except ledger.Taken as taken:
            form.add_error(taken.field, str(taken))
            return self.refuse(form)
        except ledger.Conflict as conflict:
            return self.refuse(self.fresh_form(conflict.message), 409)
        except ledger.KeyReused:
            return self.refuse(self.fresh_form(KEY_REUSED))
        return self.finish(outcome)

    def finish(self, outcome):
        return redirect(self.request, self.succeed(outcome))

    def fresh_form(self, words):
        """What was typed, with hidden fields made anew; `words` say why."""
        data, fresh = self.request.POST.copy(), self.make_form()
        for name in HIDDEN:
            data[name] = str(fresh[name].value())
        form = self.make_form(data)
        form.add_error(None, words)
        return form

    def refuse(self, form, status=422, **context):
        response = self.render_to_response(self.get_context_data(form=form, **context))
        response.status_code = status
        return response


class VerbView(ConsoleView):
    """Serves any verb on one target: GET is its form, as a page or a dialog's body, POST does it."""

    limit = "verb"
    verb = None
    template_name = "console/verb.html"
    queryset = None
    card = None  # a console.respond.Card: how the target is shown, on which list and page it lives

    def dispatch(self, request, *args, **kwargs):
        self.permission_required, self.fresh = self.verb.permission, self.verb.fresh
        return super().dispatch(request, *args, **kwargs)

    def prepare(self):
        # a POST needs no more than the row; what is shown of it is loaded when it is shown
        is_post = self.request.method == "POST"
        found = verbs.model_of(self.verb.model).objects.all() if is_post else self.queryset()
        self.object = get_object_or_404(found, pk=self.kwargs["pk"])
        self.next = safe_next(self.request, self.card.list_url())

    def make_form(self, data=None):
        form_class, given = self.verb.form or VerbForm, self.request.GET
        initial = {name: given[name] for name in form_class.PREFILLED if name in given}
        initial |= {"version": self.object.version, "next": self.next}
        return form_class(data, by=self.request.user, verb=self.verb, row=self.object, initial=initial)

    def get_context_data(self, **kwargs):
        kwargs.setdefault("form", self.make_form())
        return super().get_context_data(
            object=self.object,
            verb=self.verb,
            title=self.verb.asks.format(label=self.verb.label, row=ledger.printed(self.object)),
            card=self.card,
            legal=self.verb.legal(self.object),
            foretold=self.verb.foretell([self.object]) if self.verb.foretell else "",
            in_dialog=in_dialog(self.request),
            here=self.next,
            action=reverse(self.request.resolver_match.view_name, args=[self.object.pk]),
            **kwargs,
        )

    def post(self, request, *args, **kwargs):
        form = self.make_form(request.POST)
        if not form.is_valid():
            return self.refuse(422, form=self.mend(form))
        data = form.cleaned_data
        try:
            outcome = self.verb(
                self.object,
                by=request.user,
                reason=data.get("reason") or "",
                note=data.get("note") or "",
                key=data["idempotency_key"],
                versions={self.object.pk: data["version"]},
                origin=self.origin,
                **form.extra,
            )
        except ledger.Conflict as conflict:
            return self.conflict(conflict)
        except ledger.KeyReused:
            return self.refuse(422, form=self.fresh_form(KEY_REUSED, "idempotency_key"))
        except ledger.Unchanged:
            return self.answer(None, f"Nothing was changed: {ledger.describe(self.object)} was like that already.")
        return self.succeed(outcome)

    def succeed(self, outcome):
        self.object = next(iter(outcome.done), self.object)
        past = f"already {self.verb.past}" if outcome.replayed else self.verb.past
        message = self.verb.tells.format(row=ledger.describe(self.object), past=past)
        gesture = outcome.gesture
        if outcome.replayed and self.verb.legal(self.object) and not self.verb.repeats:  # and was taken back since
            message, gesture = f"{message[:-1]}, but is {self.object.standing} now.", None
        elif not outcome.replayed:
            message = f"{message} {ledger.taken_along(gesture, self.verb.model)}".strip()
        return self.answer(gesture, message)

    def answer(self, gesture, message):
        """The row as it is now and the message; `gesture` None when there is nothing to undo."""
        if wants_partial(self.request):
            return respond.done(self.request, self.verb, gesture, self.card, [self.object], message, self.next)
        respond.remember(self.request, message, gesture)
        return HttpResponseRedirect(self.next, status=303)

    def mend(self, form):
        """The refused form, ready to be sent again: broken hidden fields are made anew and explained."""
        broken = sorted(HIDDEN & set(form.errors))
        return self.fresh_form(OUT_OF_DATE, *broken) if broken else form

    def fresh_form(self, words, *hidden):
        """What was typed, with these hidden fields made anew; `words` say why, when there is something to say."""
        data = self.make_form(self.request.POST).refreshed(self.request.POST.copy())
        fresh = self.make_form()
        for name in hidden:
            data[name] = str(fresh[name].value())
        form = self.make_form(data)
        if words:
            form.add_error(None, words)
        return form

    def conflict(self, conflict):
        """409 with the truth: for a button's form the fresh card in place of the stale one, for a dialog or a page
        the same form with the words, so that what was typed is still there.
        """
        if conflict.target is None:
            raise Http404(conflict.message)
        if wants_partial(self.request) and not self.verb.form:
            return respond.conflict(self.request, self.card, self.object, conflict.message, self.next)
        self.object = conflict.target
        form = self.fresh_form("", "version", "idempotency_key")
        typed = self.request.POST.get("note", "").strip()
        response = self.refuse(409, form=form, conflict=conflict.message, typed=typed)
        if wants_partial(self.request):
            response.render()
            response.write(respond.behind(self.request, self.card, self.object, conflict.message, self.next))
        return response

    def refuse(self, status, **context):
        self.object = get_object_or_404(self.queryset(), pk=self.object.pk)
        response = self.render_to_response(self.get_context_data(**context))
        response.status_code = status
        if wants_partial(self.request):
            # a card's own form has no room for errors: they open in the dialog
            response["HX-Retarget"], response["HX-Reswap"] = "#dialog-body", "innerHTML"
        return response
