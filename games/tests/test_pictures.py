"""Whatever a game brings, its picture is a small WebP of ours, made without failing or taking the worker down."""

import errno
import io
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from PIL import Image, ImageDraw, PngImagePlugin

from games import confined, covers, firstframe, pictures, raster, samples, tiles

ROOT = Path(__file__).resolve().parents[2]
RED, BLUE = (220, 30, 40), (30, 40, 220)


@pytest.fixture
def game(tmp_path, settings):
    """`game(name=bytes, …)` makes the picture of a game with these files."""
    settings.PICTURE_BROWSER = ""

    def make(contents, title="Neon Drift"):
        lay_out(tmp_path, contents)
        return pictures.make(tmp_path, title)

    return make


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


def codes(picture):
    return [code for code, _ in picture.findings]


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


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_cover_is_left_out_and_said_to_be(game, what):
    picture = game({"cover.png": HOSTILE[what]()})
    assert picture.origin == pictures.TILE
    assert codes(picture) == ["unfit_cover", "no_cover"]
    assert picture.findings[0][1].startswith("cover.png ")
    opened(picture)


def test_too_many_pixels_are_counted_in_the_sentence(game):
    picture = game({"cover.png": HOSTILE["13,000 by 13,000"]()})
    assert picture.findings[0][1] == "cover.png has 169 megapixels; at most 24 are read. It was left out."


def test_a_hostile_cover_does_not_keep_the_next_from_being_used(game):
    picture = game({"cover.png": ztxt_bomb(), "icon.png": drawn((128, 128))})
    assert picture.origin == pictures.COVER
    assert codes(picture) == ["unfit_cover"]


@pytest.mark.parametrize("what", ["13,000 by 13,000", "50,000 by 50,000", "a bomb of text", "a huge WebP"])
def test_memory_is_bounded_even_without_the_limits_of_the_child(tmp_path, what):
    lay_out(tmp_path, {"cover.png": HOSTILE[what]()})
    code = "import resource, sys; from games.pictures import main; main(sys.argv[1], 'cover');"
    code += "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    done = subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT, capture_output=True, check=True)
    assert int(done.stdout) < 200 * 1024


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_largest_that_are_read_fit_into_the_child(game, kind):
    options = {"progressive": True} if kind == "JPEG" else {}
    picture = game({"cover.png": drawn((5_990, 4_000), kind, **options)})
    assert (picture.origin, picture.findings) == (pictures.COVER, [])
    assert near(opened(picture).getpixel((20, 20)), BLUE)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_content_decides_not_the_name(game, kind):
    assert game({"cover.png": drawn(kind=kind)}).origin == pictures.COVER


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_pictures_of_every_mode_are_read(game, mode):
    file = io.BytesIO()
    Image.new(mode, (300, 200), 1 if mode == "1" else None).save(file, "PNG")
    picture = game({"cover.png": file.getvalue()})
    assert picture.origin == pictures.COVER
    opened(picture)


def test_grey_of_16_bits_keeps_its_shades(game):
    file = io.BytesIO()
    Image.new("I;16", (320, 200), 0x4000).save(file, "PNG")
    assert near(opened(game({"cover.png": file.getvalue()})).getpixel((9, 9)), (64, 64, 64))


def test_metadata_is_gone_and_rotation_applied(game):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    exif[0x013B] = "Ada of Secret Street"
    made = drawn((400, 640), "JPEG", exif=exif, comment=b"Secret Street", icc_profile=b"Secret Street")
    picture = game({"cover.jpg": made})
    image = opened(picture)
    assert b"Secret" not in picture.path.read_bytes()
    assert near(image.getpixel((470, 10)), BLUE)
    assert near(image.getpixel((10, 10)), RED)


def test_texts_of_a_png_are_gone(game):
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "Ada of Secret Street")
    assert b"Secret" not in game({"cover.png": drawn(pnginfo=info)}).path.read_bytes()


def test_of_an_animation_the_first_frame_is_shown(game):
    frames = [Image.new("RGB", (320, 200), colour) for colour in ("blue", "red", "green")]
    for kind in ("WEBP", "PNG"):
        file = io.BytesIO()
        frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=50)
        assert near(opened(game({"cover.png": file.getvalue()})).getpixel((9, 9)), (0, 0, 255))


def test_an_icon_is_shown_on_a_colour_it_stands_out_from(game):
    for colour, ground in ((0, 200), (255, 80)):
        file = io.BytesIO()
        icon = Image.new("RGBA", (128, 128))
        ImageDraw.Draw(icon).rectangle((20, 20, 108, 108), fill=(colour, colour, colour))
        icon.save(file, "PNG")
        image = opened(game({"icon.png": file.getvalue()}))
        assert near(image.getpixel((240, 150)), (colour,) * 3)
        assert (image.getpixel((5, 5))[0] > ground) == (colour == 0)


def test_too_small_an_icon_is_left_out(game):
    picture = game({"icon.png": drawn((95, 200))})
    assert picture.origin == pictures.TILE
    assert picture.findings[0][1] == "icon.png is 95 × 200 pixels; at least 96 each way are needed. It was left out."
    assert game({"icon.png": drawn((96, 96))}).origin == pictures.COVER


def test_without_any_picture_the_finding_says_what_to_do(game):
    picture = game({"index.html": b"<canvas>"})
    assert (picture.origin, picture.findings) == (pictures.TILE, [pictures.NO_COVER])


def test_an_svg_cover_is_named_and_never_read(game):
    picture = game({"cover.svg": HOSTILE["SVG"](), "icon.svg": HOSTILE["SVG"]()})
    assert picture.origin == pictures.TILE
    assert picture.findings[0] == (
        "unfit_cover",
        "cover.svg was left out: covers are read as PNG, JPEG or WebP only.",
    )


PAGE = b"""<!doctype html><meta property="og:image" content="art/big%20one.png?v=2">
<link rel="shortcut icon" href="art/small.png" sizes="192x192"><link rel=icon href=art/large.png sizes=512x512>
<meta property="og:image" content="https://example.net/cover.png"><link rel="icon" href="../../outside.png">
<link rel="icon" href="data:image/png;base64,AAAA"><link rel="icon" href="http://[">"""


def test_what_the_page_links_to_is_found_in_the_order_of_its_worth(tmp_path):
    names = [
        "art/big one.png",
        "art/small.png",
        "art/large.png",
        "a/b/cover.webp",
        "a/b/c/cover.png",
        "Screenshot_1.JPG",
    ]
    lay_out(tmp_path, dict.fromkeys(names, b"x") | {"index.html": PAGE, "discover.png": b"", "cover.txt": b""})
    (tmp_path / "outside.png").write_bytes(b"x")
    readable, others = covers.find(tmp_path / "files")
    assert [each.name for each in readable] == [names[3], names[0], names[5], names[2], names[1]]
    assert others == []


def test_the_linked_image_is_used(game):
    picture = game({"index.html": PAGE, "art/big one.png": drawn()})
    assert (picture.origin, picture.findings) == (pictures.COVER, [])


@pytest.mark.parametrize("start", ["<![", "<meta property='og:image' ", "<link rel=icon href='", "<!--", "\0", "<a a="])
def test_a_hostile_page_neither_stops_nor_slows_it(game, start):
    began = time.monotonic()
    picture = game({"index.html": (start * 400_000).encode(), "cover.png": drawn()})
    assert picture.origin == pictures.COVER
    assert time.monotonic() - began < 10


def test_links_on_disk_are_not_followed(game, tmp_path):
    (tmp_path / "secret.png").write_bytes(drawn())
    lay_out(tmp_path, {"index.html": b'<link rel="icon" href="mine.png"><link rel="icon" href="cover.png">'})
    for name in ("cover.png", "mine.png"):
        (tmp_path / "files" / name).symlink_to(tmp_path / "secret.png")
    (tmp_path / "files" / "art").symlink_to(tmp_path)
    assert game({}).origin == pictures.TILE


def test_names_are_shown_on_one_line_and_cut(game):
    name = "icon\n\x1b[31m\u202egnp." + "x" * 100 + "/cover.png"
    sentence = game({name: b"x"}).findings[0][1]
    assert sentence.isprintable()
    assert len(sentence) < 200
    assert sentence.count("…") == 1


def test_findings_are_few(game):
    picture = game({f"cover-{number}.png": b"x" for number in range(300)})
    assert 1 < len(picture.findings) <= 5


@given(data=st.one_of(st.binary(max_size=400), st.binary(max_size=80).map(lambda data: drawn()[:40] + data)))
@examples(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_bytes_whatsoever_raise(data):
    with tempfile.TemporaryDirectory() as folder:
        lay_out(Path(folder), {"cover.png": data, "index.html": data})
        assert pictures.main(folder, "cover")["findings"]


@pytest.mark.parametrize("said", [b"", b"[]", b"{}", b'{"findings": 3}', b'{"findings": [["a"]]}', b"\xff"])
def test_a_child_that_was_taken_over_is_not_believed(game, monkeypatch, tmp_path, said):
    def run(module, folder, *args, **limits):
        (Path(folder) / "thumbnail.webp").symlink_to("/etc/passwd")
        return said

    monkeypatch.setattr(confined, "run", run)
    picture = game({})
    assert picture.origin == pictures.TILE
    assert not picture.path.is_symlink()
    assert Path("/etc/passwd").read_bytes()[:4] != b"RIFF"


@pytest.mark.parametrize("content", [b"<script>", b"RIFF\0\0\0\0WEBP" + bytes(pictures._LARGEST)])
def test_what_is_no_small_webp_is_not_taken_from_the_child(game, monkeypatch, content):
    def run(module, folder, *args, **limits):
        (Path(folder) / "thumbnail.webp").write_bytes(content)
        return b'{"findings": []}'

    monkeypatch.setattr(confined, "run", run)
    assert game({}).origin == pictures.TILE


def test_a_child_that_ended_early_is_a_finding(game, monkeypatch):
    def run(*args, **limits):
        raise confined.Confined("It took too long.")

    monkeypatch.setattr(confined, "run", run)
    assert codes(game({})) == ["unfit_cover", "no_cover"]


def test_no_room_is_trouble_of_ours(game, monkeypatch):
    def write(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(raster, "write", write)
    with pytest.raises(OSError, match="No space") as trouble:
        game({})
    assert trouble.value.errno == errno.ENOSPC


def test_no_room_in_the_child_is_told_to_its_parent(game, monkeypatch, tmp_path):
    monkeypatch.setattr(confined, "run", lambda *args, **limits: b'{"no_room": true}')
    with pytest.raises(OSError, match="work folder is full"):
        game({})
    monkeypatch.setattr(raster, "write", lambda *args: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    lay_out(tmp_path, {"cover.png": drawn()})
    assert pictures.main(tmp_path, "cover") == {"no_room": True}


def test_the_child_imports_no_django(tmp_path):
    lay_out(tmp_path, {"cover.png": drawn()})
    code = "import runpy, sys; sys.argv = ['pictures', sys.argv[1], 'cover'];"
    code += "runpy.run_module('games.pictures', run_name='__main__'); assert 'django' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT, env={}, capture_output=True, check=True)
    assert json.loads(done.stdout) == {"findings": []}


# --- tiles ----------------------------------------------------------------------------------------------------


def test_a_tile_depends_on_the_title_alone(game):
    first, again = (game({}, title=title).path.read_bytes() for title in ("Moon Base", "Moon Base"))
    assert first == again
    assert game({}, title="Moon Bass").path.read_bytes() != first


@pytest.mark.parametrize(
    ("title", "letters"),
    [
        ("Neon Drift", "ND"),
        ("  the “last” bus home", "TL"),
        ("Übung", "Ub"),
        ("2048", "20"),
        ("A", "A"),
        ("東京レーサー", ""),
        ("🚀 Rocket", "Ro"),
        ("", ""),
        ("\ud800\0\u202e", ""),
        ("ß" * 5_000, ""),
    ],
)
def test_initials_are_letters_the_font_has(title, letters):
    assert tiles.initials(title) == letters
    assert not raster.is_plain(tiles.draw(title))


# --- screenshots ----------------------------------------------------------------------------------------------

needs_browser = pytest.mark.xdist_group("screenshots")  # one browser at a time


@pytest.fixture
def chromium(settings):
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    path = os.environ.get("ATTENDANT_CHROMIUM") or next(filter(None, found), "")
    if not path:
        pytest.skip("needs a Chromium of the system")
    settings.PICTURE_BROWSER = path
    return path


@needs_browser
def test_the_first_frame_of_a_game_without_cover_is_its_picture(chromium, tmp_path):
    lay_out(tmp_path, samples.files("star-hopper"))
    picture = pictures.make(tmp_path, "Star Hopper")
    assert (picture.origin, picture.findings) == (pictures.SCREENSHOT, [pictures.NO_COVER])
    colours = opened(picture).getcolors(480 * 300)
    assert len(colours) > 500
    assert sorted(path.name for path in tmp_path.iterdir()) == ["files", "screenshot.png", "thumbnail.webp"]


@needs_browser
def test_a_blank_first_frame_counts_as_none(chromium, tmp_path):
    lay_out(tmp_path, {"index.html": b"<body style='background: #fff'>"})
    assert pictures.make(tmp_path, "Blank").origin == pictures.TILE


@needs_browser
def test_a_game_that_never_comes_to_rest_is_ended(chromium, tmp_path, monkeypatch):
    monkeypatch.setattr(firstframe, "TIMEOUT_S", 3)
    lay_out(tmp_path, {"index.html": b"<script>for (;;);</script>"})
    began = time.monotonic()
    assert pictures.make(tmp_path, "Endless").origin == pictures.TILE
    assert time.monotonic() - began < 10
    assert not (tmp_path / "browser").exists()


ATTEMPTS = """<img src="http://ADDRESS/img"><iframe src="http://ADDRESS/frame"></iframe><script>
  fetch("http://ADDRESS/fetch").catch(() => 0);
  navigator.sendBeacon("http://ADDRESS/beacon");
  try { new WebSocket("ws://ADDRESS/socket"); } catch { }
  window.open("http://ADDRESS/window");
  document.body.style.background = "lime";
</script>"""


@needs_browser
@pytest.mark.parametrize("page", [ATTEMPTS, '<script>location = "http://ADDRESS/away"</script>'])
def test_a_game_reaches_nothing_but_its_own_files(chromium, tmp_path, silent_server, page):
    address, asked = silent_server
    lay_out(tmp_path, {"index.html": f"<body>{page.replace('ADDRESS', address)}".encode()})
    firstframe.take(chromium, tmp_path)
    assert asked == []
    if page == ATTEMPTS:
        with Image.open(tmp_path / firstframe.NAME) as image:
            assert image.convert("RGB").getpixel((900, 550)) == (0, 255, 0), "all was tried"


@pytest.fixture
def silent_server():
    """Something else that listens on this machine, and what it was sent."""
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    asked.append(connection.recv(200))

        threading.Thread(target=listen, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}", asked
        server.shutdown(socket.SHUT_RDWR)


def test_without_a_working_browser_there_is_still_the_tile(tmp_path, settings):
    lay_out(tmp_path, {"index.html": b""})
    for path in ("/nowhere/chromium", "/bin/false"):
        settings.PICTURE_BROWSER = path
        assert pictures.make(tmp_path, "Quiet").origin == pictures.TILE
