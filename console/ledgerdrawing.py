"""How the rows of the ledger and of the staff list are drawn (console.rows)."""

from typing import NamedTuple

from console import ledger, rows
from console.templatetags.console import ago
from console.undo import may_undo

ROWS = "console/_rows.jinja"


class ToldShape(NamedTuple):
    icon: str
    along: bool
    because: bool
    words: bool
    undone: bool
    undoable: bool


def draw(several, page, user):
    """The rows of the ledger, from telling.Told."""
    return rows.together(told(each, page, user) for each in several)


def told(each, page, user):
    gesture, undone = each.gesture, None if each.stands else each.undone_by
    # whether an undo can be undone depends on what it goes back to: its own page finds out
    undoable = not each.undone_by and gesture.verb != ledger.UNDO and may_undo(user, gesture)
    shape = ToldShape(each.icon, bool(each.along), bool(each.because), bool(each.words), bool(undone), undoable)
    values = {
        "pk": each.entry.pk,
        "url": each.entry.get_absolute_url(),
        "who": each.who,
        "did": each.did,
        "about": each.about,
        "along": each.along,
        "because": each.because,
        "words": each.words[:300],
        "undone": undone and (undone.actor.display_name if undone.actor else "the system"),
        "undo": each.entry.get_undo_url() if undoable else "",
        "at": ago(gesture.at),
        **page.values,
    }
    return rows.draw(ROWS, "told", shape, values)


class StaffShape(NamedTuple):
    role: str
    status: str
    reversed: bool
    ever: bool
    factor: str


def staff_rows(people, page, manages=False):
    """The rows of the staff list; each person knows their `record`, `last_at` and `has_factor`, which is shown to
    those who `manages`.
    """
    return rows.together(staff_row(person, page, manages) for person in people)


def staff_row(person, page, manages):
    record = person.record
    factor = ("second factor set up" if person.has_factor else "no second factor") if manages else ""
    shape = StaffShape(person.role, person.status, bool(record.reversed), bool(person.last_at), factor)
    values = {
        "pk": person.pk,
        "url": person.get_absolute_url(),
        "initials": person.initials,
        "name": person.display_name,
        "login": person.username,
        "last": ago(person.last_at),
        "number": f"{record.number:,}",
        "share": record.share,
        **page.values,
    }
    return rows.draw(ROWS, "staff", shape, values)
