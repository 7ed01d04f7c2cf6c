"""How the rows of the ledger and of the staff list are drawn (console.rows)."""

from typing import NamedTuple

from django.urls import reverse

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
    inactive: bool
    reversed: bool
    ever: bool


def staff_rows(people, page):
    """The rows of the staff list; each person knows their `record` and `last_at`."""
    return rows.together(staff_row(person, page) for person in people)


def staff_row(person, page):
    record = person.record
    shape = StaffShape(person.role, not person.is_active, bool(record.reversed), bool(person.last_at))
    values = {
        "pk": person.pk,
        "url": reverse("console:staff_member", args=[person.pk]),
        "initials": person.initials,
        "name": person.display_name,
        "login": person.username,
        "last": ago(person.last_at),
        "number": f"{record.number:,}",
        "share": record.share,
        **page.values,
    }
    return rows.draw(ROWS, "staff", shape, values)
