"""Which files a game may bring, by their ending, and whether their first bytes are what the ending says."""

import codecs

from games.findings import ERROR, WARNING, shown

HEAD = 1024  # bytes looked at
# what is asked of the content of each kind is in `_objection`
_TABLE = {
    "page": "html htm xhtml",
    "svg": "svg",
    "text": (
        "js mjs cjs ts css json json5 jsonc map txt md csv tsv xml xsd ini cfg conf yaml yml toml properties log"
        " webmanifest appcache atlas fnt plist tmx tsx tmj tsj ldtk tiled-project world vtt srt lrc m3u8 glsl frag"
        " vert vs fs wgsl hlsl shader mtl obj gltf dae x3d bvh lua wren ink po pot lang strings jsonl geojson license"
    ),
    "picture": "png apng jpg jpeg jfif gif webp avif bmp ico cur",
    "font": "woff woff2 ttf otf ttc eot",
    # players guess at these themselves, so only what is plainly something else is refused
    "stream": "mp3 ogg oga ogv ogx opus wav m4a aac flac weba mid midi mp4 m4v webm mov sf2 sf3 mod xm s3m it wasm",
    "asset": (
        "tga dds ktx ktx2 basis pvr astc pkm etc hdr exr psd glb fbx vox b3d b3dm drc ply stl spk skel skl moc3"
        " mtn model anim bvec swf tic p8 cart nes gb gbc gba z64 sfc"
    ),
    # made of other files, or squeezed: whatever comes first in them says nothing
    "packed": (
        "data dat bin mem pck pak unityweb unity3d bundle assets resource ress res br gz zst lzma lz4 bank wad rpa"
        " arcd arci arcd0 arci0 dmanifest dmanifest0 projectc projectc0 texturesc buf arraybuffer db sqlite import ctex"
        " stex scn sample oggstr mp3str win droid ios unx yydebug symbols so_ frag_bin msgpack pb bson cbor npy onnx"
        " tflite bytes raw dict index idx"
    ),
    "archive": "zip 7z rar tar tgz tbz2 txz xz bz2 love apk jar jsdos pk3 cbz",
}
_KINDS = {ending: kind for kind, endings in _TABLE.items() for ending in endings.split()}
_BARE = ("license", "licence", "notice", "notices", "readme", "authors", "credits", "copying", "changelog", "version")

_MAGIC = (
    ("picture", 0, b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM", b"\0\0\1\0", b"\0\0\2\0"),
    ("picture", 8, b"WEBP"),
    ("picture", 4, b"ftypavif", b"ftypavis", b"ftypmif1", b"ftypheic"),
    ("font", 0, b"wOFF", b"wOF2", b"\0\1\0\0", b"OTTO", b"ttcf", b"true"),
    ("font", 34, b"LP"),
    ("archive", 0, b"PK\3\4", b"PK\5\6", b"Rar!\x1a\7", b"7z\xbc\xaf\x27\x1c", b"\xfd7zXZ\0"),
    ("archive", 257, b"ustar"),
    ("program", 0, b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf"),
    ("program", 0, b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"L\0\0\0\1\x14\2\0"),
    ("document", 0, b"%PDF-", b"\xd0\xcf\x11\xe0", b"{\\rtf"),
)
_PAGES = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<iframe", b"<style", b"<title", b"<meta")
_PAGES += (b"<table", b"<div", b"<form", b"<img", b"<br", b"<h1", b"<p", b"<a", b"<b")
_NAMED = {
    "page": "a web page",
    "svg": "an SVG drawing",
    "markup": "XML",
    "script": "a script",
    "picture": "a picture",
    "font": "a font",
    "archive": "an archive",
    "program": "a program",
    "document": "a document",
    "text": "plain text",
    "": "something else",
}


def ending(name):
    """Without the dot, in lower case; `LICENSE` and its like count as text."""
    last = name.rpartition("/")[2].lower()
    if last in _BARE:
        return "txt"
    return last.rpartition(".")[2] if "." in last else ""


def is_archive(name):
    return _KINDS.get(ending(name)) == "archive" or name.lower().endswith((".tar.gz", ".tar.br", ".tar.zst"))


def hidden(name):
    """The folder or file in this path that starts with a dot, or ""."""
    return next((part for part in name.split("/") if part.startswith(".")), "")


def unwelcome(name):
    """The sentence that refuses this kind of file, or ""."""
    found = ending(name)
    if not found:
        return "The name has no ending, so no browser can be told what it is. Leave it out, or name it .dat or .txt."
    if found not in _KINDS:
        return f"Files ending in .{shown(found, 30)} are not part of a browser game. Leave it out."
    return ""


def mismatch(name, head):
    """`(code, sentence, level)` when the first bytes contradict the name, else None."""
    kind, found = _KINDS.get(ending(name), ""), sniff(head)
    if head.startswith(b"version https://git-lfs"):
        return "file_type", "This is only a pointer of Git LFS. Run “git lfs pull”, then zip again.", ERROR
    if found == "archive" and kind in ("packed", "asset"):
        return nested()
    if not head or not _objection(kind, found):
        return None
    sentence = f"It is called .{ending(name)} but holds {_NAMED[found]}. Name it for what it is, or leave it out."
    return "file_type", sentence, ERROR


def nested():
    return "nested_archive", "An archive inside the zip: it is kept as it is, and nobody looked into it.", WARNING


def _objection(kind, found):
    if kind in ("picture", "font"):
        return found != kind
    if kind == "svg":
        return found not in ("svg", "markup", "text")
    if kind in ("page", "text"):
        return found in ("program", "archive", "document")
    if kind == "stream":
        return found in ("page", "svg", "markup", "script", "text", "program", "archive", "document", "picture")
    if kind == "asset":
        return found in ("page", "svg", "script", "program", "document")
    return found == "program"


def sniff(head):
    """What the first bytes of a file are, in the words of `_NAMED`; "" for bytes of no kind we know."""
    for kind, at, *marks in _MAGIC:
        if head.startswith(tuple(marks), at):
            return kind
    if head.startswith(b"MZ") and (b"PE\0\0" in head or b"DOS mode" in head):
        return "program"
    return _sniff_text(head)


def _sniff_text(head):
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", "ignore").encode()
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\f").lower()
    if start.startswith((b"#!/", b"#! /", b"<?php", b"<?=", b"<%")):
        return "script"
    if start.startswith((b"<svg", b"<!doctype svg")) or (start.startswith((b"<?xml", b"<!--")) and b"<svg" in start):
        return "svg"
    if any(start.startswith(tag) and not start[len(tag) : len(tag) + 1].isalnum() for tag in _PAGES):
        return "page"
    if start.startswith((b"<?xml", b"<!--")):
        return "page" if b"<html" in start or b"<script" in start else "markup"
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)  # a character may be cut at the end
    except UnicodeDecodeError:
        return ""
    return "text" if text and all(char >= " " or char in "\t\n\r\f" for char in text) else ""
