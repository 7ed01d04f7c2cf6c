"""Text as search sees it. How it is shown is console.text."""

import unicodedata

from console.text import UNSEEN


def fold(text):
    """Case, width and invisible characters gone, so that "Ｋobyo​SHI" is found by "kobyoshi". Idempotent."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKC", text).casefold()
    visible = (char for char in plain if unicodedata.category(char) != "Cf" and not UNSEEN.match(char))
    return unicodedata.normalize("NFKC", "".join(visible))
