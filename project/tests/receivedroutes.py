"""The addresses about events in, for test_routes: who may open and send what, and a row to do it to."""

from django.urls import reverse

from console.testing import make_received, make_source

READERS, OPERATORS = {"ann", "olga"}, {"olga"}
MATRIX = {
    "console:received": READERS,
    "console:received_event": READERS,
    "console:received_replay": OPERATORS,
    "console:source": READERS,
    "console:source_new": OPERATORS,
    "console:source_rotate": OPERATORS,
    "console:source_retire": OPERATORS,
}
POSTS = {"console:source_new": (OPERATORS, 303, 200, 1)}
ALONE = {"console:received", "console:source_new"}


def address(name):
    """The page's address, about a row made for it."""
    if name in ALONE:
        return reverse(name)
    return reverse(name, args=[(make_source() if "source" in name else make_received()).pk])
