"""What a game does while somebody plays it, as findings: told by a script of ours that runs in its pages, and by the
browser when it stops something. All of it arrives from beside a hostile game, so it is bounded and only ever shown.
"""

import json
import random
import re
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from django.core.cache import caches
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from games.models import Finding

SCRIPT = Path(__file__).with_name("preview_probe.js").read_bytes()
TOLD = 16 * 1024  # bytes of one POST
AT_ONCE = 24  # findings of one POST
KEPT = 50  # findings of one build
_WINDOW_S = 10
_WRITES = {"seen": 5, "csp": 15}  # POSTs that count in that time, of each build: one that starts needs several at once

# --- into the page -------------------------------------------------------------------------------------------------

# what may stand before the first thing a page holds, in this order; no possessive quantifiers, which Python 3.11.2 gets
# wrong: the alternatives exclude each other, so there is little to go back to
_ATTRIBUTES = r"""(?:[\s/](?:[^>"']|"[^"]*"|'[^']*')*)?"""
_GAP = re.compile(r"\s+|<!--.*?-->", re.DOTALL)
_TAGS = [re.compile(f"<{tag}{_ATTRIBUTES}>", re.IGNORECASE) for tag in ("!doctype", "html", "head")]
_BEGINNING = (re.compile("\ufeff"), re.compile("\xef\xbb\xbf"), _GAP, _TAGS[0], _GAP, _TAGS[1], _GAP, _TAGS[2])
_MOST = 256 * 1024  # characters in which a page says how it begins
_WIDE = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def inject(page, script):
    """The page (bytes) with our script as the first thing that runs in it; its charset is left alone."""
    charset = _WIDE.get(page[:2], "latin-1")  # latin-1 gives any bytes back as they were
    try:
        text = page.decode(charset)
    except UnicodeDecodeError:
        return page
    at = len(text[: _begins_behind(text[:_MOST])].encode(charset))
    return page[:at] + f'<script src="{script}"></script>'.encode(charset) + page[at:]


def _begins_behind(text):
    """Where the first thing of a page may stand: behind its doctype and the tags it opens with."""
    at = 0
    for part in _BEGINNING:
        while found := part.match(text, at):
            at = found.end()
            if part is not _GAP:  # the others stand there once
                break
    return at


def kind_of_page(page):
    """UTF-8 is said to be UTF-8; of other pages their own <meta> knows more than we do."""
    try:
        page.decode()
    except UnicodeDecodeError:
        return "text/html"
    return "text/html; charset=utf-8"


# --- out of the game -------------------------------------------------------------------------------------------------


def read(request, name):
    """What a POST to `name` tells: functions that give a finding once they know the build's files. None: too much.
    Whatever it is that came, there is no error.
    """
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > TOLD:
            return None
        told = json.loads(request.read(TOLD))
    except (OSError, ValueError, RecursionError):
        return []
    return [say for each in _items(told) if (say := READERS[name](each))]


def _items(told):
    items = told if isinstance(told, list) else [told]
    return [each for each in items[:AT_ONCE] if isinstance(each, dict)]


def _seen(item):
    say = _SAYS.get(item.get("code")) if isinstance(item.get("code"), str) else None
    return say and partial(say, item)


def _reported(item):
    """The browser's report of something that the policy stopped: of an address, only the host is kept."""
    report = item.get("csp-report")
    if not isinstance(report, dict):
        return None
    directive = plain(report.get("effective-directive") or report.get("violated-directive"), 60).partition(" ")[0]
    if directive == "frame-ancestors":  # what has no origin, as in the frame, may frame nothing
        return partial(_nested, item)
    wanted = plain(report.get("blocked-uri"), 2000)
    try:
        address = urlsplit(wanted)
        host = address.hostname if address.scheme in ("http", "https", "ws", "wss") else ""
    except ValueError:
        host = ""
    if host:
        words = f"The game wanted to reach {host[:200]} ({directive}). It was not allowed to."
        return lambda files: Finding(code="wanted_host", level=Finding.WARNING, sentence=words)
    what = wanted.partition(":")[0][:60] or "something"
    words = f"The game wanted to use {what} ({directive}). It was not allowed to."
    return lambda files: Finding(code="blocked", sentence=words)


def _first_frame(item, files):
    took = item.get("ms")
    known = isinstance(took, int | float) and 0 <= took < 3_600_000
    words = f"First picture after {took:,.0f} ms." if known else "A first picture came."
    return Finding(code="first_frame", sentence=words)


def _script_error(item, files):
    path, line = plain(item.get("path"), 300), item.get("line")
    path = path if path in files else ""
    where = f" in {path}:{line}" if path and isinstance(line, int) and 0 < line < 10_000_000 else ""
    message = plain(item.get("message"), 200).removeprefix("Uncaught ")
    if message in ("", "Script error."):
        message = "the browser says more when it is opened in its own tab."
    return Finding(code="script_error", level=Finding.WARNING, path=path, sentence=f"A script failed{where}: {message}")


def _missing(item, files):
    words = f"The game asked for {plain(item.get('path'), 240) or 'a file'}, which could not be loaded."
    return Finding(code="missing_file", level=Finding.WARNING, sentence=words)


def _storage(item, files):
    words = f"The game wanted to save ({plain(item.get('what'), 30)}). In the frame it cannot; in its own tab it can."
    return Finding(code="storage", sentence=words)


def _worker(item, files):
    words = "The game wanted to start a worker. In the frame it cannot; in its own tab it can."
    return Finding(code="worker", sentence=words)


def _nested(item, files):
    words = "The game wanted to show a page of its own inside the page. In the frame it cannot; in its own tab it can."
    return Finding(code="nested_page", level=Finding.WARNING, sentence=words)


_TRIED = {"open": "open a window", "alert": "show a dialog", "confirm": "show a dialog", "prompt": "show a dialog"}


def _blocked(item, files):
    tried = _TRIED.get(plain(item.get("what"), 30), "leave its sandbox")
    return Finding(code="blocked", sentence=f"The game wanted to {tried}. It was not allowed to.")


_SAYS = {
    "first_frame": _first_frame,
    "script_error": _script_error,
    "missing_file": _missing,
    "storage": _storage,
    "worker": _worker,
    "blocked": _blocked,
}
READERS = {"seen": _seen, "csp": _reported}


def plain(value, limit):
    """One short line in which nothing hides: of characters that do not show, or turn the line around, one is shown."""
    words = " ".join(value[: 4 * limit].split()) if isinstance(value, str) else ""
    return "".join(char if char.isprintable() else "\ufffd" for char in words[:limit])


# --- into the database ---------------------------------------------------------------------------------------------


def may_write(build, name):
    """Whether this build has said little enough lately. Not while Redis is away: what a game does can wait."""
    hot, turns = caches["hot"], random.sample(range(_WRITES[name]), 3)
    return any(hot.add(f"preview-said:{build}:{name}:{turn}", 1, timeout=_WINDOW_S) for turn in turns)


def write(pk, findings):
    """Adds them to the build's, or counts them once more; one after the other, so that none comes twice."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"findings of playing {pk}"])
        mine = Finding.objects.filter(build=pk, source=Finding.PLAY)
        room = KEPT - mine.count()
        for each in findings:
            if not _again(mine, each) and room > 0:
                each.build_id, each.source, room = pk, Finding.PLAY, room - 1
                each.save(force_insert=True)


def _again(mine, finding):
    """Whether it was known; of first pictures the latest counts."""
    if finding.code == "first_frame":
        return mine.filter(code=finding.code).update(sentence=finding.sentence, created_at=Now())
    same = mine.filter(code=finding.code, path=finding.path, sentence=finding.sentence)
    return same.update(times=F("times") + 1)
