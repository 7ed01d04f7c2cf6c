"""Badges and the one poll. Counts live in Redis for a minute and are corrected by every decision.

A version in Redis names the state of the world: whatever changes it, changes the version, and a count cached
under an older version is never read again. With Redis gone a badge is "–", and nothing else breaks.
"""

import re
import time

from django.conf import settings
from django.core import signing
from django.core.cache import caches
from django.http import HttpResponse
from django.utils.crypto import salted_hmac
from django.utils.safestring import SafeString

_WATCHED = re.compile(r"(?P<kind>[a-z]+)-(?P<pk>\d{1,18}):(?P<state>[a-z]*)", re.ASCII)
VERSION, COUNTS, COUNT_S, TAG_S = "live:version", "live:counts", 60, 60
_watched = {}  # kinds of things that change while somebody looks on (see watch)
_signer = signing.Signer(salt="console.live")


def watch(kind, bring_up_to_date):
    """Lets pages hold `<input class="watch" name="watch" value="kind-17:state">`: polls send them.

    `bring_up_to_date(request, {17: "state"}, here)` returns out-of-band HTML for those that are in another state now,
    and a sentence to be spoken, or ("", "").
    """
    _watched[kind] = bring_up_to_date


def changes(request, values, here):
    """What the watched things on a page have become: out-of-band HTML and words."""
    seen = {}
    for value in values[:200]:
        found = _WATCHED.fullmatch(value)
        if found and found["kind"] in _watched:
            seen.setdefault(found["kind"], {})[int(found["pk"])] = found["state"]
    told = [_watched[kind](request, states, here) for kind, states in seen.items()]
    return SafeString("".join(html for html, _ in told)), " ".join(words for _, words in told if words)


def bump():
    """Says that something that is counted has changed."""
    # time keeps versions growing even when Redis was wiped in between; without Redis counts are at most COUNT_S old
    caches["hot"].set(VERSION, time.time_ns(), timeout=None)


def version():
    """The present version, or None when Redis cannot be asked."""
    hot = caches["hot"]
    present = hot.get(VERSION)
    if present is None:
        hot.add(VERSION, time.time_ns(), timeout=None)
        present = hot.get(VERSION)
    return present


class Badges:
    """What waits in each section, and the tag of the poll that has seen just that: both as of one version."""

    def __init__(self, sections, session_key=""):
        known = caches["hot"].get_many([VERSION, COUNTS])
        self.version = known.get(VERSION) or version()  # before counting: a decision in between makes the tag old
        self.known = known.get(COUNTS) or {}
        self.tag = _signer.sign(f"{_whose(session_key)}/{int(time.time()) + TAG_S}/{self.version}")
        self.counts = self._count([section for section in sections if section.waiting])

    def _count(self, counting):
        """`{section name: number}`; None (shown as "–") for each when Redis is gone."""
        if self.version is None:
            return dict.fromkeys((section.name for section in counting), None)
        counts = self.known.get("counts", {}) if self.known.get("version") == self.version else {}
        if any(section.name not in counts for section in counting):  # all of them anew: they share their minute
            counts = counts | {section.name: section.waiting() for section in counting}
            caches["hot"].set(COUNTS, {"version": self.version, "counts": counts}, timeout=COUNT_S)
        return {section.name: counts[section.name] for section in counting}


def _whose(session_key):
    """Stands for the session in a page; the key itself is for the cookie only."""
    return salted_hmac("console.live.session", session_key or "").hexdigest()


def is_unchanged(signed, session_key):
    """True only for a genuine tag of this session, in time, that has seen the present version."""
    try:
        whose, deadline, seen = _signer.unsign(signed).rsplit("/", 2)
    except (signing.BadSignature, ValueError):
        return False
    present = version()  # None without Redis: then nobody can tell
    if present is None:
        return False
    return whose == _whose(session_key) and time.time() < int(deadline) and seen == str(present)


class UnchangedMiddleware:
    """Answers an unchanged poll before sessions and views are touched: one look into Redis, no SQL."""

    path = "/manage/live/"

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path == self.path and request.method == "GET" and "v" in request.GET:
            session_key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
            if session_key and is_unchanged(request.GET["v"], session_key):
                request.answered_by = "console:live"
                return HttpResponse(status=204)
        return self.get_response(request)
