"""What doctor looks at of games: where builds are kept and taken apart, and where they are played."""

import os
import shutil
import uuid
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.template.defaultfilters import filesizeformat

from console.doctor import Check, bad, ok, register, warn
from games import intake

TIGHT = 10  # so many builds at once ought to fit


def storage():
    """Writes, reads back and removes a file of a few bytes."""
    name, said = f"doctor/{uuid.uuid4().hex}.txt", uuid.uuid4().hex.encode()
    kept = default_storage.save(name, ContentFile(said))
    try:
        with default_storage.open(kept) as file:
            same = file.read() == said
    finally:
        default_storage.delete(kept)
    where = "a bucket" if settings.STORAGE.startswith("s3://") else "a folder"
    if not same:
        return bad(f"The storage of builds ({where}) gives back something else than it was given.", "Check STORAGE.")
    return ok(f"The storage of builds ({where}) takes files and gives them back.")


def room():
    """Whether there is room to take builds in, and to take them apart."""
    most = intake.LIMITS.zip + intake.LIMITS.unpacked
    tightest = min(map(_free, (settings.QUARANTINE_DIR, settings.WORK_DIR)))
    said = f"{filesizeformat(tightest)} are free where uploads are taken in and apart."
    todo = f"Make room: a build takes up to {filesizeformat(most)} there until it is done."
    if tightest < most:
        return bad(said, todo)
    return warn(said, todo) if tightest < TIGHT * most else ok(said)


def _free(folder):
    """Raises OSError where nothing can be written."""
    there = next(each for each in (Path(folder), *Path(folder).parents) if each.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(f"{there} cannot be written to")
    return shutil.disk_usage(there).free


def preview_site():
    if not settings.PREVIEW_ORIGIN:
        return warn("PREVIEW_ORIGIN is empty: games cannot be played before they are published.", "Set it.")
    pattern = urlsplit(settings.PREVIEW_ORIGIN.replace("{build}.", ""))
    console = urlsplit(settings.CONSOLE_URL).hostname or next(iter(settings.ALLOWED_HOSTS), "").lstrip(".")
    todo = "Set PREVIEW_ORIGIN to names under another domain than the console's, as https://{build}.play.example.net."
    if pattern.scheme != "https" and not settings.DEMO:
        return bad("Games are played by http: whoever is on the way may change them.", todo)
    play, console = pattern.hostname.split("."), console.split(".")
    shorter = min(len(play), len(console))
    if play[-shorter:] == console[-shorter:]:
        return bad("Games are played below the console's own name, or it below theirs.", todo)
    if play[-2:] == console[-2:]:
        return warn(f"Games and the console both live under {'.'.join(play[-2:])}: browsers call that one site.", todo)
    return ok(f"Games are played on names of their own, under {pattern.hostname}.")


def ready():
    """Registers them all."""
    register(Check("Storage", storage, "Check STORAGE: it has to be a folder or bucket that can be written to.", 40))
    register(Check("Room", room, "Let this process write below ATTENDANT_STATE.", 41))
    register(Check("Preview site", preview_site, "Mend PREVIEW_ORIGIN.", 5))
