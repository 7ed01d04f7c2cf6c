"""The shell's own pages: dashboard, the one poll, undo, and whether the process is well."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.cache import caches
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from console import ledger, live, respond, sections
from console.base import ConsoleView, safe_next, wants_partial
from console.errors import alert
from console.forms import VerbForm
from console.models import Entry

ENTER = "console.enter_console"


class DashboardPage(ConsoleView):
    """What waits, and since when."""

    permission_required = ENTER
    template_name = "console/dashboard.html"

    def get_context_data(self, **kwargs):
        visible = sections.visible_to(self.request.user)
        counts = live.counts(visible)
        tiles = [
            {"section": s, "waiting": counts[s.name], "oldest": s.oldest() if s.oldest else None}
            for s in visible
            if s.waiting
        ]
        empty = {"icon": "coffee", "heading": "Nothing waits for you", "words": "Your role has no queue of its own."}
        return super().get_context_data(tiles=tiles, empty=empty, **kwargs)


class LivePoll(ConsoleView):
    """The one poll: every badge on the page, out of band. Unchanged polls end in live.UnchangedMiddleware."""

    permission_required = ENTER

    def get(self, request, *args, **kwargs):
        if not wants_partial(request):
            return HttpResponseRedirect("/manage/", status=303)
        context = {"badges": live.counts(sections.visible_to(request.user))}
        return HttpResponse(render_to_string("console/_live.html", context, request))


class UndoView(ConsoleView):
    """Undoes the whole gesture that the entry belongs to."""

    permission_required = ENTER
    template_name = "console/undo.html"

    def dispatch(self, request, *args, **kwargs):
        entries = Entry.objects.select_related("batch__actor", "batch__undone_by__actor")
        self.entry = get_object_or_404(entries, pk=kwargs["pk"])
        self.gesture = self.entry.batch
        self.card = respond.card_for(self.entry.target_type)
        self.next = safe_next(request, self.card.list_url())
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs):
        kwargs.setdefault("form", VerbForm(initial={"version": 0, "next": self.next}))
        count = self.gesture.entries.count()
        return super().get_context_data(entry=self.entry, gesture=self.gesture, count=count, here=self.next, **kwargs)

    def post(self, request, *args, **kwargs):
        form = VerbForm(request.POST)
        if not ledger.may_undo(request.user, self.gesture):
            return self.refuse(403, "Only the person who did this, or a senior moderator, can undo it.")
        if not form.is_valid():
            return self.refuse(422, "This page is out of date. Reload it and try again.")
        data = form.cleaned_data
        try:
            result = ledger.undo(
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
        message = " ".join([f"Undone. {_standing(result.restored)}", *result.moved_on])
        if wants_partial(self.request):
            rows = list(self.card.queryset().filter(pk__in=[row.pk for row in result.restored][:25]))
            return respond.undone(self.request, self.card, rows, message, self.next)
        messages.success(self.request, message)
        return HttpResponseRedirect(self.next, status=303)

    def refuse(self, status, message):
        if wants_partial(self.request):
            return alert(self.request, status, message)
        response = self.render_to_response(self.get_context_data(problem=message))
        response.status_code = status
        return response


def _standing(rows):
    """How the restored rows stand now, in words."""
    if len(rows) == 1:
        row = rows[0]
        state = f" is {row.get_status_display().lower()} again" if hasattr(row, "status") else " is back"
        return f"{ledger.describe(row)}{state}."
    return f"{len(rows)} are as they were."


@login_not_required
@require_safe
def healthz(request):
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@require_safe
def readyz(request):
    """Whether it can serve: degraded without Redis, down (503) without database or with migrations missing."""
    checks = {"database": "ok", "migrations": "ok", "redis": "ok"}
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            checks["migrations"] = "missing"
    except DatabaseError:
        checks["database"] = checks["migrations"] = "down"
    if not caches["hot"].set("readyz", 1, timeout=5):
        checks["redis"] = "down"
    down = checks["database"] != "ok" or checks["migrations"] != "ok"
    status = "down" if down else "degraded" if checks["redis"] != "ok" else "ok"
    return JsonResponse({"status": status, "checks": checks}, status=503 if down else 200)
