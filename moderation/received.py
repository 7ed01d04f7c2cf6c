"""Events of portals about comments, players and reports, handed on to moderation.intake.

That something is new changes nothing that is there; that it changed is as of when the event says. So an event that
comes late, or is taken in again, has no second effect.
"""

from console.received import working
from moderation.intake import comments, players, reports
from moderation.intake.answers import INVALID, Answer, Row
from moderation.intake.cleaning import BadRow

KINDS = {"comment": comments, "player": players, "report": reports}
ALL = "created", "updated", "deleted"
DID = {"comment": ALL, "player": ALL, "report": ALL[:1]}
GONE = "What it said was erased before it was taken in, together with the player"


def register():
    for noun in KINDS:
        working.taken_by(noun, take)


def take(several):
    """`[(status, error)]` for these console.models.Received, which are about rows of one kind."""
    noun = several[0].type.partition(".")[0]
    rows = [_row(noun, each) for each in several]
    KINDS[noun].settle([row for row in rows if not row.answer.status])
    return [_said(row.answer) for row in rows]


def _row(noun, event):
    row = Row({}, Answer(event.about))
    did = event.type.partition(".")[2]
    if event.data is None:
        row.answer.settle(INVALID, GONE)
        return row
    if did not in DID[noun]:
        row.answer.settle(INVALID, working.UNKNOWN.removesuffix("."))
        return row
    try:
        row.fields = KINDS[noun].clean(_values(did, event))
    except BadRow as error:
        row.answer.settle(INVALID, str(error))
    if did == "created":
        row.fields["only_new"] = True
    return row


def _values(did, event):
    dated = {} if did == "created" else {"edited_at": event.sent_at.isoformat()}
    return {**dated, **event.data, **({"deleted": True} if did == "deleted" else {})}


def _said(answer):
    return ("", f"{answer.error}.") if answer.status == INVALID else (answer.status, "")
