"""One's own exports: the list of them, one of them while it is being written and when it can be fetched, the file."""

import logging

from django.contrib import messages
from django.core.files.storage import default_storage
from django.db import transaction
from django.http import Http404, HttpResponseRedirect
from django.urls import reverse

from console import respond, verbs
from console.actions import hand_out
from console.base import ConsoleView, DetailPage, VerbView
from console.exporting import sources, work
from console.exporting.actions import ENTER, EXPORT
from console.exporting.models import CANCELLED, FAILED
from console.exports import as_file
from console.filters import narrowed
from console.models import Export

log = logging.getLogger("attendant.exports")
LATEST = 50
NONE = {
    "icon": "download",
    "heading": "No exports yet",
    "words": "A list that is short is handed out at once. One with very many rows is written first, and waits here.",
}
_PIECE = 64 * 1024
AWAY = "The file cannot be read just now. Try again in a minute; if that does not help, ask for the export again."
LESS = "Your role sees less than it did when this file was written. Ask for the export again."


def exports_url():
    return reverse("console:exports")


def exports_of(user):
    """Those that jobs write for this person; nobody sees another's."""
    return Export.objects.filter(owner=user).exclude(asked_at=None).select_related("job")


def is_withheld(export, user):
    """Whether the person may not have what is in the file any more."""
    kind = sources.get(export.source)
    return kind is None or not all(map(user.has_perm, {kind.permission, *export.held}))


class ExportsPage(ConsoleView):
    permission_required = ENTER
    template_name = "console/exports.html"
    root = "#results"

    def get_context_data(self, **kwargs):
        found = exports_of(self.request.user).order_by("-id")[:LATEST]
        answering = getattr(self.request, "answering", {})
        return super().get_context_data(
            exports=[(export, seen_as(export)) for export in found],
            empty=NONE,
            here=self.request.get_full_path(),
            **answering,
            **kwargs,
        )


class ExportPage(DetailPage):
    permission_required = ENTER
    template_name = "console/exported.html"

    def get_queryset(self):
        return exports_of(self.request.user)

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        export, user = self.object, self.request.user
        return context | {
            "export": export,
            "job": export.job,
            "offered": verbs.offered(EXPORT, user),
            "seen": seen_as(export),
            "withheld": LESS if export.is_ready and is_withheld(export, user) else "",
            **filter_of(export, user),
        }


def filter_of(export, user):
    """What it was narrowed by in words, and where it is asked for again ("" when that is not known any more)."""
    kind, entry = sources.get(export.source), work.asking(export)
    query = work.query_of(entry) if entry else None
    if kind is None or query is None:
        return {"chips": [], "is_erased": True, "again": ""}
    filterset = kind(user, query).filterset
    chips = narrowed(filterset, query, [name for name in filterset.form.fields if name != "per"])
    return {"chips": chips, "is_erased": False, "again": f"{reverse(kind.url)}?{query.urlencode()}"}


class ExportFile(ConsoleView):
    """POST hands out the file, each time on record; GET leads to the page about it."""

    permission_required = ENTER
    fresh = True
    limit = "export"
    http_method_names = ("get", "head", "post")

    def prepare(self):
        self.object = exports_of(self.request.user).filter(pk=self.kwargs["pk"]).first()
        if self.object is None:
            raise Http404("There is no such export.")

    def get(self, request, *args, **kwargs):
        return HttpResponseRedirect(self.object.get_absolute_url(), status=303)

    def post(self, request, *args, **kwargs):
        export = self.object
        if not export.is_ready or is_withheld(export, request.user):
            return HttpResponseRedirect(export.get_absolute_url(), status=303)
        try:
            pieces = stored(export.file)
        except Exception:  # each kind of storage has errors of its own
            log.exception("the file of export %s could not be opened", export.pk)
            messages.warning(request, AWAY)
            return HttpResponseRedirect(export.get_absolute_url(), status=303)
        self.record()
        source = sources.get(export.source)(request.user)
        source.choose(export.format)
        response = as_file(source, pieces, export.asked_at)
        response["Content-Length"] = str(export.size)
        return response

    def record(self):
        """Before the first byte leaves."""
        entry = work.asking(self.object)
        query = work.query_of(entry)
        with transaction.atomic():
            export = Export.objects.select_for_update(of=("self",)).select_related("job").get(pk=self.object.pk)
            about = {"what": export.what, "format": export.format, "number": export.job.result.get("written")}
            note = query.urlencode() if query else ""
            hand_out(export, by=self.request.user, note=note, origin=self.origin, **about)


def stored(name):
    """The bytes of a file in the storage, piece by piece; the file is opened at once."""
    file = default_storage.open(name)
    if hasattr(file, "obj"):  # S3: its file would first be copied here as a whole
        file.close()
        return file.obj.get()["Body"].iter_chunks(_PIECE)
    return iter(lambda: file.read(_PIECE), b"")


class ExportVerb(VerbView):
    queryset = staticmethod(lambda: Export.objects.select_related("job"))

    def prepare(self):
        self.card = CARD
        super().prepare()
        if self.object.owner_id != self.request.user.pk:
            raise Http404("There is no such export.")


def seen_as(export):
    """State and progress in letters, for polls."""
    done = f"{export.job.progress:03d}" if export.is_open else ""
    return export.state + "".join("abcdefghij"[int(digit)] for digit in done)


def bring_up_to_date(request, seen, here):
    """For polls (console.live.watch): exports `{id: seen_as}` that have come further since, and what to say."""
    found = exports_of(request.user).filter(pk__in=seen)
    moved = [each for each in found if seen_as(each) != seen[each.pk]]
    if not moved or respond.root_of(here) not in ("#item", "#results"):
        return "", ""
    over = [each for each in moved if not each.is_open]
    return respond.partial_at(request, here, oob=True), _spoken(over[0]) if over else ""


def _spoken(export):
    ends = {FAILED: "could not be written", CANCELLED: "was cancelled"}
    return f"The list {export.personal_label} {ends.get(export.state, 'is ready')}."


CARD = respond.Card(
    model=EXPORT,
    summary="console/_export_summary.html",
    queryset=lambda: Export.objects.select_related("job"),
    list_url=exports_url,
)
