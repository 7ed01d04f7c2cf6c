"""Which files of a game may be its cover, best first: by their names, and by what index.html links to. No Django."""

import re
from contextlib import suppress
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

COVER, LINKED_COVER, SCREENSHOT, ICON = range(4)
_NAMES = {
    COVER: "cover|thumbnail|thumb|poster|capsule|keyart|key-art",
    LINKED_COVER: "og-image|ogimage|twitter-image|social|banner",
    SCREENSHOT: "screenshot|screen|splash|preview|title",
    ICON: "icon|logo|apple-touch-icon|favicon|android-chrome",
}
_NUMBERED = r"(?:index\.|game[-_ ]?|app[-_ ]?)?(?:{})(?:[-_ ]?\d{{1,4}}(?:x\d{{1,4}})?)?"
_STEMS = {rank: re.compile(_NUMBERED.format(names)) for rank, names in _NAMES.items()}
READ = (".png", ".jpg", ".jpeg", ".webp")
NOT_READ = (".svg", ".gif", ".bmp", ".avif", ".ico", ".tif", ".tiff", ".heic")
DEEPEST = 2
_MOST_HTML = 256 * 1024
_MOST_FILES = 20_000
_SHARED = ("og:image", "og:image:url", "twitter:image")


@dataclass(frozen=True)
class Candidate:
    path: Path
    name: str  # below the game's folder, with slashes
    rank: int
    pixels: int = 0  # what its name or link says about its width


def find(files):
    """Candidates of kinds that are read, best first, and those called like a cover that are of another kind."""
    files = files.resolve()
    found = [*_named(files), *_linked(files)]
    best = {}
    for each in sorted(found, key=lambda each: each.rank):
        best.setdefault(each.path, each)
    ordered = sorted(best.values(), key=lambda each: (each.rank, each.name.count("/"), -each.pixels, each.name))
    readable = [each for each in ordered if each.path.suffix.lower() in READ]
    others = [each for each in ordered if each.path.suffix.lower() in NOT_READ and each.rank < ICON]
    return readable, others


def _named(files):
    for path in _near_the_top(files):
        stem = path.stem.casefold().replace("_", "-")
        rank = next((rank for rank, names in _STEMS.items() if names.fullmatch(stem)), None)
        if rank is not None and path.suffix.lower() in READ + NOT_READ:
            yield _candidate(files, path, rank, stem)


def _candidate(files, path, rank, size):
    pixels = max(map(int, re.findall(r"\d{2,4}", size)), default=0)
    return Candidate(path, path.relative_to(files).as_posix(), rank, pixels)


def _near_the_top(files):
    level, seen = [files], 0
    for depth in range(DEEPEST + 1):
        below = []
        for folder in level:
            for path in sorted(folder.iterdir()):
                seen += 1
                if seen > _MOST_FILES or path.is_symlink():
                    continue
                if path.is_dir() and depth < DEEPEST:
                    below.append(path)
                elif path.is_file():
                    yield path
        level = below


def _linked(files):
    page = files / "index.html"
    if not page.is_file() or page.is_symlink():
        return
    with page.open("rb") as file:
        text = file.read(_MOST_HTML).decode(errors="replace")
    links = _Links()
    with suppress(Exception):  # what was found before the parser stumbled will do
        links.feed(text)
    for rank, target, size in links.found:
        path = _inside(files, target)
        if path:
            yield _candidate(files, path, rank, size)


def _inside(files, target):
    """The file that a relative link means, if it is one of the game's own."""
    try:
        parts = urlsplit(target.strip())
        path = (files / unquote(parts.path).lstrip("/")).resolve()
        mine = not parts.scheme and not parts.netloc and path.is_relative_to(files) and path.is_file()
    except (ValueError, OSError):
        return None
    return path if mine else None


class _Links(HTMLParser):
    """What the page's head says about its pictures: (rank, target, size)."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        said = {name: value or "" for name, value in attrs}
        if len(self.found) >= 20:
            return
        if tag == "meta" and (said.get("property") or said.get("name", "")).lower() in _SHARED:
            self.found.append((LINKED_COVER, said.get("content", ""), ""))
        elif tag == "link" and "icon" in said.get("rel", "").lower():
            self.found.append((ICON, said.get("href", ""), said.get("sizes", "")))
