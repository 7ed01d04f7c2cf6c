"""The sandbox: plays builds for whoever holds an address that was signed for one, on a host of the build's own, where
no cookie is read or set, no page of the console is to be had, and from where no other host can be reached.

The host says which build, the path which file; both only by comparing with what was unpacked.
"""

import logging
import re
import time
from dataclasses import astuple, dataclass
from functools import lru_cache, partial
from urllib.parse import quote

from django.conf import settings
from django.core import signing
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse

from games import mime, probe, serving
from games.models import Build

log = logging.getLogger("attendant.preview")
VALID_S = 15 * 60
KNOWN_S = 3  # for how long a build that was swept away or rolled back may go on
INJECTED = 2 * 1024 * 1024  # larger documents are served without our script
OURS = ".attendant/"  # no file of a build can be called that: the inspector refuses hidden ones
_ORIGIN = re.compile(r"https?://\{build\}\.([a-z0-9-]+(?:\.[a-z0-9-]+)*)(?::\d+)?/?")
_signer = signing.Signer(salt="games.preview", sep=".")

# all that ask for something of the device or of the person; not what games are played with: autoplay, gamepad, sync-xhr
_OFF = """accelerometer browsing-topics camera captured-surface-control clipboard-read clipboard-write
    compute-pressure digital-credentials-create digital-credentials-get display-capture encrypted-media fullscreen
    geolocation gyroscope hid identity-credentials-get idle-detection keyboard-map language-detector language-model
    local-fonts local-network local-network-access loopback-network magnetometer microphone midi
    on-device-speech-recognition otp-credentials payment picture-in-picture private-state-token-issuance
    private-state-token-redemption publickey-credentials-create publickey-credentials-get screen-wake-lock serial
    speaker-selection storage-access summarizer translator usb window-management xr-spatial-tracking"""
HEADERS = {
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",  # in the frame a game has no origin, and ES modules ask for leave
    "X-Content-Type-Options": "nosniff",
    "X-DNS-Prefetch-Control": "off",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _OFF.split()),
}
POLICY = (
    "sandbox allow-scripts allow-same-origin allow-pointer-lock; "
    "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; connect-src 'self' data: blob:; "
    "object-src 'none'; form-action 'none'; base-uri 'self'"
)


@dataclass(frozen=True)
class Ticket:
    """What a signed address says: which build, who may frame it, until when (seconds since 1970)."""

    build: str
    console: str
    expires: int

    def sign(self):
        return _signer.sign_object(astuple(self))

    @classmethod
    def read(cls, signed, build):
        """The ticket, also when its time is over; None when it is none of ours or for another build."""
        try:
            ticket = cls(*_signer.unsign_object(signed))
        except (signing.BadSignature, ValueError):
            return None
        return ticket if ticket.build == build else None


def play_url(build, request) -> str:
    """Where the build can be played for the next minutes, framed by the request's console or alone; "" if nowhere."""
    if not settings.PREVIEW_ORIGIN or not build.is_playable:
        return ""
    console = f"{request.scheme}://{request.get_host()}"
    # by the minute, so that whoever looks twice finds the files of a large game in the browser's cache
    expires = int(time.time()) // 60 * 60 + VALID_S
    return f"{origin_of(build)}/{Ticket(build.prefix.hex, console, expires).sign()}/index.html"


def origin_of(build) -> str:
    """The build's own origin, for the console's `frame-src`."""
    return settings.PREVIEW_ORIGIN.replace("{build}", build.prefix.hex).rstrip("/")


@lru_cache(maxsize=8)
def _domain(pattern):
    """The domain under which each build has its host. Raises ImproperlyConfigured."""
    match = _ORIGIN.fullmatch(pattern)
    if not match:
        raise ImproperlyConfigured("PREVIEW_ORIGIN has to look like https://{build}.play.example.net, or be empty.")
    return match[1]


def label_of(request):
    """What stands before the sandbox's domain in the request's host, or None: then it is the console's."""
    if not settings.PREVIEW_ORIGIN:
        return None
    domain = _domain(settings.PREVIEW_ORIGIN)
    host = (request.META.get("HTTP_HOST") or request.META.get("SERVER_NAME", "")).strip().lower()
    name = f".{host.partition(':')[0].rstrip('.')}"
    return name.removesuffix(f".{domain}")[1:] if name.endswith(f".{domain}") else None


class PreviewMiddleware:
    """Answers every request for the sandbox, whatever its address: none of them goes on to the console."""

    def __init__(self, get_response):
        self.get_response = get_response
        if settings.PREVIEW_ORIGIN:
            _domain(settings.PREVIEW_ORIGIN)  # a mistake in it ends the start, not a request

    def __call__(self, request):
        label = label_of(request)
        if label is None:
            return self.get_response(request)
        request.answered_by = "preview"
        signed, slash, path = request.path_info.removeprefix("/").partition("/")
        request.path = f"/{label}/{path}"  # what the log shows: addresses that still open something do not belong there
        ticket = Ticket.read(signed, label)
        try:
            response = _answer(request, ticket, signed, path if slash else None)
        except Exception:
            log.exception("a file of a build could not be served")
            response = _text(503, "This could not be loaded just now. Try again.")
        return _seal(response, ticket, signed)


def _answer(request, ticket, signed, path):
    if ticket is None or path is None:
        return _text(404, "There is nothing here.")
    if ticket.expires <= time.time():
        return _text(403, "This address was good for 15 minutes. Open the game anew from the console.")
    if path.startswith(OURS):
        return _ours(request, ticket, path.removeprefix(OURS))
    if request.method not in ("GET", "HEAD"):
        return _not_allowed("GET, HEAD")
    if "Service-Worker" in request.headers:  # one could answer in our place, without the policy
        return _text(404, "Service workers are not played with.")
    build = _find(ticket.build)
    if path.endswith("/") or not path:
        path += "index.html"
    if build is None or path not in build["files"]:
        return _text(404, "The build has no such file.")
    return _file(request, ticket.build, path, build["files"][path], f"/{signed}/{OURS}probe.js")


def _ours(request, ticket, name):
    """The script that watches the game, and where it tells what it saw."""
    if name == "probe.js" and request.method in ("GET", "HEAD"):
        response = HttpResponse(probe.SCRIPT, content_type="text/javascript; charset=utf-8")
        response["Content-Length"] = str(len(probe.SCRIPT))
        return response
    if name not in probe.READERS:
        return _not_allowed("GET, HEAD") if name == "probe.js" else _text(404, "There is nothing here.")
    if request.method != "POST":
        return _not_allowed("POST")
    said = probe.read(request, name)
    if said is None:
        return _text(413, "That is too much.")
    if said and probe.may_write(ticket.build, name) and (build := _find(ticket.build)):
        probe.write(build["pk"], [say(build["files"]) for say in said])
    return HttpResponse(status=204, headers={"Cache-Control": "no-store"})


def _find(prefix):
    """`{"pk", "files": {path: (size, CRC-32)}}` of the build when it can be played now, else None."""
    key, hot = f"preview:{prefix}", caches["hot"]
    if known := hot.get(key):
        return known
    build = Build.objects.filter(prefix=prefix).defer(None).only("state", "swept_at", "files").first()
    if build is None or not build.is_playable:
        return None
    known = {"pk": build.pk, "files": {path: (size, crc) for path, size, crc in build.files}}
    hot.set(key, known, timeout=KNOWN_S)
    return known


def _file(request, prefix, path, about, script):
    (size, crc), (kind, encoding) = about, mime.kind_of(path)
    name, etag = f"builds/{prefix}/{path}", f'"{crc:08x}-{size:x}"'
    piece = partial(serving.stored, name)
    try:
        if kind.startswith("text/html") and size <= INJECTED:
            page = b"".join(piece(0, size))
            kind, page = probe.kind_of_page(page), probe.inject(page, script)
            size, etag, piece = len(page), f'{etag[:-1]}-p"', lambda start, length: [page[start : start + length]]
        response = serving.respond(request, size, etag, piece)
    except FileNotFoundError:
        log.warning("the storage has no %r", name)
        return _text(404, "This file is gone from the storage.")
    response["Content-Type"] = kind
    if encoding:
        response["Content-Encoding"] = encoding
    return response


def _text(status, words):
    words = f"{words}\n".encode()
    headers = {"Content-Length": str(len(words)), "Cache-Control": "no-store"}
    return HttpResponse(words, status=status, content_type="text/plain; charset=utf-8", headers=headers)


def _not_allowed(methods):
    response = _text(405, "That cannot be done here.")
    response["Allow"] = methods
    return response


def _seal(response, ticket, signed):
    """Headers that every answer carries. Only who holds a ticket may frame it, and hears of violations."""
    ancestors = f"{ticket.console} 'self'" if ticket else "'none'"
    told = f"; report-uri /{quote(signed)}/{OURS}csp" if ticket else ""
    for name, value in HEADERS.items():
        response[name] = value
    response["Content-Security-Policy"] = f"{POLICY}; frame-ancestors {ancestors}{told}"
    if not response.has_header("Cache-Control"):
        response["Cache-Control"] = f"private, max-age={max(0, int(ticket.expires - time.time()))}"
    return response
