"""Text as people typed it, and as search sees it."""

import unicodedata


def fold(text):
    """Case, width and invisible characters gone, so that "Ｋobyo​SHI" is found by "kobyoshi". Idempotent."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    visible = (char for char in plain if unicodedata.category(char) != "Cf")
    return unicodedata.normalize("NFKC", "".join(visible))
