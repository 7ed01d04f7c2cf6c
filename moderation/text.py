"""Text as people typed it, as search sees it, and as staff should see it: with nothing hidden in it."""

import re
import unicodedata

from django.utils.html import format_html
from django.utils.safestring import SafeString
from markupsafe import escape

# a scheme, "www.", or a name: with a path behind it whatever its ending, alone with an ending that spam likes
_LINK = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.)[^\s<>\"]{2,}"
    r"|\b(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}[/?#][^\s<>\"]*"
    r"|\b(?:[\w-]{1,63}\.){1,8}(?:com|net|org|info|biz|io|gg|tv|me|cc|co|ru|cn|uk|de|fr|br|xyz|top|club|site"
    r"|рф|online|shop|store|link|click|live|app|dev|example)\b",
    re.IGNORECASE,
)
# printable by Unicode's book, and yet there is nothing to see: letters, marks, and selectors of a glyph's variant
_BLANK = "\u115f\u1160\u2800\u3164\uffa0\u034f\u17b4\u17b5\u180b\u180c\u180d"
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_FLAGS = re.compile(
    "\U0001f3f4\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074"
    "|\U000e0077\U000e006c\U000e0073)\U000e007f"
)
_UNSEEN = re.compile(f"[{_BLANK}\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_NAMES = {
    "\u200b": "zero width space",
    "\u200c": "zero width non-joiner",
    "\u200d": "zero width joiner",
    "\u2060": "word joiner",
    "\ufeff": "byte order mark",
}
# scripts whose spelling needs joiners: Hebrew to Sinhala in Unicode's order, Myanmar to Mongolian, Arabic's forms
_JOINING = re.compile("[\u0590-\u0dff\u1000-\u18af\ufb1d-\ufdff\ufe70-\ufefc]")


def fold(text):
    """Case, width and invisible characters gone, so that "Ｋobyo​SHI" is found by "kobyoshi". Idempotent."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKC", text).casefold()
    visible = (char for char in plain if unicodedata.category(char) != "Cf" and not _UNSEEN.match(char))
    return unicodedata.normalize("NFKC", "".join(visible))


def lay_open(text, limit=20_000) -> SafeString:
    """The text as HTML in which nothing hides: links are marked and cannot be clicked, characters that show nothing
    or turn the line around appear as their number, and lines break where they did. Everything else is escaped.

    Behind `limit` characters it only says how many there are: a list shows fifty of these.
    """
    text = str(text)
    may_link = "." in text or "://" in text
    if not may_link and len(text) <= limit and text.isascii() and text.isprintable():
        return SafeString(escape(text))  # most are like that
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    more = len(text) - limit
    text = text[:limit]
    parts, end = [], 0
    for link in _LINK.finditer(text) if may_link else ():
        parts.append(_characters(text[end : link.start()]))
        parts.append(format_html('<span class="link">{}</span>', _characters(link[0])))
        end = link.end()
    parts.append(_characters(text[end:]))
    if more > 0:
        noun = "character" if more == 1 else "characters"
        parts.append(format_html('… <span class="meta">and {} {} more</span>', f"{more:,}", noun))
    return SafeString("".join(parts).replace("\n", "<br>"))


def lay_open_name(name) -> SafeString:
    """The same for a name on a line of its own; one that shows nothing at all still has to be clicked."""
    return lay_open(name, 200) if name.strip() else SafeString("<i>no name</i>")


def lay_open_plain(text) -> SafeString:
    """The same for what holds no link, as an e-mail address."""
    return SafeString(_characters(text))


def _characters(text):
    """Escaped, with what cannot be seen made visible, and said once when it comes in a row."""
    if text.replace("\n", "").isprintable() and not _UNSEEN.search(text):  # nearly always
        return escape(text)
    good = {at for flag in _FLAGS.finditer(text) for at in range(*flag.span())}
    parts, at = [], 0
    while at < len(text):
        char = text[at]
        if at in good or _is_seen(text, at, char):
            parts.append(" " if unicodedata.category(char) in ("Zs", "Zl", "Zp") else escape(char))
            at += 1
            continue
        run = re.compile(f"{re.escape(char)}+").match(text, at).end() - at
        parts.append(_number(char, run))
        at += run
    return SafeString("".join(parts))


def _number(char, times):
    name = _NAMES.get(char) or unicodedata.name(char, "control character").lower()
    often = f" ×{times}" if times > 1 else ""
    return format_html('<span class="char" title="{}">U+{}{}</span>', name, f"{ord(char):04X}", often)


def _is_seen(text, at, char):
    """Whether the character shows, breaks a line or a word, or is part of good spelling."""
    if char in _BLANK:
        return False
    before, after = text[at - 1 : at] if at else "", text[at + 1 : at + 2]
    if _SELECTORS.match(char):
        return bool(before) and _has_variants(before, char)
    if char.isprintable() or char in "\n\t" or unicodedata.category(char) in ("Zs", "Zl", "Zp"):
        return True
    if char == "\u200d" and _is_emoji(before) and _is_emoji(after):
        return True
    return char in "\u200c\u200d" and bool(_JOINING.match(before) and _JOINING.match(after))


def _has_variants(before, selector):
    """Han characters have any variant, symbols and digits (of keycaps) those of the lower plane."""
    if "CJK" in unicodedata.name(before, ""):
        return True
    return ord(selector) < 0xE0100 and unicodedata.category(before) in ("So", "Sm", "Po", "Nd", "Sk")


def _is_emoji(char):
    return bool(char) and (char == "\ufe0f" or unicodedata.category(char) in ("So", "Sk"))
