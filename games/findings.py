"""What the inspector may say about a zip, and the limits it says it by. Knows nothing of zips and nothing of Django."""

import math
from dataclasses import dataclass

ERROR, WARNING, NOTE = "error", "warning", "note"
KIB, MIB = 1 << 10, 1 << 20
KEPT = 100  # nobody reads further, and each is a row
_ORDER = (ERROR, WARNING, NOTE)


@dataclass(frozen=True)
class Limits:
    """In bytes, files, or parts of a path. `ratio` counts only when more than `ratio_from` come out."""

    zip: int = 50 * MIB
    unpacked: int = 200 * MIB
    file: int = 100 * MIB
    files: int = 1000
    path: int = 240
    depth: int = 16
    ratio: int = 50
    ratio_from: int = 64 * MIB

    @property
    def entries(self):
        """How many records are read at all: macOS adds one of its own to each file, and folders count too."""
        return 4 * self.files + 100


@dataclass(frozen=True, slots=True)
class Finding:
    """`path` and `sentence` are fit to be shown and logged: one line, nothing invisible, escape for HTML."""

    code: str
    path: str
    sentence: str
    level: str = ERROR


class Refused(Exception):
    """Reading cannot go on; carries the finding that says why."""

    def __init__(self, code, sentence, path=""):
        super().__init__(sentence)
        self.finding = Finding(code, shown(path), sentence)


class Findings:
    """Collects them; keeps the gravest when they are too many, so that an error is never crowded out."""

    def __init__(self):
        self._all = []

    def add(self, code, sentence, path="", level=ERROR):
        self._all.append(Finding(code, shown(path), sentence, level))

    def take(self, finding):
        self._all.append(finding)

    def errors(self):
        return {finding.code for finding in self._all if finding.level == ERROR}

    def kept(self):
        ranked = sorted(self._all, key=lambda finding: _ORDER.index(finding.level))
        kept, left = ranked[:KEPT], ranked[KEPT:]
        if left:
            noun = "finding" if len(left) == 1 else "findings"
            kept.append(Finding("more", "", f"And {len(left):,} more {noun} like these.", left[0].level))
        return tuple(kept)


def shown(name, most=120):
    """A name from inside a zip as it may appear on a page or a log line."""
    text = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in str(name)[: most + 1]
    )
    return text if len(text) <= most else f"{text[: most - 1]}…"


def megabytes(size):
    """Rounded up, so that what is above a limit never reads like the limit."""
    return f"{math.ceil(size * 10 / MIB) / 10:,g} MiB" if size >= 1000 * KIB else f"{size:,} bytes"
