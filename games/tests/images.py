"""Images as games bring them, good and hostile, made in code; and what must be true of the picture made of them."""

import io
import struct
import zlib

from PIL import Image, ImageDraw

RED, BLUE = (220, 30, 40), (30, 40, 220)


def lay_out(folder, contents):
    for name, data in contents.items():
        path = folder / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def drawn(size=(640, 400), kind="PNG", colour=RED, **options):
    """An image of one colour with a blue block in its left upper quarter."""
    image = Image.new("RGB", size, colour)
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 2 - 1, size[1] // 2 - 1), fill=BLUE)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(*chunks):
    """A PNG of these (kind, data), whatever they say."""
    made = b"\x89PNG\r\n\x1a\n"
    for kind, data in (*chunks, (b"IEND", b"")):
        made += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return made


def header(width, height):
    return (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def ztxt_bomb():
    text = b"Comment\0\0" + zlib.compress(bytes(64 * 1024 * 1024))
    pixels = zlib.compress(b"".join(b"\0" + bytes(200 * 3) for _ in range(200)))
    return png(header(200, 200), (b"zTXt", text), (b"IDAT", pixels))


def opened(picture):
    assert picture.path.read_bytes()[8:12] == b"WEBP"
    with Image.open(picture.path) as image:
        image.load()
        assert image.format == "WEBP"
        assert image.size == (480, 300)
        assert not image.info.get("exif")
        assert not image.info.get("icc_profile")
        assert getattr(image, "n_frames", 1) == 1
        return image.convert("RGB")


def near(pixel, colour):
    return all(abs(a - b) < 40 for a, b in zip(pixel, colour, strict=True))


HOSTILE = {
    "50,000 by 50,000": lambda: png(header(50_000, 50_000), (b"IDAT", zlib.compress(bytes(10_000)))),
    "13,000 by 13,000": lambda: png(header(13_000, 13_000), (b"IDAT", zlib.compress(bytes(10_000)))),
    "no height": lambda: png(header(600, 0), (b"IDAT", zlib.compress(b""))),
    "a bomb of text": ztxt_bomb,
    "a bomb of a profile": lambda: png(
        header(200, 200), (b"iCCP", b"p\0\0" + zlib.compress(bytes(1 << 26))), (b"IDAT", b"")
    ),
    "cut after 60 bytes": lambda: drawn()[:60],
    "cut in the middle": lambda: drawn(kind="JPEG")[:-1500],
    "a huge WebP": lambda: (
        b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0" + b"\xfe\x3f\0" * 2 + b"ANIM\6\0\0\0" + bytes(6)
    ),
    "SVG": lambda: b'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="400"><script>alert(1)</script></svg>',
    "HTML": lambda: b"<!doctype html><script>alert(1)</script>",
    "GIF": lambda: drawn(kind="GIF"),
    "TIFF": lambda: drawn(kind="TIFF"),
    "EPS": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 640 400\n%%EndComments\n",
    "nothing": lambda: b"",
    "zeros": lambda: bytes(100_000),
}
