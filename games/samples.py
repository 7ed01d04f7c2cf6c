"""Three small games to try the console with, and zips of them in the manners of several tools. Imports no Django."""

import io
import math
import struct
import wave
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from PIL import Image, ImageDraw

_SOURCES = Path(__file__).parent / "sample_games"
_TIME = (2026, 11, 2, 12, 0, 0)
_DOS_TIME, _DOS_DATE = 12 << 11, (2026 - 1980) << 9 | 11 << 5 | 2
_FOLDER, _FILE = 0o40755, 0o100644
_DESCRIBED = {
    "bell-garden": "Ring the bells in the order they bloom. With sound; made of modules.",
    "neon-drift": "Dodge the traffic on a road without end. Arrow keys, or a finger.",
    "star-hopper": "Hop from star to star. It remembers your best, when played in its own tab.",
}
TOOLS = ("python", "stream", "finder")


def names():
    return sorted(path.name for path in _SOURCES.iterdir() if path.is_dir())


def described(name):
    """What its publisher would write about it."""
    return _DESCRIBED[name]


def files(name):
    """`{path: bytes}` of a game: its sources, and what is drawn or played in it."""
    if name not in names():
        raise KeyError(name)
    folder = _SOURCES / name
    found = {
        path.relative_to(folder).as_posix(): path.read_text().encode() for path in folder.rglob("*") if path.is_file()
    }
    return dict(sorted((found | {path: make() for path, make in _MADE.get(name, {}).items()}).items()))


def zipped(name, tool="python"):
    """The game as a zip: as Python's zipfile writes it, as a stream, or as the Finder of macOS does."""
    return {"python": _python, "stream": _stream, "finder": _finder}[tool](name, files(name))


# --- what is made ---------------------------------------------------------------------------------------------


def _neon_cover():
    """The sun goes down behind a road: as the game looks, at its best."""
    size = (1280, 800)  # drawn larger, for smooth edges
    cover, sun = _shaded(size, "#0a0618", "#8a1f7a"), _shaded(size, "#ffd166", "#ff2e88")
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).circle((640, 400), 260, fill=255)
    for line in range(6):
        ImageDraw.Draw(mask).rectangle((0, 260 + line * 44, 1280, 264 + line * 46), fill=0)
    cover.paste(sun, mask=mask)
    pen = ImageDraw.Draw(cover)
    pen.rectangle((0, 480, 1280, 800), fill="#12082b")
    for x in range(-50, 51):
        pen.line((640 + x * 28, 480, 640 + x * 170, 800), fill="#4a1d8a", width=2)
    pen.polygon([(600, 480), (680, 480), (1120, 800), (160, 800)], fill="#231550")
    for top, low in ((600, 160), (680, 1120)):
        pen.line((top, 480, low, 800), fill="#00e5ff", width=10)
    pen.polygon([(524, 760), (572, 684), (708, 684), (756, 760)], fill="#00e5ff")
    pen.polygon([(584, 732), (600, 696), (680, 696), (696, 732)], fill="#0a0618")
    return _png(cover.resize((640, 400), Image.Resampling.LANCZOS))


def _shaded(size, high, low):
    mask = Image.linear_gradient("L").resize(size)
    return Image.composite(Image.new("RGB", size, low), Image.new("RGB", size, high), mask)


def _bell_icon():
    icon = Image.new("RGBA", (512, 512))
    pen = ImageDraw.Draw(icon)
    pen.rounded_rectangle((0, 0, 511, 511), 110, fill="#1f4037")
    pen.circle((256, 128), 26, fill="#ffd166")
    pen.ellipse((136, 130, 376, 390), fill="#ffd166")
    pen.polygon([(136, 260), (376, 260), (424, 390), (88, 390)], fill="#ffd166")
    pen.circle((256, 404), 38, fill="#ff8c42")
    pen.rectangle((88, 376, 424, 396), fill="#f4b740")
    return _png(icon.resize((256, 256), Image.Resampling.LANCZOS))


def _png(image):
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _bell(seconds=0.9, rate=22_050):
    """A bell: a few partials that are not in tune, each dying away."""
    partials = ((523.25, 0.5, 3.5), (1046.5, 0.25, 5), (1255.8, 0.12, 6), (2098, 0.08, 9))
    samples = (
        sum(loud * math.exp(-fade * at / rate) * math.sin(math.tau * tone * at / rate) for tone, loud, fade in partials)
        for at in range(int(seconds * rate))
    )
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, rate, 0, "NONE", ""))
        sound.writeframes(b"".join(struct.pack("<h", round(30_000 * each)) for each in samples))
    return file.getvalue()


_MADE = {
    "neon-drift": {"cover.png": _neon_cover},
    "bell-garden": {"icon.png": _bell_icon, "sounds/bell.wav": _bell},
}


# --- zips -----------------------------------------------------------------------------------------------------


class _Pipe(io.RawIOBase):
    """Takes bytes and cannot go back, as a socket; tools that write into one put sizes behind the data."""

    def __init__(self):
        self.written = bytearray()

    def writable(self):
        return True

    def write(self, data):
        self.written += data
        return len(data)


def _python(name, contents):
    file = io.BytesIO()
    _write(file, contents)
    return file.getvalue()


def _stream(name, contents):
    pipe = _Pipe()
    _write(pipe, contents)
    return bytes(pipe.written)


def _write(file, contents):
    with zipfile.ZipFile(file, "w") as archive:
        for path, data in contents.items():
            info = zipfile.ZipInfo(path, _TIME)
            info.external_attr = _FILE << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED, 9)


def _finder(name, contents):
    """One folder around all, sizes behind the data, and a shadow of resource forks beside it."""
    top = name.replace("-", " ").title()
    folders = {f"{parent}/" for path in contents for parent in map(str, PurePosixPath(top, path).parents)} - {"./"}
    entries = [(path, None) for path in sorted(folders)]
    fork = bytes.fromhex("00051607000200004d6163204f532058") + bytes(8) + b"\0\0"  # AppleDouble without entries
    entries += [(f"{top}/.DS_Store", b"\0\0\0\1Bud1" + bytes(6140)), ("__MACOSX/", None), (f"__MACOSX/{top}/", None)]
    entries += [(f"__MACOSX/{top}/._.DS_Store", fork)]
    for path, data in contents.items():
        entries += [(f"{top}/{path}", data)]
        if "/" not in path:
            entries += [(f"__MACOSX/{top}/._{path}", fork)]
    return _archive(entries)


def _archive(entries):
    body, directory = b"", b""
    for path, data in entries:
        at = len(body)
        encoded, attributes = path.encode(), (_FOLDER if data is None else _FILE) << 16
        stamp = struct.pack("<HHII", 0x5855, 8, 1_793_620_800, 1_793_620_800)  # "UX", as Archive Utility writes it
        if data is None:
            flags, method, sums, packed = 0, 0, (0, 0, 0), b""
        else:
            squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
            packed = squeeze.compress(data) + squeeze.flush()
            flags, method, sums = 0x0008, 8, (zlib.crc32(data), len(packed), len(data))
        head = (20 if flags else 10, flags, method, _DOS_TIME, _DOS_DATE)
        body += struct.pack("<4s5H3I2H", b"PK\3\4", *head, 0, 0, 0, len(encoded), len(stamp)) + encoded + stamp + packed
        body += struct.pack("<4s3I", b"PK\7\10", *sums) if flags else b""
        lengths = (len(encoded), len(stamp), 0, 0, 0)
        directory += struct.pack("<4sH5H3I5H2I", b"PK\1\2", 0x0315, *head, *sums, *lengths, attributes, at)
        directory += encoded + stamp
    count = len(entries)
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, len(directory), len(body), 0)
    return body + directory + end
