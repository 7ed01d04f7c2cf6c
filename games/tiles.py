"""A picture for games without one: drawn from the title alone, always the same for the same title. No Django."""

import colorsys
import hashlib
import unicodedata

from PIL import Image, ImageDraw, ImageFont

from games.raster import SIZE

_TWICE = (SIZE[0] * 2, SIZE[1] * 2)  # drawn larger, for smooth edges


def draw(title):
    chance = hashlib.sha256(title.encode(errors="replace")).digest()
    tile = _gradient(chance)
    _circles(tile, chance)
    _letters(tile, initials(title))
    return tile.resize(SIZE, Image.Resampling.LANCZOS)


def initials(title):
    """Of the first two words, as far as the built-in font can draw them; "" is fine, too."""
    plain = [each for each in unicodedata.normalize("NFKD", title)[:400] if not unicodedata.combining(each)]
    words = "".join(each if each.isalnum() else " " for each in plain).split()
    letters = [word[0].upper() for word in words if word[0].isascii()]
    if len(letters) == 1 and len(words) == 1:
        letters += [each.lower() for each in words[0][1:2] if each.isascii()]
    return "".join(letters[:2])


def _gradient(chance):
    hue = chance[0] / 256
    other = hue + (0.11 + chance[1] / 256 * 0.16) * (1 if chance[2] % 2 else -1)
    top, bottom = _colour(hue, 0.50, 0.62), _colour(other, 0.34, 0.66)
    # wider than the tile and turned, so that the colours run from corner to corner
    mask = Image.linear_gradient("L").resize((_TWICE[0] * 2, _TWICE[0] * 2)).rotate(25 + chance[3] % 40)
    mask = mask.crop((_TWICE[0] // 2, _TWICE[0] // 2, _TWICE[0] // 2 + _TWICE[0], _TWICE[0] // 2 + _TWICE[1]))
    mask = mask.point(lambda value: max(0, min(255, (value - 80) * 3)))
    return Image.composite(Image.new("RGB", _TWICE, bottom), Image.new("RGB", _TWICE, top), mask)


def _colour(hue, lightness, saturation):
    # yellow and green look lighter than blue of the same lightness: white letters need them darker
    light = lightness * (0.74 if 0.11 < hue % 1 < 0.52 else 1)
    return tuple(round(255 * part) for part in colorsys.hls_to_rgb(hue % 1, light, saturation))


def _circles(tile, chance):
    draw = ImageDraw.Draw(tile, "RGBA")
    for x, y, size in (chance[4:7], chance[7:10], chance[10:13]):
        centre = (x / 255 * _TWICE[0], y / 255 * _TWICE[1])
        draw.circle(centre, 90 + size * 1.1, fill=(255, 255, 255, 20))


def _letters(tile, letters):
    draw = ImageDraw.Draw(tile, "RGBA")
    middle = (_TWICE[0] / 2, _TWICE[1] / 2)
    if letters:
        font = ImageFont.load_default(270)
        draw.text((middle[0], middle[1] + 6), letters, (0, 0, 0, 50), font, anchor="mm", stroke_width=9)
        draw.text(middle, letters, "white", font, anchor="mm", stroke_width=7)
    else:  # a title in letters that the font does not have: a button to play
        draw.circle(middle, 150, fill=(255, 255, 255, 235))
        x, y = middle
        draw.polygon([(x - 48, y - 78), (x - 48, y + 78), (x + 88, y)], fill=tile.getpixel((int(x), int(y) - 200)))
