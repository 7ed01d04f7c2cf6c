"""A game's picture for lists: its own cover, else a screenshot of its first frame, else a tile drawn from its title.

What the game brings is decoded in a confined child, which is this module started as a program; it imports no Django.
"""

import errno
import json
import logging
import sys
from dataclasses import dataclass, field
from pathlib import Path

from games import confined, covers, firstframe, raster, tiles

COVER, SCREENSHOT, TILE = "cover", "screenshot", "tile"
NO_COVER = (
    "no_cover",
    "No cover was found in the zip: a PNG, JPEG or WebP called cover.png, at least 96 pixels wide and high, "
    "would be shown in lists.",
)
_HOSTILE = ("unfit_cover", "Its pictures took too much time or memory to read. They were left out.")
_LARGEST = 512 * 1024
_MOST_TRIED = 8
_MOST_FINDINGS = 4
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Picture:
    path: Path
    origin: str
    findings: list = field(default_factory=list)  # (code, sentence)


def make(folder, title):
    """Writes `folder / "thumbnail.webp"` from the game in `folder / "files"`. Raises OSError for want of room only."""
    folder = Path(folder)
    path = folder / "thumbnail.webp"
    found, findings = _child(folder)
    if found:
        return Picture(path, COVER, findings)
    findings = [*findings, NO_COVER]
    if _screenshot(folder):
        return Picture(path, SCREENSHOT, findings)
    path.unlink(missing_ok=True)
    raster.write(tiles.draw(title), path)
    return Picture(path, TILE, findings)


def _screenshot(folder):
    browser = _browser()
    if not browser:
        return False
    try:
        return firstframe.take(browser, folder) and _child(folder, "screenshot")[0]
    except Exception as error:
        _let_pass(error)
        log.exception("No screenshot was taken in %s", folder.name)
        return False


def _browser():
    from django.conf import settings

    return settings.PICTURE_BROWSER


def _child(folder, what="cover"):
    """Whether the child made a picture, and its findings. It read what strangers wrote: nothing it says is believed."""
    path = folder / "thumbnail.webp"
    path.unlink(missing_ok=True)
    try:
        said = json.loads(confined.run("games.pictures", str(folder), what, timeout_s=40, cpu_s=30))
        if said.get("no_room"):
            raise OSError(errno.ENOSPC, "The work folder is full.")
        findings = [(str(code)[:32], printable(str(sentence), 600)) for code, sentence in said["findings"]]
        return _is_ours(path), findings[:_MOST_FINDINGS]
    except Exception as error:
        _let_pass(error)
        log.warning("Pictures in %s were not read", folder.name, exc_info=True)
        return False, [_HOSTILE] if what == "cover" else []


def _let_pass(error):
    """No room is trouble of ours; it must be seen."""
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        raise error
    if isinstance(error, confined.Confined) and getattr(error, "no_room", False):
        raise OSError(errno.ENOSPC, "The work folder is full.") from error


def _is_ours(path):
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST:
        return False
    with path.open("rb") as file:
        start = file.read(12)
    return start.startswith(b"RIFF") and start.endswith(b"WEBP")


def printable(text, most):
    """On one line, without characters that change how others look, cut in the middle where it is long."""
    text = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
    half = most // 2 - 1
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"


# --- in the child ---------------------------------------------------------------------------------------------


def main(folder, what):
    """Writes the picture if there is a fit one; what it returns goes to the parent as JSON."""
    look = {"cover": _look_for_cover, "screenshot": _look_at_screenshot}[what]
    try:
        return look(Path(folder))
    except OSError as error:
        if error.errno in _NO_ROOM:
            return {"no_room": True}
        raise


def _look_for_cover(folder):
    readable, others = covers.find(folder / "files")
    findings = []
    for candidate in readable[:_MOST_TRIED]:
        try:
            raster.write(raster.framed(raster.read(candidate.path)), folder / "thumbnail.webp")
        except raster.Unfit as unfit:
            findings.append(("unfit_cover", f"{printable(candidate.name, 80)} {unfit}. It was left out."))
        else:
            return {"findings": findings}
    for candidate in others:
        name = printable(candidate.name, 80)
        findings.append(("unfit_cover", f"{name} was left out: covers are read as PNG, JPEG or WebP only."))
    return {"findings": findings}


def _look_at_screenshot(folder):
    image = raster.read(folder / firstframe.NAME)
    if not raster.is_plain(image):
        raster.write(raster.framed(image), folder / "thumbnail.webp")
    return {"findings": []}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:])))
