"""Builds for tests, made as the pipeline leaves them behind."""

import zlib

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from games.models import Build
from moderation.testing import make_game


def make_build(**kwargs):
    values = {"number": 1, "zip_name": "game.zip", "sha256": "0" * 64, "size": 1} | kwargs
    values["game"] = values.get("game") or make_game(status="draft")
    return Build.objects.create(**values)


def make_playable(files, **kwargs):
    """A build that is ready, with these files (path → text or bytes) in the storage."""
    files = {path: body.encode() if isinstance(body, str) else body for path, body in files.items()}
    listed = [[path, len(body), zlib.crc32(body)] for path, body in files.items()]
    build = make_build(**{"state": Build.READY, "files": listed} | kwargs)
    for path, body in files.items():
        default_storage.save(build.folder + path, ContentFile(body))
    return build
