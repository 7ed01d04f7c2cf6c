"""The addresses of Labs, for test_routes: who may open and send what, and a row to do it to."""

from django.urls import reverse

from console import flags
from console.models import Flag, Switch

STAFF, READERS, OPERATORS = {"moses", "lea", "rita", "ann", "olga"}, {"ann", "olga"}, {"olga"}
MATRIX = {
    "console:labs": STAFF,
    "console:flag": READERS,
    "console:flag_join": STAFF - {"ann"},  # auditors change nothing
    "console:flag_leave": STAFF - {"ann"},
    "console:flag_stage": OPERATORS,
    "console:switch": READERS,
    "console:switch_flip": OPERATORS,
}
POSTS = {
    "console:flag_join": (STAFF - {"ann"}, 303, 200, 1),
    "console:flag_leave": (STAFF - {"ann"}, 303, 200, 1),
}
ALONE = {"console:labs"}
ON_FLAGS = {"console:flag", "console:flag_join", "console:flag_leave", "console:flag_stage"}
ON_SWITCHES = {"console:switch", "console:switch_flip"}


def address(name):
    """The page's address, about a row that is declared."""
    if name in ALONE:
        return reverse(name)
    row = Switch.objects.get(name=flags.PAUSE_UPLOADS) if name in ON_SWITCHES else Flag.objects.get(name=flags.KEY_LINE)
    return reverse(name, args=[row.pk])


def sent(name):
    """What a good form posts there, beside the fields that every form has."""
    return {"version": 0, "next": "", "stage": flags.GROUPS, "groups": ["Beta"], "share": ""}
