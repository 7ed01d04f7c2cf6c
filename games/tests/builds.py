"""Builds for tests, made as the pipeline leaves them behind."""

import zlib

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import RequestFactory

from games import preview
from games.testing import make_build

PAGE = "<!doctype html><html><head><title>Snake</title></head><body>hello</body></html>"
FILES = {"index.html": PAGE, "js/game.js": "play()", "a b+c.txt": "spaces", "music.ogg": bytes(range(256)), "none": b""}


def make_playable(files, **kwargs):
    """A build that is ready, with these files (path → text or bytes) in the storage."""
    files = {path: body.encode() if isinstance(body, str) else body for path, body in files.items()}
    listed = [[path, len(body), zlib.crc32(body)] for path, body in files.items()]
    build = make_build(files=listed, **kwargs)
    for path, body in files.items():
        default_storage.save(build.folder + path, ContentFile(body))
    return build


def signed(build):
    """A ticket for it, as a console at console.localhost:8000 gives it."""
    url = preview.play_url(build, RequestFactory().get("/", headers={"host": "console.localhost:8000"}))
    return url.split("/")[3]


def body(response):
    return b"".join(response.streaming_content) if response.streaming else response.content
