"""Bodies with rows: one object, an array, or lines of JSON. What is broken is told, never guessed."""

import json
import re
from math import isfinite
from typing import Any, NamedTuple

from rest_framework.parsers import BaseParser

from console.api.problems import Problem

MOST_BYTES = 10 * 1024 * 1024
MOST_ROWS, MOST_LINES = 500, 10_000
JSON, NDJSON = "application/json", "application/x-ndjson"
_KINDS = {JSON: JSON, NDJSON: NDJSON, "application/ndjson": NDJSON, "application/jsonl": NDJSON}
_UNKEEPABLE = re.compile("[\0\ud800-\udfff]")  # no UTF-8 has halves of characters, and PostgreSQL no NUL

TOO_LONG = f"At most {MOST_BYTES // 1024 // 1024} MiB at once. Nothing was changed; send less at once."
TOO_MANY = f"At most {MOST_ROWS} rows in an array. Nothing was changed; send fewer at once, or one a line as {NDJSON}."
TOO_MANY_LINES = f"At most {MOST_LINES:,} lines at once. Nothing was changed; send fewer at once."
WRONG_KIND = f"Send {JSON} or {NDJSON}, in UTF-8 and not compressed. Nothing was changed."
NO_JSON = "This is no JSON in UTF-8"
NO_ROWS = "Send an object, or an array of objects. Nothing was changed."


class NdjsonParser(BaseParser):
    """For the schema, which is told by parsers what a view takes."""

    media_type = NDJSON


class Row(NamedTuple):
    """A value as it came, or the `error` why there is none; `where` begins sentences about it."""

    value: Any = None
    error: str = ""
    where: str = ""


def body(request, most=MOST_BYTES):
    """The bytes of the request. Raises Problem 413, or 415 for what is no kind of ours."""
    plain = request._request
    if kind_of(request) is None or plain.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem(415, WRONG_KIND, {"Accept": f"{JSON}, {NDJSON}"})
    length = plain.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > most:
        raise Problem(413, TOO_LONG)
    found = _stream(plain).read(most + 1)
    if len(found) > most:
        raise Problem(413, TOO_LONG)
    return found


def _stream(request):
    """The body, also of a client that does not know its length before."""
    chunked = "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
    if chunked and request.META.get("wsgi.input_terminated"):
        return request.META["wsgi.input"]
    return request


def kind_of(request):
    """JSON or NDJSON; None for anything else."""
    kind, _, rest = request.META.get("CONTENT_TYPE", "").lower().partition(";")
    charset = rest.partition("charset=")[2].strip(' "') or "utf-8"
    return _KINDS.get(kind.strip()) if charset in ("utf-8", "utf8") else None


def rows(request, most):
    """The Rows of a body of JSON, at most 500. Raises Problem 400, 413 or 415."""
    found = body(request, most)
    if kind_of(request) != JSON:
        raise Problem(415, f"Send {JSON}.")
    return _values(found)


def batches(request, found):
    """The rows in the body as lists of up to 500 Row. Raises Problem 400 or 413."""
    rows = _lines(found) if kind_of(request) == NDJSON else _values(found)
    return [rows[start : start + MOST_ROWS] for start in range(0, len(rows), MOST_ROWS)]


def _values(found):
    try:
        value = parse(found)
    except ValueError as error:
        raise Problem(400, f"{NO_JSON}: {error}. Nothing was changed.") from None
    if isinstance(value, dict):
        return [_row(value, "")]
    if not isinstance(value, list):
        raise Problem(400, NO_ROWS)
    if len(value) > MOST_ROWS:
        raise Problem(413, TOO_MANY)
    several = len(value) > 1
    return [_row(each, f"Row {number}: " if several else "") for number, each in enumerate(value, start=1)]


def _lines(found):
    if found.count(b"\n") > 2 * MOST_LINES:
        raise Problem(413, TOO_MANY_LINES)
    lines = [(number, line) for number, line in enumerate(found.split(b"\n"), start=1) if line.strip()]
    if len(lines) > MOST_LINES:
        raise Problem(413, TOO_MANY_LINES)
    return [_line(number, line) for number, line in lines]


def _line(number, line):
    where = f"Line {number}: "
    try:
        return _row(parse(line), where)
    except ValueError as error:
        return Row(error=f"{where}{NO_JSON}: {error}.")


def _row(value, where):
    return Row(value, "", where) if isinstance(value, dict) else Row(error=f"{where}This is no object.")


def parse(found):
    """The value of some JSON in bytes. Raises ValueError, in words without line breaks."""
    try:
        return json.loads(found.decode("utf-8-sig"), parse_float=_fraction, parse_int=_whole, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is no UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at character {error.pos}") from None
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _no_number(name):
    raise ValueError(f"{name} is no number")


def _fraction(text):
    """Python takes 1e999 for infinity, which is no JSON and cannot be stored."""
    return found if isfinite(found := float(text)) else _no_number(f"“{text[:40]}”")


def _whole(text):
    try:
        return int(text)
    except ValueError:
        raise ValueError("a number has too many digits") from None


def external_id(value):
    """What the row calls itself, to be given back; None when it does not, or in a way that nobody can keep."""
    found = value.get("external_id")
    found = str(found) if isinstance(found, int) and not isinstance(found, bool) else found
    return found if isinstance(found, str) and len(found) <= 200 and not _UNKEEPABLE.search(found) else None


def strange(value, known):
    """What is wrong with an object whatever its fields mean, as a sentence; "" for nothing. A field that nobody knows
    is a slip of the pen, and would be lost.
    """
    if unknown := [name for name in value if name not in known]:
        said = ", ".join(f"“{_UNKEEPABLE.sub('?', name)[:40]}”" for name in unknown[:5])
        return f"There is no field {said}."
    try:
        kept = _is_kept(value)
    except RecursionError:
        kept = False
    return "" if kept else "A text holds a NUL or half a character, which cannot be kept."


def _is_kept(value):
    if isinstance(value, str):
        return not _UNKEEPABLE.search(value)
    if isinstance(value, dict):
        return all(_is_kept(name) and _is_kept(each) for name, each in value.items())
    return all(map(_is_kept, value)) if isinstance(value, list) else True
