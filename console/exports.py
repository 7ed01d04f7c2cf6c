"""Lists leave the console as files: what the list at hand shows, all pages, in its order, and always on record."""

import uuid

from django.conf import settings
from django.db import transaction
from django.http import StreamingHttpResponse
from django.utils import timezone

from console import ledger
from console.actions import hand_out
from console.base import KEY_REUSED, ConsoleView, clean_query, in_dialog, redirect, with_params
from console.exporting import actions
from console.exporting.sources import CSV
from console.models import Export

UNKNOWN = "Choose one of the formats on offer. Nothing was exported."


class ExportView(ConsoleView):
    """GET asks for the format. POST puts the export on record, then streams it; with more than EXPORT_STREAM_ROWS it
    has a job write the file, and leads to the page about it.
    """

    template_name = "console/export.html"
    fresh = True
    limit = "export"
    source_class = None
    hint = ""  # what else the page says about the formats

    def prepare(self):
        query = clean_query(self.request.GET, self.source_class.page.filterset_class.defaults)
        self.source = self.source_class(self.request.user, with_params(query, format="", per=""))

    def count(self):
        """How many rows there are, or None for so many that a job writes them."""
        number = self.source.count(settings.EXPORT_STREAM_ROWS)
        return number if number <= settings.EXPORT_STREAM_ROWS else None

    def get_context_data(self, **kwargs):
        source, back = self.source, self.request.path.removesuffix("export/")
        return super().get_context_data(
            filter=source.filterset,
            noun=source.noun,
            number=self.count() if source.is_valid() else None,
            most=settings.EXPORT_STREAM_ROWS,
            hours=settings.EXPORT_HOURS,
            hint=self.hint,
            formats=[(name, each.label) for name, each in source.formats.items()],
            action=f"{self.request.path}?{source.query.urlencode()}",
            here=f"{back}?{source.query.urlencode()}" if source.query else back,
            in_dialog=in_dialog(self.request),
            **kwargs,
        )

    def post(self, request, *args, **kwargs):
        wanted = request.POST.get("format") or request.GET.get("format") or CSV
        if wanted not in self.source.formats or not self.source.is_valid():
            return self.refuse("" if wanted in self.source.formats else UNKNOWN)
        self.source.choose(wanted)
        number = self.count()
        return self.ask() if number is None and self.source.name else self.stream(number)

    def refuse(self, problem):
        return self.render_to_response(self.get_context_data(problem=problem), status=422)

    def ask(self):
        sent = {"by": self.request.user, "key": key_of(self.request.POST), "origin": self.origin}
        try:
            outcome = actions.ask_for(self.source, **sent)
        except ledger.Conflict as conflict:
            return self.refuse(conflict.message)
        except ledger.KeyReused:
            return self.refuse(KEY_REUSED)
        return redirect(self.request, outcome.done[0].get_absolute_url())

    def stream(self, number):
        """The form's key is not looked at: whatever leaves twice is on record twice."""
        source = self.source
        with transaction.atomic():
            export = Export.objects.create()
            outcome = hand_out(export, number=number, **actions.told(source, self.request.user, self.origin))
        source.own = outcome.gesture.pk
        return as_file(source, source.pieces())


def key_of(data):
    """The form's idempotency key; None when there is none."""
    try:
        return uuid.UUID(data.get("idempotency_key", ""))
    except ValueError:
        return None


def as_file(source, pieces, at=None):
    """The answer that a browser keeps as a file."""
    response = StreamingHttpResponse(pieces, content_type=source.formats[source.format].content_type)
    response["Content-Disposition"] = f'attachment; filename="{source.file_name(at or timezone.now())}"'
    return response
