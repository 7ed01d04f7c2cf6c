"""How events that came are shown as rows."""

from typing import NamedTuple

from console import masking, rows
from console.templatetags.console import ago

ROWS = "console/_received_rows.jinja"


class Shape(NamedTuple):
    state: str
    about: bool
    error: bool


def event(row, page):
    values = {
        "pk": row.pk,
        "url": row.get_absolute_url(),
        "type": row.type,
        "about": row.about,
        "source": str(row.source),
        "at": ago(row.at),
        "error": masking.words(row.error, masking.sees_whole(page.request.user)),
        "status": (row.status if row.state == row.PROCESSED and row.status else row.state).capitalize(),
        **page.values,
    }
    return rows.draw(ROWS, "event", Shape(row.state, bool(row.about), bool(row.error)), values)


def events(several, page):
    return rows.together(event(row, page) for row in several)
