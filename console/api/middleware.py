"""Answers whatever is asked below /api/, before sessions, cookies and people come into play: those who ask are
programs, a thousand times a second.
"""

from django.conf import settings
from django.urls import resolve

from console import logs
from console.api import problems
from console.api.problems import Problem

ROOT = "/api/"
PLAIN = "This was asked without encryption. Ask by https, and make a new token: this one may have been read."
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class ApiMiddleware:
    """No request for the API goes on to the console."""

    def __init__(self, get_response):
        self.get_response = get_response
        self.headers = dict(HEADERS)
        if settings.SECURE_HSTS_SECONDS:
            policy = f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains; preload"
            self.headers["Strict-Transport-Security"] = policy

    def __call__(self, request):
        if not request.path_info.startswith(ROOT):
            return self.get_response(request)
        try:
            response = self.answer(request)
        except Exception as error:  # noqa: BLE001  (a traceback is logged; whoever asked is a program, and told so)
            response = problems.answer(request, error)
        for name, value in self.headers.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Length", str(len(response.content)))
        return response

    @staticmethod
    def answer(request):
        request.get_host()  # raises for a name that is none of ours
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            raise Problem(403, PLAIN)
        request.resolver_match = found = resolve(request.path_info)
        logs.doing().view = found.view_name
        return found.func(request, *found.args, **found.kwargs)
