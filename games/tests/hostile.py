"""The hostile zips, each with the codes it must be refused by: one or more for every row of the attacks we know."""

import struct
import zlib

from games.tests import zips
from games.tests.zips import MIB, PAGE, UTF8, WIDE, Item, deflate, descriptor, extra, game, pack, streamed

A = Item("a.txt", b"a" * 99)
BENIGN = Item("benign.js", b"play()")
GAME = game(A)


def second_name(name):
    return extra(0x7075, b"\1" + struct.pack("<I", zlib.crc32(b"benign.js")) + name)


def damaged(data, find, put):
    at = data.index(find)
    return data[:at] + put + data[at + len(put) :]


NAMES = {
    "path_traversal": [
        "../evil.html",
        "a/../../evil.html",
        "/etc/evil.txt",
        "//host/evil.txt",
        "C:/evil.txt",
        "c:evil.txt",
        "a/./b/../../evil.txt",
        "./a.txt",
        "a//b.txt",
        "..",
    ],
    "backslash": ["Build\\game.js", "..\\evil.html", "C:\\evil.txt"],
    "name": [
        "evil.html\0.png",
        "a\r\nb.txt",
        "a\x1b[2Jb.txt",
        "a\u202egnp.html",
        "a\u2066b.txt",
        *("<img src=x>.txt", 'a".txt', "a|b.txt", "a?.txt", "a*.txt", "ab:c.txt"),
        *("a./b.txt", "a /b.txt", "a.txt.", "con", "aux.png", "d/LPT1.txt"),
        *("a\u2028b.txt", "a\x85b.txt", "a\ufeffb.txt"),
    ],
    "path_length": ["x" * 296 + ".txt", "d" * 100 + "/" + "é" * 80 + ".txt", ("d" * 100 + "/") * 14 + "a.txt"],
    "depth": ["d/" * 60 + "a.txt", "d/" * 16 + "a.txt"],
    "file_type": [
        "a.php",
        "a.exe",
        ".htaccess",
        ".git/config",
        ".env",
        "a.PHP",
        "a.png.exe",
        "run",
        "a.dll",
        "a.html.bat",
    ],
}
CONTENT = {
    "a.png": PAGE, "b.png": b"<svg onload=alert(1)>", "c.jpg": b"alert(1)", "d.mp3": b"  <ScRipt>alert(1)</script>",
    "e.woff2": b"\0\1\2\3", "f.wasm": b"\xef\xbb\xbf<!DOCTYPE HTML>", "g.gif": b"MZ\x90\0", "h.txt": b"\x7fELF\2\1\1",
    "i.dat": b"MZ" + b"\0" * 60 + b"PE\0\0", "j.png": b"PK\3\4", "k.ogg": b"#!/bin/sh\n", "l.js": b"PK\3\4",
    "m.png": b"version https://git-lfs.github.com/spec/v1\n", "n.mp4": "<html>".encode("utf-16"), "o.tga": b"<?php ",
    "p.svg": PAGE, "index.htm": b"%PDF-1.7",
}  # fmt: skip
MODES = {"symbolic link": 0o120777, "device": 0o020644, "block device": 0o060644, "pipe": 0o010644, "socket": 0o140644}
MODES |= {"setuid": 0o104755, "setgid": 0o102755}
TWO = {
    "twice": ("a.txt", "a.txt"), "case": ("a/Tile.txt", "a/tile.txt"), "folder case": ("A/x.txt", "a/y.txt"),
    "accents": ("caf\u00e9.txt", "cafe\u0301.txt"), "file and folder": ("a.txt", "a.txt/b.txt"),
    "folder and file": ("d.txt/b.txt", "d.txt"), "eszett": ("STRASSE.txt", "straße.txt"),
}  # fmt: skip
PARTS = {
    "password": ("encrypted", game(Item("a.txt", b"a", flags=1))),
    "strong": ("encrypted", game(Item("a.txt", b"a", flags=0x41))),
    "AES": ("encrypted", game(Item("a.txt", b"a", method=99))),
    "bzip2": ("method", game(Item("a.txt", b"a", method=12))),
    "lzma": ("method", game(Item("a.txt", b"a", method=14))),
    "deflate64": ("method", game(Item("a.txt", b"a", method=9))),
    "unknown method": ("method", game(Item("a.txt", b"a", method=77))),
    "patched": ("method", game(Item("a.txt", b"a", flags=0x20))),
    "not UTF-8": ("name", game(Item(b"\xff\xfe.txt", b"a", flags=UTF8))),
    "only dots": ("path_traversal", game(Item("../", method=0))),
    "no name": ("path_traversal", game(Item("", b"a"))),
    "large file": ("size", game(Item("a.dat", packed=b"x" * MIB, told={"size": 101 * MIB}))),
    "1 GiB of zeros": ("size", game(Item("a.dat", packed=zips.zeros(1024), told={"size": 1024 * MIB}))),
    "60 x 40 MiB": ("size", pack(*(Item(f"{n}.dat", packed=b"\3\0", told={"size": 40 * MIB}) for n in range(60)))),
    "ratio": ("ratio", game(Item("a.dat", packed=zips.zeros(65), told={"size": 65 * MIB}))),
    "1,001 files": ("too_many_files", game(*(Item(f"{n}.txt", method=0) for n in range(1000)))),
    "quoted overlap of 1 GiB": ("overlap", zips.quoted_overlap(500, 2)),
    "quoted overlap of 20 MiB": ("overlap", zips.quoted_overlap(20, 1)),
    "full overlap": ("overlap", game(Item("a.txt", PAGE, written=False, offset=0, local={"name": b"index.html"}))),
    "CRC": ("corrupt", game(Item("a.txt", b"a" * 9, told={"crc": 1}))),
    "CRC of a stored file": ("corrupt", game(Item("a.txt", b"a" * 9, method=0, told={"crc": 1}))),
    "lying header": ("corrupt", game(Item("a.dat", packed=zips.zeros(1024), told={"size": 2 * MIB}))),
    "says more than it holds": ("corrupt", game(Item("a.dat", b"a" * 9, told={"size": 10}))),
    "no deflate": ("corrupt", game(Item("a.dat", packed=b"\xff" * 99, told={"size": 99}))),
    "cut deflate": ("corrupt", game(Item("a.dat", packed=deflate(bytes(range(99)))[:-9], told={"size": 99}))),
    "deflate without its end": ("corrupt", game(Item("a.dat", b"\0" * MIB, packed=zips.zeros(1)[:-2]))),
    "no bytes": ("corrupt", game(Item("a.dat", packed=b"", told={"size": 99}))),
    "packs nothing": ("corrupt", game(Item("a.dat", packed=b"\0\0\0\xff\xff" * MIB, told={"size": 5 * MIB}))),
    "packs nothing and says so": ("structure", game(Item("a.dat", packed=b"\0\0\0\xff\xff" * MIB + b"\3\0"))),
    "junk after deflate": ("structure", game(Item("a.dat", b"a" * 9, packed=deflate(b"a" * 9) + b"hidden"))),
    "a chunk of junk after deflate": ("structure", game(
        Item("a.dat", b"\7" * 65531, packed=b"\1" + struct.pack("<HH", 65531, 4) + b"\7" * 65531 + b"junk" * 99))),
    "stored in two sizes": ("structure", game(Item("a.dat", b"a" * 9, method=0, told={"size": 8}))),
    "another name": ("structure", game(Item("a.txt", b"a", local={"name": b"b.txt"}))),
    "another size": ("structure", game(Item("a.txt", b"a" * 99, local={"size": 98}))),
    "another packed size": ("structure", game(Item("a.txt", b"a" * 99, local={"packed": 7}))),
    "another CRC": ("structure", game(Item("a.txt", b"a" * 99, local={"crc": 7}))),
    "another method": ("structure", game(Item("a.txt", b"a" * 99, local={"method": 0}))),
    "other flags": ("structure", game(Item("a.txt", b"a" * 99, local={"flags": 1}))),
    "sizes left out": ("structure", game(Item("a.txt", b"a" * 99, local={"crc": 0, "packed": 0, "size": 0}))),
    "false descriptor": ("structure", game(Item("a.txt", b"a", flags=8, behind=descriptor(A)))),
    "no descriptor": ("structure", game(Item("a.txt", b"a", flags=8))),
    "unasked descriptor": ("structure", game(Item("a.txt", b"a", behind=descriptor(Item("a.txt", b"a"))))),
    "ZIP64 size": ("structure", game(Item("a.txt", b"a" * 9, extra=extra(1, struct.pack("<2Q", 8, 9))))),
    "ZIP64 size in the file": (
        "structure", game(Item("a.txt", b"a" * 9, local_extra=extra(1, struct.pack("<2Q", 8, 9))))),
    "ZIP64 field too short": (
        "structure", game(Item("a.txt", b"a", central={"size": WIDE}, extra=extra(1, b"\0" * 5)))),
    "ZIP64 field without need": ("structure", game(Item("a.txt", b"a", extra=extra(1, b"\1" * 30)))),
    "ZIP64 end elsewhere": ("structure", game(A, end64={"where": 7})),
    "ZIP64 end with more": ("structure", game(A, end64={"length": 99})),
    "ZIP64 end without mark": ("structure", game(A, end64={"mark": b"PK\6\5"})),
    "ZIP64 end that disagrees": ("structure", game(A, end64={"total": 3})),
    "ZIP64 end that counts more": ("structure", game(A, BENIGN, here=2, total=2, end64={})),
    "ZIP64 disks": ("structure", game(A, end64={"disks": 2})),
    "count too low": ("structure", game(A, here=1, total=1)),
    "count too high": ("structure", game(A, here=3, total=3)),
    "counts differ": ("structure", game(A, here=1)),
    "count of none": ("structure", game(A, here=0, total=0)),
    "directory elsewhere": ("structure", game(A, start=0)),
    "directory too long": ("structure", game(A, size=9 * MIB)),
    "second disk": ("structure", game(A, disk=1, first=1)),
    "file on a second disk": ("structure", game(Item("a.txt", b"a", central={"disk": 1}))),
    "two zips": ("structure", GAME + GAME),
    "something behind": ("structure", GAME + b"x"),
    "a page in front": ("structure", PAGE + GAME),
    "a picture in front": ("structure", game(A, front=b"GIF89a")),
    "hidden file": ("structure", game(Item("evil.html", PAGE, listed=False), A)),
    "hidden file at the end": ("structure", game(A, Item("evil.html", PAGE, listed=False))),
    "hidden bytes": ("structure", game(A, between=b"hidden")),
    "end in the comment": ("structure", game(A, comment=pack(BENIGN)[-22:])),
    "half an end in the comment": ("structure", game(A, comment=b"PK\5\6 and so on, for a while" * 2)),
    "comment too short": (
        "structure", game(A, comment=b"longer than told").replace(struct.pack("<H", 16) + b"l", b"\3\0l")),
    "second name": ("structure", game(Item("benign.js", b"a", extra=second_name(b"../../evil.html")))),
    "second name in the file": (
        "structure", game(Item("benign.js", b"a", local_extra=second_name(b"../../evil.html")))),
    "second name that ends alike": ("structure", game(Item("benign.js", b"a", extra=second_name(b"evil/benign.js")))),
    "extra field too long": ("structure", game(Item("a.txt", b"a", extra=b"\7\0\xff\0a"))),
    "extra field with a rest": ("structure", game(Item("a.txt", b"a", extra=b"\7"))),
    "directory of 9 MB": ("structure", game(*(Item("d/" * 30_000 + f"{n}.txt", method=0) for n in range(150)))),
    "extra field twice": ("structure", game(Item("a.txt", b"a", extra=extra(1, b"") * 2))),
    "folder with bytes": ("structure", game(Item("d/", b"hidden", method=0))),
    "folder with packed bytes": ("structure", game(Item("d/", packed=b"\0\0\0\xff\xff" * 9 + b"\3\0"))),
    "folder without slash": ("structure", game(Item("d.txt", mode=0o40755))),
    "from the future": ("structure", game(Item("a.txt", b"a", central={"needs": 231}))),
    "no header": ("structure", damaged(GAME, b"PK\3\4", b"PK\3\3")),
    "no directory entry": ("structure", damaged(GAME, b"PK\1\2", b"PK\1\1")),
    "descriptor of another": (
        "structure", game(streamed("a.txt", b"a"), Item("b.txt", b"b", local={"name": b"c.txt"}))),
    "cut": ("truncated", GAME[:-30]),
    "cut in the end": ("truncated", GAME[:-3]),
    "cut in the comment": ("truncated", game(A, comment=b"Made with love")[:-3]),
    "beginning only": ("truncated", GAME[:40]),
    "nothing": ("empty", b""),
    "no files": ("empty", pack()),
    "only what the Finder adds": ("empty", pack(Item("__MACOSX/._a"), Item(".DS_Store"))),
    "only folders": ("empty", pack(Item("d/", method=0))),
    "a page": ("not_a_zip", PAGE),
    "a RAR": ("not_a_zip", b"Rar!\x1a\7\1\0" * 9),
    "random": ("not_a_zip", bytes(range(256)) * 9),
    "no index": ("no_index", pack(A)),
    "index in capitals": ("no_index", pack(Item("Index.HTML", PAGE))),
    "two indexes": ("no_index", pack(Item("a/index.html", PAGE), Item("b/index.html", PAGE))),
    "index two folders down": ("no_index", pack(Item("a/b/index.html", PAGE), A)),
}  # fmt: skip
CASES = [
    *((f"{code} {name[:30]!a}", {code}, game(Item(name, b"x"))) for code, names in NAMES.items() for name in names),
    *((f"content {name}", {"file_type"}, game(Item(name, head))) for name, head in CONTENT.items()),
    *((name, {"link"}, game(Item("a.txt", b"/etc/passwd", mode=mode))) for name, mode in MODES.items()),
    *((f"two {name}", {"duplicate"}, game(*(Item(each, b"x") for each in pair))) for name, pair in TWO.items()),
    *((name, {code}, data) for name, (code, data) in PARTS.items()),
]
TOO = {  # breaks a second rule as well
    "60 x 40 MiB": {"ratio", "no_index"}, "1 GiB of zeros": {"ratio"}, "large file": {"ratio"},
    "quoted overlap of 1 GiB": {"size", "ratio", "no_index"}, "quoted overlap of 20 MiB": {"no_index"},
}  # fmt: skip
