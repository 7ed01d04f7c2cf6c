"""What every answer carries and every request must pass."""

import logging
import re
import time
import uuid

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions import middleware as sessions
from django.db import connection
from django.shortcuts import render, resolve_url
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.http import urlencode

from console import clientip, logs, prepared
from console.errors import alert
from console.htmx import current_path, wants_partial

log = logging.getLogger("attendant.access")
_HARMLESS = re.compile(r"[\w.-]{8,64}")


class RequestIdMiddleware:
    """Gives each request an id: from a proxy of ours if it sent one, else new. Logs, SQL and answers carry it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.id = self._given(request) or uuid.uuid4().hex
        token, started = logs.request_id.set(request.id), time.monotonic()
        try:
            with connection.execute_wrapper(self._comment(request.id)):
                response = self.get_response(request)
            took = 1000 * (time.monotonic() - started)
            # without the query string: what people search for is nobody's business
            log.log(self._level(request), "%s %s %s %.0f ms", request.method, request.path, response.status_code, took)
        finally:
            logs.request_id.reset(token)
        response["X-Request-ID"] = request.id
        return response

    @staticmethod
    def _level(request):
        """Polls and probes come every few seconds; they would hide everything else."""
        return logging.DEBUG if request.path in ("/manage/live/", "/healthz", "/readyz") else logging.INFO

    @staticmethod
    def _given(request):
        given = request.headers.get("X-Request-ID", "")
        peer = clientip.parse(request.META.get("REMOTE_ADDR", ""))
        trusted = peer is not None and clientip.is_trusted_proxy(peer)
        return given if trusted and _HARMLESS.fullmatch(given) else None

    @staticmethod
    def _comment(request_id):
        def wrapper(execute, sql, params, many, context):
            named = sql if prepared.is_prepared(context) else f"{sql} /* {request_id} */"
            return execute(named, params, many, context)

        return wrapper


class HeadersMiddleware:
    """Nothing personal is kept by caches, and no page gets a sensor of the device."""

    permissions_policy = "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()"

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        response["Permissions-Policy"] = self.permissions_policy
        if not response.has_header("Cache-Control"):  # static files have set their own
            add_never_cache_headers(response)
        if request.method == "POST" and request.path == resolve_url("account_logout") and response.status_code == 302:
            response["Clear-Site-Data"] = '"cache", "storage"'  # Back must not bring back what was seen
        if "no-store" in response["Cache-Control"]:
            patch_vary_headers(response, ["Cookie", "HX-Request"])
        return response


class SessionMiddleware(sessions.SessionMiddleware):
    """Django's, for cookies that could be ours: a NUL in one is refused by the database as an error."""

    def process_request(self, request):
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        if key and not (key.isascii() and key.isalnum()):
            del request.COOKIES[settings.SESSION_COOKIE_NAME]
        super().process_request(request)


class ConsoleLoginMiddleware(LoginRequiredMiddleware):
    """Everything needs a signed-in person unless its view says otherwise.

    Never redirects htmx: the sign-in page would land inside a card. It gets 401 and words in #alert, whose link
    opens a new tab, so that what was typed stays.
    """

    @staticmethod
    def _is_short_form(request):
        """Whose body may be read before its sender is known: no more than somebody types."""
        length = request.META.get("CONTENT_LENGTH") or "0"
        return request.method == "POST" and length.isdecimal() and int(length) < 64 * 1024

    def handle_no_permission(self, request, view_func):
        login = resolve_url(self.get_login_url(view_func))
        if not wants_partial(request):
            typed = request.POST.get("note", "").strip() if self._is_short_form(request) else ""
            if typed:  # a redirect would lose it
                sign_in = f"{login}?{urlencode({'next': request.path})}"
                return render(None, "session_ended.html", {"sign_in": sign_in, "typed": typed}, status=401)
            return redirect_to_login(request.get_full_path(), login, self.get_redirect_field_name(view_func))
        back = current_path(request)
        return alert(
            request,
            401,
            "Your session has ended. Nothing was changed.",
            link=f"{login}?{urlencode({'next': back})}",
            link_text="Sign in",
        )
