"""Where uploaded zips lie until they are looked into: one file each, named by us, never served to anybody."""

import re
import uuid
from pathlib import Path

from django.conf import settings

_NAME = re.compile(r"[0-9a-f]{32}\.zip")


def new_name():
    return f"{uuid.uuid4().hex}.zip"


def path_of(name):
    """Raises ValueError for a name that is none of ours."""
    if not _NAME.fullmatch(name):
        raise ValueError(name)
    return Path(settings.QUARANTINE_DIR) / name


def remove(name):
    path_of(name).unlink(missing_ok=True)
