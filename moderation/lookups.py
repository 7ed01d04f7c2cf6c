"""What select2 asks while somebody types into a field for several things (moderation.widgets)."""

from django.core import signing
from django.http import Http404, JsonResponse
from django_select2.views import AutoResponseView

from console.base import ConsoleView
from moderation.widgets import LEAST, SALT


class LookupView(ConsoleView, AutoResponseView):
    """Answers for a field that was drawn for this very person; the library's own view would answer any account."""

    limit, limit_on = "search", ("GET", "HEAD")

    def get(self, request, *args, **kwargs):
        term = request.GET.get("term", "").replace("\0", "").strip()[:200]
        self.kwargs["field_id"] = self.key_of(request.GET.get("field_id", ""))
        if len(term) < LEAST:
            self.get_widget_or_404()
            return JsonResponse({"results": [], "more": False})
        return AutoResponseView.get(self, request, term=term)

    def key_of(self, field_id):
        """The field's key as the library signs it. Raises Http404 for what was forged, or drawn for somebody else."""
        try:
            key, asked_by = signing.loads(field_id, salt=SALT)
        except (signing.BadSignature, ValueError, TypeError):
            raise Http404("That field is none of ours.") from None
        if asked_by != self.request.user.pk:
            raise Http404("That field is somebody else's.")
        return signing.dumps(key)
