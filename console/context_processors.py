"""What the shell around every page shows: sections with badges, and the tag of the poll. Lazy: partials skip it."""

from django.utils.functional import SimpleLazyObject

from console import live, sections


def shell(request):
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not user.is_staff:
        return {}
    visible = SimpleLazyObject(lambda: sections.visible_to(user))
    return {
        "sections": visible,
        "badges": SimpleLazyObject(lambda: live.counts(visible)),
        "live_tag": SimpleLazyObject(lambda: live.tag(request.session.session_key)),
    }
