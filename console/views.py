"""The shell's own pages: dashboard, the one poll, undo."""

import json

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string

from console import decisions, freshness, ledger, live, respond, sections, verbs
from console.base import ConsoleView, safe_next
from console.errors import alert
from console.forms import VerbForm
from console.htmx import current_path, wants_partial
from console.models import Entry
from console.undo import may_undo, undo

ENTER = "console.enter_console"


class DashboardPage(ConsoleView):
    """What waits, and since when."""

    permission_required = ENTER
    template_name = "console/dashboard.html"

    def get_context_data(self, **kwargs):
        visible = sections.visible_to(self.request.user)
        counts = live.Badges(visible).counts
        tiles = [
            {"section": s, "waiting": counts[s.name], "oldest": s.oldest() if s.oldest else None}
            for s in visible
            if s.waiting
        ]
        empty = {"icon": "coffee", "heading": "Nothing waits for you", "words": "Your role has no queue of its own."}
        shortcuts = sections.shortcuts_of(self.request.user)
        return super().get_context_data(
            tiles=tiles, shortcuts=shortcuts, empty=empty, chart=decisions.chart(), **kwargs
        )


class LivePoll(ConsoleView):
    """The one poll: every badge on the page, out of band. Unchanged polls end in live.UnchangedMiddleware."""

    permission_required = ENTER

    def get(self, request, *args, **kwargs):
        if not wants_partial(request):
            return HttpResponseRedirect("/manage/", status=303)
        here = current_path(request)
        news = respond.newer_at(request, here, whole_number(request.GET.get("seen")))
        if news == whole_number(request.GET.get("told"), 0):
            news = None  # said already: the link that says so may have the focus
        changed, spoken = live.changes(request, request.GET.getlist("watch"), here)
        context = {"news": news, "here": here, "changed": changed, "spoken": spoken}
        response = HttpResponse(render_to_string("console/_live.html", context, request))
        if news:
            response["HX-Trigger"] = json.dumps({"attendant:news": {"count": news}})
        return response


def whole_number(text, default=None):
    """A number that a database key can be, or the default."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else default


class UndoView(ConsoleView):
    """Undoes the whole gesture that the entry belongs to."""

    permission_required = ENTER
    template_name = "console/undo.html"

    def prepare(self):
        self.entry = get_object_or_404(Entry.objects.select_related("batch__actor"), pk=self.kwargs["pk"])
        self.gesture = self.entry.batch
        if not may_undo(self.request.user, self.gesture):
            declared = verbs.get(self.gesture.verb)
            if declared and declared.final:
                raise PermissionDenied(declared.final)
            raise PermissionDenied("Only the person who did this, or a senior moderator, can undo it.")
        types = [
            self.entry.target_type,
            *self.gesture.entries.order_by("id").values_list("target_type", flat=True)[:50],
        ]
        self.card = next(filter(None, map(respond.card_for, types)))
        self.next = safe_next(self.request, self.card.list_url())

    def get_context_data(self, **kwargs):
        rows = ledger.targets_of(self.gesture)
        return super().get_context_data(
            entry=self.entry,
            gesture=self.gesture,
            declared=verbs.get(self.gesture.verb),
            targets=[ledger.describe(row) for row in rows[:10]],
            more=len(rows) - 10,
            here=self.next,
            **kwargs,
        )

    def post(self, request, *args, **kwargs):
        declared = verbs.get(self.gesture.verb)
        if declared and declared.fresh and not freshness.is_fresh(request):
            return freshness.ask(request)
        form = VerbForm(request.POST)
        if not form.is_valid():
            return self.refuse(422, "This page is out of date. Reload it and try again.")
        data = form.cleaned_data
        try:
            result = undo(
                self.gesture,
                by=request.user,
                key=data["idempotency_key"],
                origin=self.origin,
                seen=data["version"],
            )
        except ledger.Conflict as conflict:
            return self.refuse(409, conflict.message)
        except ledger.KeyReused:
            return self.refuse(422, "This form was sent before with other content. Nothing was changed.")
        return self.succeed(result)

    def succeed(self, result):
        said = "This was undone before." if result.replayed else "Undone."
        stands = ledger.standing(result.restored, "now" if result.replayed else "again")
        message = " ".join(filter(None, [said, stands, ledger.some(result.moved_on)]))
        if wants_partial(self.request):
            here = current_path(self.request, self.next)
            return respond.undone(self.request, self.card, result, message, here)
        messages.success(self.request, message)
        return HttpResponseRedirect(self.next, status=303)

    def refuse(self, status, message):
        if wants_partial(self.request):
            return alert(self.request, status, message)
        response = self.render_to_response(self.get_context_data(problem=message))
        response.status_code = status
        return response
