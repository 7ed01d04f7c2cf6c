"""Whatever a game brings, its picture is a small WebP of ours, made without failing or taking the worker down."""

import errno
import io
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from PIL import Image, ImageDraw, PngImagePlugin

from games import confined, covers, pictures, raster, tiles
from games.tests.images import BLUE, HOSTILE, RED, drawn, lay_out, near, opened, ztxt_bomb

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def game(tmp_path, settings):
    """`game({name: bytes})` makes the picture of a game with these files."""
    settings.PICTURE_BROWSER = ""

    def make(contents, title="Neon Drift"):
        lay_out(tmp_path, contents)
        return pictures.make(tmp_path, title)

    return make


def codes(picture):
    return [code for code, _ in picture.findings]


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
    code = "import sys; from games.pictures import main; main(sys.argv[1], 'cover');"
    # not ru_maxrss, which begins with what the caller had
    code += "print(*(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    done = subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT, capture_output=True, check=True)
    assert int(done.stdout.split()[-1]) < 200 * 1024


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


CUT = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\x90\x08\x02\0\0\0\xb1\x91Fr\0\0\x06?IDAT\0\0"


@example(data=CUT)  # reading its EXIF hid that the rest is missing
@given(data=st.one_of(st.binary(max_size=400), st.binary(max_size=80).map(lambda data: drawn()[:40] + data)))
@examples(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_bytes_whatsoever_raise(data):
    with tempfile.TemporaryDirectory() as folder:
        lay_out(Path(folder), {"cover.png": data, "index.html": data})
        assert pictures.main(folder, "cover")["findings"]


@pytest.mark.parametrize("said", [b"", b"[]", b"{}", b'{"findings": 3}', b'{"findings": [["a"]]}', b"\xff"])
def test_a_child_that_was_taken_over_is_not_believed(game, monkeypatch, tmp_path, said):
    (tmp_path / "secret").write_bytes(b"RIFF....WEBP of ours")

    def run(module, folder, *args, **limits):
        (Path(folder) / "thumbnail.webp").symlink_to(tmp_path / "secret")
        return said

    monkeypatch.setattr(confined, "run", run)
    picture = game({})
    assert picture.origin == pictures.TILE
    assert not picture.path.is_symlink()
    assert (tmp_path / "secret").read_bytes() == b"RIFF....WEBP of ours"


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
