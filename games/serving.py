"""Answers with bytes, whole or the part that was asked for, from the storage or made here. Which bytes, and whether
anybody may have them, is decided elsewhere.
"""

import re

from django.core.files.storage import default_storage
from django.http import HttpResponse, StreamingHttpResponse

_CHUNK = 64 * 1024
_ONE_RANGE = re.compile(r"bytes=(\d{1,15})?-(\d{1,15})?", re.ASCII)


def respond(request, size, etag, piece):
    """200, 206, 304 or 416, as the request's conditions want it. `piece(start, length)` gives an iterable of bytes,
    which is closed at the end; for HEAD it is not asked.
    """
    headers = {"ETag": etag, "Accept-Ranges": "bytes"}
    if etag in [each.strip().removeprefix("W/") for each in request.headers.get("If-None-Match", "").split(",")]:
        return HttpResponse(status=304, headers=headers)
    start, length, status = 0, size, 200
    if span := _span(request, size, etag):
        start, length = span
        status = 206 if length > 0 else 416
        shown = f"{start}-{start + length - 1}" if length > 0 else "*"
        headers["Content-Range"] = f"bytes {shown}/{size}"
    headers["Content-Length"] = "0" if status == 416 else str(length)
    if status == 416 or request.method == "HEAD":
        return HttpResponse(status=status, headers=headers)
    return StreamingHttpResponse(piece(start, length), status=status, headers=headers)


def _span(request, size, etag):
    """`(start, length)` of the one range asked for, length 0 when there is no such part; None for the whole."""
    asked = _ONE_RANGE.fullmatch(request.headers.get("Range", "").strip())
    if not asked or request.headers.get("If-Range", etag) != etag:
        return None
    first, last = (None if each is None else int(each) for each in asked.groups())
    if first is None:
        return None if last is None else (max(0, size - last), min(last, size))
    if last is not None and last < first:
        return None  # not a range at all: as if nothing was asked
    end = size if last is None else min(size, last + 1)
    return first, max(0, end - first)


def stored(name, start, length):
    """That part of a file in the storage. Raises FileNotFoundError, and what the storage raises when it is away."""
    if not length:
        return []
    file = default_storage.open(name)
    if hasattr(file, "obj"):  # S3: its file would first be copied here as a whole
        file.close()
        return Part(file.obj.get(Range=f"bytes={start}-{start + length - 1}")["Body"], length)
    file.seek(start)
    return Part(file, length)


class Part:
    """The next bytes of an open file; closes it also when nobody reads to the end."""

    def __init__(self, file, length):
        self.file, self.left = file, length

    def __iter__(self):
        while self.left > 0 and (chunk := self.file.read(min(_CHUNK, self.left))):
            self.left -= len(chunk)
            yield chunk

    def close(self):
        self.file.close()
