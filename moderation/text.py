"""Text as people typed it, as search sees it, and as staff should see it: with nothing hidden in it."""

import re
import unicodedata

from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

# a scheme, "www.", or a name: with a path behind it whatever its ending, alone with an ending that spam likes
_LINK = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.)[^\s<>\"]{2,}"
    r"|\b(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}[/?#][^\s<>\"]*"
    r"|\b(?:[a-z0-9-]{1,63}\.){1,8}(?:com|net|org|info|biz|io|gg|tv|me|cc|co|ru|cn|uk|de|fr|br|xyz|top|club|site"
    r"|online|shop|store|link|click|live|app|dev|example)\b",
    re.IGNORECASE,
)
_BLANK = "\u115f\u1160\u2800\u3164\uffa0"  # letters that print nothing
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
    plain = unicodedata.normalize("NFKC", text).casefold()
    visible = (char for char in plain if unicodedata.category(char) != "Cf")
    return unicodedata.normalize("NFKC", "".join(visible))


def lay_open(text) -> SafeString:
    """The text as HTML in which nothing hides: links are marked and cannot be clicked, characters that show nothing
    or turn the line around appear as their number, and lines break where they did. Everything else is escaped.
    """
    text = str(text).replace("\r\n", "\n").replace("\r", "\n")
    parts, end = [], 0
    for link in _LINK.finditer(text):
        parts.append(_characters(text[end : link.start()]))
        parts.append(format_html('<span class="link">{}</span>', _characters(link[0])))
        end = link.end()
    parts.append(_characters(text[end:]))
    return mark_safe("".join(parts).replace("\n", "<br>"))  # noqa: S308  (every part is escaped above)


def _characters(text):
    """Escaped, with what cannot be seen made visible."""
    if text.isprintable() and not any(char in text for char in _BLANK):  # nearly always
        return conditional_escape(text)
    return mark_safe("".join(_character(text, at, char) for at, char in enumerate(text)))  # noqa: S308


def _character(text, at, char):
    if char == "\n" or (char.isprintable() and char not in _BLANK):
        return conditional_escape(char)
    if char == "\t":
        return "\t"
    if unicodedata.category(char) in ("Zs", "Zl", "Zp"):  # odd spaces are spaces
        return " "
    if _belongs(text, at, char):
        return char
    name = _NAMES.get(char) or unicodedata.name(char, "control character").lower()
    return format_html('<span class="char" title="{}">U+{}</span>', name, f"{ord(char):04X}")


def _belongs(text, at, char):
    """Whether an invisible character is part of good spelling: inside an emoji, or between letters that join."""
    if 0xE0020 <= ord(char) <= 0xE007F:  # the letters of a flag
        return "\U0001f3f4" in text[max(0, at - 8) : at]
    if char not in "\u200c\u200d":
        return False
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if char == "\u200d" and _is_emoji(before) and _is_emoji(after):
        return True
    return bool(_JOINING.match(before) and _JOINING.match(after))


def _is_emoji(char):
    return bool(char) and (char == "\ufe0f" or unicodedata.category(char) in ("So", "Sk"))
