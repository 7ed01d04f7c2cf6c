"""Two texts of one comment, side by side: what went out of the one and what came into the other is marked in both."""

from difflib import SequenceMatcher
from itertools import takewhile
from re import findall

from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.text import lay_open

MOST = 1_500  # words; behind that the texts stand side by side unmarked


def both(before, now, limit=20_000):
    """`(the earlier text, the present one)`, laid open, with <del> and <ins> around words. Behind `limit` characters
    neither is shown.
    """
    old, new = (findall(r"\s+|\S+", text[:limit]) for text in (before, now))
    if max(len(old), len(new)) > MOST:
        return lay_open(before, limit), lay_open(now, limit)
    removed, added = _differing(old, new)
    return (
        _marked(old, removed, "<del>{}</del>") + _rest(before, limit),
        _marked(new, added, "<ins>{}</ins>") + _rest(now, limit),
    )


def _differing(old, new):
    """The places in both, as pairs (first, behind the last). Equal ends are left out first: most edits are small."""
    head = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    a, b = old[head:], new[head:]
    tail = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(reversed(a), reversed(b), strict=False)))
    matcher = SequenceMatcher(None, a[: len(a) - tail], b[: len(b) - tail])
    changes = [each for each in matcher.get_opcodes() if each[0] != "equal"]
    removed = [(head + first, head + last) for _, first, last, _, _ in changes if first < last]
    added = [(head + first, head + last) for _, _, _, first, last in changes if first < last]
    return removed, added


def _marked(words, places, mark):
    parts, end = [], 0
    for first, last in places:
        parts += [_open(words[end:first]), format_html(mark, _open(words[first:last]))]
        end = last
    return SafeString("".join([*parts, _open(words[end:])]))


def _open(words):
    text = "".join(words)
    return lay_open(text, len(text))


def _rest(text, limit):
    more = len(text) - limit
    if more <= 0:
        return SafeString("")
    return format_html('… <span class="meta">and {} character{} more</span>', f"{more:,}", "" if more == 1 else "s")
