"""Doors beside the matrix: emergency access, views that forgot their permission, pieces that are switched off."""

import pytest
from django.http import Http404
from django.urls import URLPattern, get_resolver
from waffle.testutils import override_flag

from console.base import ConsoleView


def admin_routes():
    (site,) = [pattern for pattern in get_resolver().url_patterns if getattr(pattern, "namespace", "") == "admin"]
    found = []
    for pattern in site.url_patterns:
        parts = [pattern] if isinstance(pattern, URLPattern) else pattern.url_patterns
        stem = "" if isinstance(pattern, URLPattern) else str(pattern.pattern)
        found += [f"/admin/{stem}{part.pattern}" for part in parts if isinstance(part, URLPattern)]
    return found


def test_emergency_access_is_for_operators_in_every_place(nobody, lea, olga):
    seen = 0
    for route in admin_routes():
        path = route.replace("<path:object_id>", "1").replace("<id>", "1").split("(")[0].rstrip("$")
        for person in (nobody, lea):
            for method in (person.get, person.post):
                response = method(path)
                shut = response.status_code == 403 or (
                    response.status_code == 302 and "/login/" in response["Location"]
                )
                assert shut or "logout" in path or "<" in path, (path, response.status_code)
                seen += shut
    assert seen > 300
    assert olga.get("/admin/").status_code == 200


def test_a_view_without_a_permission_cannot_be_routed():
    from django.core.exceptions import ImproperlyConfigured

    class Careless(ConsoleView):
        template_name = "console/dashboard.html"

    with pytest.raises(ImproperlyConfigured, match="names no permission"):
        Careless.as_view()


class Beta(ConsoleView):
    permission_required = "console.enter_console"
    template_name = "console/dashboard.html"
    flag = "a_new_thing"


def test_a_page_behind_a_flag_is_a_404_while_it_is_off(moses, rf):
    for on in (False, True):
        request = rf.get("/")
        request.user, request.htmx, request.id = moses.user, False, "r1"
        with override_flag("a_new_thing", active=on):
            if on:
                assert Beta.as_view()(request).status_code == 200
            else:
                with pytest.raises(Http404):
                    Beta.as_view()(request)
