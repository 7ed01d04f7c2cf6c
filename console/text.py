"""Text as staff should see it: with nothing hidden in it. `lay_open` and its kin are for HTML; `spelled` is for where
no markup can be: sentences, titles, attributes, mails.
"""

import re
import socket
import unicodedata
from urllib.parse import unquote

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
UNSEEN = re.compile(f"[{_BLANK}\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_NAMES = {
    "\u200b": "zero width space",
    "\u200c": "zero width non-joiner",
    "\u200d": "zero width joiner",
    "\u2060": "word joiner",
    "\ufeff": "byte order mark",
}
# scripts whose spelling needs joiners: Hebrew to Sinhala in Unicode's order, Myanmar to Mongolian, Arabic's forms
_JOINING = re.compile("[\u0590-\u0dff\u1000-\u18af\ufb1d-\ufdff\ufe70-\ufefc]")
_PLAIN_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?([a-z0-9.-]+)(?::\d+)?(?=[/?#]|$)")
_ENDS = ".,;:!)]}'’”»"  # of the sentence around a link
_WEB = {"http", "https", "ftp", "ws", "wss"}
STACKED = 4  # marks on one letter: no spelling takes more, and more of them reach into the lines around


def _marks():
    """What stands on or under the letter before it, as a class for regular expressions."""
    where = (*range(0x300, 0xAC00), *range(0xFB1E, 0xFB1F), *range(0xFE20, 0xFE30), *range(0x10000, 0x1F000))
    return "".join(char for char in map(chr, where) if unicodedata.category(char) in ("Mn", "Me"))


_STACK = re.compile(f"[{(_all := _marks())}]{{{STACKED}}}([{_all}]+)")


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
        parts += [_characters(text[end : link.start()]), _link(link[0])]
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
    return SafeString(_characters(str(text)))


def spelled(text) -> str:
    """The text on one line, as plain text: what cannot be seen is named in brackets, "kit[U+200B]ty"."""
    text = str(text)
    if _is_harmless(text):
        return text
    return "".join(piece if number is None else f"[{number}]" for piece, number, _ in _pieces(text.replace("\n", " ")))


def unlinked(text) -> str:
    """The text without anything a mail program would make a link of, nor what it might be steered by."""
    text = _LINK.sub("[link]", str(text).replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)


def host_of(link) -> str:
    """Where a browser would go, in ASCII: behind any "@", in Punycode, with numbers as an address. "" for nowhere."""
    scheme, found, rest = link.partition("://")
    if found and scheme.lower() not in _WEB:
        return ""
    authority = re.split(r"[/\\?#]", (rest if found else link).lstrip("/\\"), maxsplit=1)[0]
    host = re.sub(r":\d*$", "", unquote(authority.rpartition("@")[2]))
    if host.startswith("["):
        return f"{host.partition(']')[0]}]"
    host = "".join(char for char in unicodedata.normalize("NFKC", host) if not _is_ignored(char)).lower()
    labels = re.sub("[。．｡]", ".", host).strip(_ENDS).split(".")
    host = ".".join(label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in labels)
    try:
        return socket.inet_ntoa(socket.inet_aton(host))  # 0x7f.1 and 2130706433 are addresses, too
    except (OSError, ValueError):
        return host


def _is_ignored(char):
    return unicodedata.category(char) == "Cf" or bool(UNSEEN.match(char))


def _link(link):
    """Marked, and with the host it really leads to where that is not what one reads."""
    html = format_html('<span class="link">{}</span>', _characters(link))
    host, read = host_of(link), _PLAIN_HOST.match(link.lower().rstrip(_ENDS))
    if not host or host[0] == "[" or (read and read[1].strip(".") == host):
        return html
    return format_html('{} <span class="meta">(leads to {})</span>', html, spelled(host))


def _is_harmless(text):
    """Whether all of it shows as it is; nearly always so."""
    return text.isprintable() and (text.isascii() or not (UNSEEN.search(text) or _STACK.search(text)))


def _characters(text):
    """Escaped, with what cannot be seen made visible, and said once when it comes in a row."""
    if _is_harmless(text.replace("\n", "")):
        return escape(text)
    return SafeString(
        "".join(escape(piece) if said is None else _named(said, name) for piece, said, name in _pieces(text))
    )


def _named(said, name):
    return format_html('<span class="char" role="img" aria-label="{}" title="{}">{}</span>', name, name, said)


def _pieces(text):
    """`(piece, None, "")` for what shows; `("", what stands for it, its name)` for what does not."""
    good = {at for flag in _FLAGS.finditer(text) for at in range(*flag.span())}
    stacks = {stack.start(1): stack.end() for stack in _STACK.finditer(text)}
    at = 0
    while at < len(text):
        char, end = text[at], at + 1
        if at in stacks:
            end = stacks[at]
            yield "", f"+{end - at} marks", f"{end - at} more marks on one letter"
        elif at in good or _is_seen(text, at, char):
            yield " " if unicodedata.category(char) in ("Zs", "Zl", "Zp") else char, None, ""
        else:
            end = re.compile(f"{re.escape(char)}+").match(text, at).end()
            name = _NAMES.get(char) or unicodedata.name(char, "control character").lower()
            often = f" ×{end - at}" if end - at > 1 else ""
            yield "", f"U+{ord(char):04X}{often}", f"{name}{often}"
        at = end


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
