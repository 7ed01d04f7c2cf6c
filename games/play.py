"""The page on which staff try a build, and see what it did. The game itself comes from games.preview."""

from django.conf import settings

from console.base import DetailPage, safe_next
from games import preview
from games.models import Build, Finding


class PlayPage(DetailPage):
    permission_required = "games.view_game"
    template_name = "games/play.html"

    def get_queryset(self):
        return Build.objects.select_related("game")

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        build = self.object
        context.update(
            build=build,
            back=safe_next(self.request, build.get_absolute_url()),
            src=preview.play_url(build, self.request),
            why=why_not(build),
            findings=build.findings.filter(source=Finding.PLAY).order_by("id"),
        )
        return context

    def render_to_response(self, context, **kwargs):
        response = super().render_to_response(context, **kwargs)
        if context["src"]:
            # as django-csp's csp_update does, which knows no values that differ from one answer to the next
            response._csp_update = {"frame-src": [preview.origin_of(self.object)]}
        return response


def why_not(build):
    """Why the build cannot be played, in words; "" when it can."""
    if not settings.PREVIEW_ORIGIN:
        return "Games cannot be tried here: no address is set up for the sandbox. An operator can set PREVIEW_ORIGIN."
    if build.is_playable:
        return ""
    if build.is_processing:
        return "This build is still being processed. It can be played once it is ready."
    if build.swept_at:
        return "This build cannot be played any more: its files were removed."
    return f"This build was {build.state} before all of its files were stored, so there is nothing to play."
