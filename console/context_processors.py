"""What the shell around every page shows: sections, badges, the tag of the poll. Lazy: most partials need none."""

from django.conf import settings
from django.utils.functional import SimpleLazyObject

from console import flags, live, preferences, sections


def shell(request):
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not user.is_staff:
        return {"look": preferences.look_of(request)}
    return {
        "look": preferences.look_of(request),
        "factor_required": settings.SECOND_FACTOR_REQUIRED,
        "sections": SimpleLazyObject(lambda: sections.visible_to(user)),
        "flipped": SimpleLazyObject(lambda: flags.flipped_for(request)),
        "badges": SimpleLazyObject(lambda: live.Badges(sections.visible_to(user), request.session.session_key)),
    }
