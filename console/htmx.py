"""What htmx asks for, and from where: nothing here decides who may do what, since any client can send its headers."""


def wants_partial(request):
    """htmx gets the fragment; a history restore or a boosted link needs the whole page."""
    htmx = getattr(request, "htmx", False)
    return bool(htmx) and not htmx.history_restore_request and not htmx.boosted


def current_path(request, default="/manage/"):
    """Path and query of the page htmx asks from, when it is one of ours."""
    try:
        return request.htmx.current_url_abs_path or default
    except ValueError:  # the header held no address at all
        return default
