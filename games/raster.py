"""Hostile pictures into small, harmless ones: 480 × 300 WebP without metadata. Runs in a confined child; no Django."""

import re
import warnings
from contextlib import suppress

from PIL import Image, ImageOps

FORMATS = ["PNG", "JPEG", "WEBP"]
SIZE = (480, 300)
SMALLEST = 96
MEGAPIXELS = 24
LARGEST_FILE = 32 * 1024 * 1024
_EXIF_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Unfit(Exception):
    """Why a picture cannot be used: goes behind its name in a sentence."""


def read(path):
    """The picture as RGB or RGBA, upright, not much larger than needed. Raises Unfit."""
    if path.stat().st_size > LARGEST_FILE:
        raise Unfit(f"is larger than {LARGEST_FILE // 1024 // 1024} MiB")
    Image.MAX_IMAGE_PIXELS = MEGAPIXELS * 1_000_000
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)  # up to twice the limit Pillow only warns
            with Image.open(path, formats=FORMATS) as image:
                return _decoded(image)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        pixels = int((re.findall(r"\d+", str(error)) or [0])[0])
        raise Unfit(f"has {pixels // 1_000_000} megapixels; at most {MEGAPIXELS} are read") from error
    except MemoryError as error:
        raise Unfit("takes too much memory to read") from error
    except Unfit:
        raise
    except Exception as error:  # Pillow raises whatever its readers stumble over
        raise Unfit("is broken or not a PNG, JPEG or WebP") from error


def _decoded(image):
    if min(image.size) < SMALLEST:
        raise Unfit(f"is {image.width} × {image.height} pixels; at least {SMALLEST} each way are needed")
    image.draft(None, (SIZE[0] * 2, SIZE[1] * 2))  # JPEGs are made smaller while they are decoded
    image.load()  # all of it: the end may be missing; before anything else loads it, and hides that it failed
    turn = _orientation(image)
    if image.mode.startswith("I"):
        image = image.point(lambda value: value / 256).convert("L")  # 16 bits of grey
    image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    image.thumbnail((SIZE[0] * 2, SIZE[0] * 2), reducing_gap=3)
    return image.transpose(_TURNS[turn]) if turn in _TURNS else image


def _orientation(image):
    with suppress(Exception):  # broken EXIF is no reason to leave out the picture
        return image.getexif().get(_EXIF_ORIENTATION, 1)
    return 1


def is_plain(image):
    """Whether it shows one colour only."""
    return all(low == high for low, high in image.convert("RGB").getextrema())


def framed(image):
    """In the size of lists: cropped a little where its shape is near, else in the middle of a plain colour."""
    if image.mode == "RGB" and 1.15 <= image.width / image.height <= 2.4:
        return ImageOps.fit(image, SIZE, Image.Resampling.LANCZOS, centering=(0.5, 0.4))
    margin = 1 if image.mode == "RGB" and min(image.size) >= SIZE[1] else 0.72  # icons get room around them
    image = ImageOps.contain(image, (int(SIZE[0] * margin), int(SIZE[1] * margin)), Image.Resampling.LANCZOS)
    ground = Image.new("RGB", SIZE, _ground(image))
    corner = ((SIZE[0] - image.width) // 2, (SIZE[1] - image.height) // 2)
    ground.paste(image, corner, image if image.mode == "RGBA" else None)
    return ground


def _ground(image):
    """A quiet colour that the picture stands out from: dark behind light ones, light behind dark ones."""
    if image.mode == "RGBA":
        seen = Image.new("RGBA", image.size)
        seen.paste(image, mask=image.getchannel("A"))
        red, green, blue, alpha = seen.convert("RGBa").resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
        mean = [min(255, colour * 255 // max(alpha, 1)) for colour in (red, green, blue)]
    else:
        mean = image.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    light = (0.3 * mean[0] + 0.59 * mean[1] + 0.11 * mean[2]) > 96
    return tuple(colour // 5 + 8 if light else 224 + colour // 9 for colour in mean)


def write(image, path):
    """Only pixels go in: neither EXIF nor a colour profile nor a second frame."""
    clean = Image.new("RGB", image.size)
    clean.paste(image)
    clean.save(path, "WEBP", quality=82, method=4)
