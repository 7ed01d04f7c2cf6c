"""What every answer carries and every request must pass."""

import logging
import re
import time
import uuid

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions import middleware as sessions
from django.shortcuts import render, resolve_url
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.http import urlencode

from console import clientip, errors, limits, logs, meter
from console.errors import alert, is_account, too_many
from console.htmx import current_path, wants_partial

log = logging.getLogger("attendant.access")
_HARMLESS = re.compile(r"[\w.-]{8,64}", re.ASCII)


def view_of(request):
    """The name of the address that was asked; "none" when there is no such address. There are only so many of them."""
    found = request.resolver_match
    if found:
        return found.view_name
    return "static" if request.path_info.startswith(settings.STATIC_URL) else getattr(request, "answered_by", "none")


class RequestIdMiddleware:
    """Gives each request an id: from a proxy of ours if it sent one, else new. Logs, SQL and answers carry it. And
    counts it (console.meter). A proxy of ours is told the view's name, too, for its log: it takes that off the answer.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.id, began = self._given(request) or uuid.uuid4().hex, time.perf_counter()
        with logs.of_request(request.id, request=request) as doing:
            response = self.get_response(request)
            doing.view = view_of(request)
            took = 1000 * (time.perf_counter() - began)
            meter.count(doing.view, request.method, response.status_code, took, getattr(request, "decided_flags", None))
            self._log(request, response.status_code, took, doing)
        response["X-Request-ID"] = request.id
        if clientip.is_from_proxy(request):
            response["X-View"] = doing.view
        return response

    def process_view(self, request, *view):
        """From here on the address's name is known, to log lines and SQL."""
        logs.doing().view = view_of(request)

    def _log(self, request, status, took, doing):
        """Without the query string: what people search for is nobody's business."""
        told = {"method": request.method, "path": request.path, "status": status, "ms": round(took, 1)}
        told |= {"view": doing.view, "queries": doing.queries}
        who = getattr(request, "caller", "") or (f" staff {doing.actor()}" if doing.actor() else "")
        words = "{method} {path} {status} {ms:.0f} ms, {view}, {queries} queries".format_map(told)
        log.log(self._level(request), "%s%s", words, who, extra={"told": told | {"path": logs.one_line(request.path)}})

    @staticmethod
    def _level(request):
        """Polls and probes come every few seconds; they would hide everything else."""
        return logging.DEBUG if request.path in ("/manage/live/", "/healthz", "/readyz", "/metrics") else logging.INFO

    @staticmethod
    def _given(request):
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        return given if clientip.is_from_proxy(request) and _HARMLESS.fullmatch(given) else None


class ProxyMiddleware:
    """Whether a request came by TLS is told by proxies of ours alone (settings.SECURE_PROXY_SSL_HEADER)."""

    header = "HTTP_X_FORWARDED_PROTO"

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        told = request.META.pop(self.header, "")
        if told and clientip.is_from_proxy(request):
            request.META[self.header] = told.rsplit(",", 1)[-1].strip()  # the last was written by our own
        return self.get_response(request)


class AccountLimitMiddleware:
    """Counts whatever is posted to sign-in and its kin, by address (console.limits)."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.method == "POST" and is_account(request):
            name = "reset" if request.path.startswith(resolve_url("account_reset_password")) else "sign-in"
            if seconds := limits.wait(name, request, person=""):
                return too_many(request, seconds)
        return self.get_response(request)


class HeadersMiddleware:
    """Nothing personal is kept by caches or read by other sites, and no page gets a sensor of the device."""

    permissions_policy = "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()"

    vary = ("Cookie", "HX-Request", "HX-Boosted", "HX-History-Restore-Request")  # what decides: page or fragment

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        response["Permissions-Policy"] = self.permissions_policy
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        if not response.has_header("Cache-Control"):  # static files have set their own
            add_never_cache_headers(response)
        if request.method == "POST" and request.path == resolve_url("account_logout") and response.status_code == 302:
            response["Clear-Site-Data"] = '"cache", "storage"'  # Back must not bring back what was seen
        if "no-store" in response["Cache-Control"]:
            patch_vary_headers(response, self.vary)
        return response


class WordsMiddleware:
    """What no browser asks for is refused before a view sees it: library views take PUT for POST. A 405 has no body,
    whoever it comes from, and gets ours, as a page or as a fragment.
    """

    known = ("GET", "HEAD", "POST", "OPTIONS")

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.method not in self.known:
            return errors.method_not_allowed(request, self.known)
        response = self.get_response(request)
        if response.status_code != 405 or response.streaming or response.content:
            return response
        return errors.method_not_allowed(request, [response["Allow"]])


class SessionMiddleware(sessions.SessionMiddleware):
    """Django's, for cookies that could be ours: a NUL in one is refused by the database as an error."""

    def process_request(self, request):
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        if key and not (key.isascii() and key.isalnum()):
            del request.COOKIES[settings.SESSION_COOKIE_NAME]
        super().process_request(request)


# what forms carry by themselves, and what must not be shown again
_NOT_TYPED = re.compile(r"csrfmiddlewaretoken|version|idempotency_key|next|selected|verb|shown|ask|.*password.*|code")


def _typed(data):
    """What somebody wrote or chose on a form, as text to be copied."""
    kept = {n: data[n].strip() for n in data if data[n].strip() and not _NOT_TYPED.fullmatch(n)}
    if list(kept) == ["note"]:
        return kept["note"]
    return "\n".join(f"{name.replace('_', ' ').capitalize()}: {text}" for name, text in kept.items())


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
            typed = _typed(request.POST) if self._is_short_form(request) else ""
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
