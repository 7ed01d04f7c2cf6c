"""The addresses of exports that jobs write, for test_routes: everybody has their own, and nobody sees another's."""

from django.urls import reverse

from console.testing import make_export

STAFF = {"moses", "lea", "ann", "olga", "rita"}
ALONE = {"console:exports"}
ON_EXPORTS = {"console:exported", "console:exported_file", "console:exported_cancel"}
HIDDEN = {"console:entry", "console:staff_member", *ON_EXPORTS}
OWNER = {"lea"}
MATRIX = {"console:exports": STAFF, **dict.fromkeys(ON_EXPORTS, OWNER)}
POSTS = {"console:exported_file": (OWNER, 200, 200, 1)}


def address(name, owner):
    """The page's address, about an export of theirs."""
    if name in ALONE:
        return reverse(name)
    return reverse(name, args=[make_export(owner, is_ready=name != "console:exported_cancel").pk])
