"""Zips made in code: a writer that can lie in every field, and the well-formed shapes that tools really make."""

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass, field

MIB = 1 << 20
PAGE = b"<!doctype html><title>Blocks</title><script src=game.js></script>"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
WIDE = 0xFFFFFFFF
UTF8, STREAM = 0x800, 0x8


def deflate(data, level=6):
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def zeros(count):
    """A deflate stream of `count` MiB of zeros, in no time."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    one = packer.compress(b"\0" * MIB) + packer.flush(zlib.Z_FULL_FLUSH)
    return one * count + b"\3\0"


@dataclass
class Item:
    """A file in a zip. `central` and `local` say what the two headers tell in place of the truth."""

    name: str | bytes
    data: bytes = b""
    method: int = 8
    flags: int = 0
    mode: int = 0o100644
    host: int = 3
    packed: bytes | None = None
    extra: bytes = b""
    local_extra: bytes = b""
    behind: bytes = b""
    comment: bytes = b""
    told: dict = field(default_factory=dict)  # by both headers
    central: dict = field(default_factory=dict)
    local: dict = field(default_factory=dict)
    listed: bool = True
    written: bool = True
    offset: int | None = None

    def __post_init__(self):
        self.name = self.name.encode() if isinstance(self.name, str) else self.name
        if self.packed is None:
            self.packed = deflate(self.data) if self.method == 8 else self.data

    def truth(self):
        sizes = {"crc": zlib.crc32(self.data), "packed": len(self.packed), "size": len(self.data)}
        return {"name": self.name, "flags": self.flags, "method": self.method, **sizes, **self.told}

    def head(self):
        told = {"extra": self.local_extra, **self.truth(), **self.local}
        name, extra = told["name"], told["extra"]
        numbers = (told["crc"], told["packed"], told["size"], len(name), len(extra))
        return struct.pack("<4s5H3I2H", b"PK\3\4", 20, told["flags"], told["method"], 0, 33, *numbers) + name + extra

    def entry(self, offset):
        told = {"extra": self.extra, "disk": 0, "needs": 20, "offset": offset, **self.truth(), **self.central}
        name, extra, made = told["name"], told["extra"], self.host << 8 | 30
        sizes = (told["crc"], told["packed"], told["size"], len(name), len(extra), len(self.comment), told["disk"])
        out = struct.pack("<4s6H", b"PK\1\2", made, told["needs"], told["flags"], told["method"], 0, 33)
        out += struct.pack("<3I4H", *sizes) + struct.pack("<H2I", 0, self.mode << 16, told["offset"])
        return out + name + extra + self.comment


def pack(*items, front=b"", between=b"", comment=b"", back=b"", end64=None, **lies):
    """The bytes of a zip; `lies` are fields of the end record, `end64` those of a ZIP64 one that is added."""
    out, entries = bytearray(front), b""
    for item in items:
        at = len(out) if item.offset is None else item.offset
        if item.written:
            out += item.head() + item.packed + item.behind
        entries += item.entry(at) if item.listed else b""
    out += between
    count = sum(item.listed for item in items)
    true = {"disk": 0, "first": 0, "here": count, "total": count, "size": len(entries), "start": len(out)}
    out += entries
    if end64 is not None:
        where, told = len(out), {**true, "mark": b"PK\6\6", "length": 44, **end64}
        out += struct.pack("<4sQ2H", told["mark"], told["length"], 45, 45)
        out += struct.pack("<2I4Q", *(told[name] for name in true))
        out += struct.pack("<4sIQI", b"PK\6\7", 0, told.get("where", where), told.get("disks", 1))
    told = {**true, "comment": len(comment), **lies}
    numbers = (told[name] for name in ("disk", "first", "here", "total", "size", "start", "comment"))
    return bytes(out) + struct.pack("<4s4H2IH", b"PK\5\6", *numbers) + comment + back


def game(*more, **lies):
    """A game that would be welcome, and what is put beside its start page."""
    return pack(Item("index.html", PAGE), *more, **lies)


def extra(number, body):
    return struct.pack("<HH", number, len(body)) + body


def descriptor(item, mark=b"PK\7\x08", wide=False):
    truth = item.truth()
    return mark + struct.pack("<IQQ" if wide else "<III", truth["crc"], truth["packed"], truth["size"])


def streamed(name, data=b"", mark=b"PK\7\x08", wide=False, **more):
    """A file whose sizes stand behind it, as whoever writes to a pipe must do."""
    item = Item(name, data, flags=STREAM | more.pop("flags", 0), local={"crc": 0, "packed": 0, "size": 0}, **more)
    item.behind = descriptor(item, mark, wide)
    if wide:
        item.local |= {"packed": WIDE, "size": WIDE}
        item.local_extra = extra(1, b"\0" * 16)
    return item


def quoted_overlap(files, kernel_mib):
    """Fifield's bomb: each file quotes the header of the next and goes on with its bytes."""
    data, packed = kernel_mib * MIB, zeros(kernel_mib)
    crc = zlib.crc32(b"\0" * data)
    items = []
    for number in range(files, 0, -1):
        told = {"crc": crc, "packed": len(packed), "size": data}
        item = Item(f"{number:04}.dat", packed=packed, told=told, written=False)
        items.insert(0, item)
        head = item.head()
        quote = struct.pack("<BHH", 0, len(head), len(head) ^ 0xFFFF) + head
        packed, data = quote + packed, data + len(head)
        crc = 0  # right only for the last; the overlap is found before
    at = 0
    for item in items:
        item.offset, at = at, at + len(item.head()) + (5 if item is not items[-1] else 0)
    return pack(*items, front=body_of(items))


def body_of(items):
    """The one run of bytes that all files of a quoted overlap share."""
    out = b""
    for item in items[:-1]:
        head = items[items.index(item) + 1].head()
        out += item.head() + struct.pack("<BHH", 0, len(head), len(head) ^ 0xFFFF)
    return out + items[-1].head() + items[-1].packed


class Pipe(io.RawIOBase):
    """Somewhere to write that cannot go back."""

    def __init__(self):
        self.out = bytearray()

    def writable(self):
        return True

    def seekable(self):
        return False

    def write(self, data):
        self.out += data
        return len(data)


def by_python(files, to=None, **options):
    target = to or io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return bytes(to.out) if to else target.getvalue()


def by_finder():
    """Compress in the Finder: streamed, UTF-8 names that do not say so, a twin of each file, a folder around it."""
    ux = extra(0x5855, b"\0" * 8)
    one = {"extra": ux, "local_extra": extra(0x5855, b"\0" * 12)}
    return pack(
        Item("Blocks/", mode=0o40755, method=0, **one),
        streamed("Blocks/index.html", PAGE, **one),
        streamed("__MACOSX/Blocks/._index.html", b"\0\5\x16\7", **one),
        streamed("Blocks/.DS_Store", b"\0\0\0\1Bud1", **one),
        Item("Blocks/музыка/", mode=0o40755, method=0, **one),
        streamed("Blocks/музыка/тема.mp3", b"ID3\3" + b"\0" * 30, **one),
    )


def by_explorer():
    """Windows: made by DOS, no modes, UTF-8 only where it must be, folders sometimes left out."""
    dos = {"host": 0, "mode": 0}
    return pack(
        Item("index.html", PAGE, **dos),
        Item("Thumbs.db", b"\xd0\xcf\x11\xe0", **dos),
        Item("img/", method=0, **dos),
        Item("img/größe.png", PNG, flags=UTF8, **dos),
    )


def by_seven_zip():
    """NTFS times in the directory alone, empty files stored."""
    times = {"extra": extra(0x000A, b"\0" * 32), "host": 0, "mode": 0}
    return pack(
        Item("a/", method=0, **times), Item("a/empty.txt", method=0, **times), Item("index.html", PAGE, **times)
    )


def by_java():
    """Folders, too, are deflated and streamed: two bytes that make nothing."""
    return pack(streamed("assets/", mode=0, host=0), streamed("index.html", PAGE, mode=0, host=0, flags=UTF8))


def by_jszip():
    """Construct and other browser tools: a name that is not ASCII is told again in an extra field."""
    name = "größe.json"
    again = extra(0x7075, b"\1" + struct.pack("<I", zlib.crc32(name.encode())) + name.encode())
    return game(Item(name, b"{}", flags=UTF8, extra=again, local_extra=again))


def with_zip64():
    """Everything told in 64 bits, though nothing is large."""
    data, at = b"x" * 500, len(Item("index.html", PAGE).head()) + len(deflate(PAGE))
    big = Item("data/level.bin", data, method=0)
    sizes = struct.pack("<QQ", len(data), len(data))
    big.local = {"size": WIDE, "packed": WIDE}
    big.local_extra = extra(1, sizes)
    big.central = {"size": WIDE, "packed": WIDE, "offset": WIDE}
    big.extra = extra(1, sizes + struct.pack("<Q", at))
    lies = {"here": 0xFFFF, "total": 0xFFFF, "size": WIDE, "start": WIDE}
    return game(big, end64={}, **lies)


EXPORTS = {
    "unity": "Build/w.loader.js Build/w.data.unityweb Build/w.wasm.br Build/w.symbols.json TemplateData/style.css"
    " StreamingAssets/a.bundle Build/w.mem Build/w.data.gz",
    "godot": "game.js game.wasm game.pck game.audio.worklet.js game.icon.png project.godot.txt",
    "phaser": "assets/map.tmx assets/atlas.atlas assets/font.fnt assets/theme.ogg assets/boom.mp3 assets/level.json",
    "three": "models/car.glb models/car.gltf models/car.bin tex/sky.ktx2 tex/sky.basis tex/sky.hdr tex/a.tga a.woff2",
}
_CONTENT = {
    "png": PNG, "wasm": b"\0asm\1\0\0\0", "ogg": b"OggS\0", "mp3": b"\xff\xfb\x90\0", "woff2": b"wOF2\0\1\0\0",
    "glb": b"glTF\2\0\0\0", "hdr": b"#?RADIANCE\n", "json": b"{}",
}  # fmt: skip


def export(names):
    return by_python(
        {"index.html": PAGE} | {name: _CONTENT.get(name.rpartition(".")[2], b"x = 1") for name in names.split()}
    )


def valid():
    """Every shape that must be welcome, by name."""
    files = {"index.html": PAGE, "game.js": b"play()" * 400, "img/a.png": PNG}
    return {
        "python": by_python(files),
        "stored": pack(Item("index.html", PAGE, method=0), Item("a.png", PNG, method=0)),
        "python stream": by_python(files, Pipe()),
        "folder around": by_python({f"My Game/{name}": data for name, data in files.items()}),
        "finder": by_finder(),
        "explorer": by_explorer(),
        "7-zip": by_seven_zip(),
        "java": by_java(),
        "jszip": by_jszip(),
        "zip64": with_zip64(),
        "stream without marks": game(streamed("a.txt", b"hello " * 9, mark=b"")),
        "stream in 64 bits": game(streamed("a.txt", b"hello " * 9, wide=True)),
        "stream in 64 bits without marks": game(streamed("a.txt", b"hello " * 9, wide=True, mark=b"")),
        "sizes told early": game(Item("b.txt", b"x" * 9, flags=STREAM, local={"crc": 0, "packed": 0},
                                      behind=descriptor(Item("b.txt", b"x" * 9)))),
        "comment": game(comment=b"Made with love"),
        "comment of a file": game(Item("a.txt", b"a", comment=b"first")),
        "aligned": game(Item("a.txt", b"a", local_extra=b"\0\0\0")),
        "code page 437": game(Item(b"gr\x94\xe1e.txt", b"a")),
        "nested": game(Item("mods.zip", by_python({"a.txt": b"a"})), Item("game.data", by_python({"a.txt": b"a"}))),
        "24 MiB of nothing": game(Item("map.dat", b"\0" * 24 * MIB)),
        **{name: export(names) for name, names in EXPORTS.items()},
    }  # fmt: skip
