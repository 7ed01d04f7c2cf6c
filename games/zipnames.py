"""Names inside a zip: how they are decoded, which are refused, which collide, and what the game's own paths are."""

import re
import unicodedata

from games.findings import Refused, shown

_RESERVED = re.compile(r'[<>:"|?*]')
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:")
_JOINERS = "\u200c\u200d"  # Persian, Hindi and emoji are spelled with them
_JUNK = (".ds_store", "thumbs.db", "desktop.ini")


def decode(raw, utf8):
    """`(name, whether it had to be guessed)`. macOS and many tools write UTF-8 without saying so. Raises Refused."""
    try:
        return raw.decode(), False
    except UnicodeDecodeError as error:
        if utf8:
            raise Refused(
                "name",
                "The name is said to be UTF-8 and is not. Rename the file and zip again.",
                raw.decode("utf-8", "backslashreplace"),
            ) from error
    return raw.decode("cp437"), True


def check(name):
    """Raises Refused for a name that could lead elsewhere, hide something, or not exist on every system."""
    parts = name.removesuffix("/").split("/")
    if "\\" in name:
        raise Refused(
            "backslash",
            "Windows' old zip tool wrote backslashes. Zip the folder again with 7-Zip or Explorer.",
            name,
        )
    if _DRIVE.match(name) or any(part in ("", ".", "..") for part in parts):
        raise Refused(
            "path_traversal", "The name leads out of the game's folder, or around in it. Zip the folder again.", name
        )
    for part in parts:
        if trouble := _trouble(part):
            raise Refused("name", f"The name {trouble}. Rename it and zip again.", name)


def _trouble(part):
    plain = part.isascii() and part.isprintable()  # nearly all, and quick even when the name is meant to be slow
    if not plain and any(
        unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for char in part if char not in _JOINERS
    ):
        return "has characters in it that cannot be seen"
    if found := _RESERVED.search(part):
        return f"has a {found[0]} in it, which Windows and web pages do not allow"
    if part.endswith((" ", ".")):
        return "ends in a dot or a space, which Windows loses"
    if _DEVICES.match(part):
        return "belongs to a device on Windows"
    return ""


def too_long(path, limits):
    """`(code, sentence)` when the path does not fit, else None."""
    size, depth = len(path.encode()), path.count("/") + 1
    if size > limits.path:
        return "path_length", f"The path is {size:,} bytes long; at most {limits.path:,} are allowed. Shorten it."
    if depth > limits.depth:
        return "depth", f"It lies {depth:,} levels deep; at most {limits.depth:,} are allowed. Move it up."
    return None


def is_junk(name):
    """What macOS and Windows put into folders behind people's backs."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2].lower() in _JUNK


def wrapper(paths):
    """The one folder that everything lies in, with its slash, or ""."""
    tops = {path.partition("/")[0] for path in paths}
    return f"{tops.pop()}/" if len(tops) == 1 and all("/" in path for path in paths) else ""


class Taken:
    """The paths there are, as a disk that minds neither case nor how accents are written would see them."""

    def __init__(self):
        self._files, self._folders, self._told = {}, {}, set()

    def add(self, path):
        """What `path` collides with, or ""; a path that ends in a slash is a folder."""
        folder, path = path.endswith("/"), path.removesuffix("/")
        own, clash = _key(path), ""
        if folder:
            clash = path if own in self._told else ""
            self._told.add(own)
        else:
            clash = self._files.get(own) or self._folders.get(own, "")
            self._files.setdefault(own, path)
        for end in [at for at, char in enumerate(path) if char == "/"] + ([len(path)] if folder else []):
            clash = clash or self._in_the_way(path[:end])
        return clash

    def _in_the_way(self, folder):
        """The file, or the other spelling, that keeps `folder` from being one."""
        key = _key(folder)
        spelled = self._folders.setdefault(key, folder)
        return self._files.get(key) or (spelled if spelled != folder else "")


def _key(path):
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def no_index(paths):
    """Why no player would find the start page among `paths`; "" when index.html is there."""
    if "index.html" in paths:
        return ""
    near = [path for path in paths if path.lower() in ("index.html", "index.htm", "default.html")]
    if near:
        return f"The start page is called {near[0]}. Rename it to index.html, in small letters."
    deep = [path for path in paths if path.lower().endswith("/index.html")]
    if len(deep) == 1:
        folder = shown(deep[0].rpartition("/")[0])
        return f"index.html lies in {folder}. Zip what is inside that folder."
    if deep:
        some = ", ".join(shown(path, 60) for path in deep[:3])
        return f"There are {len(deep):,} start pages ({some}), none at the top. Zip what is inside the right folder."
    pages = [path for path in paths if "/" not in path and path.lower().endswith((".html", ".htm"))]
    if len(pages) == 1:
        return f"There is no index.html. Rename {shown(pages[0], 60)} to index.html."
    return "There is no index.html at the top of the zip. Zip the folder that holds it."
