"""What the pages of Labs show of a flag or switch, and the cards of their verbs."""

from typing import NamedTuple

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q
from django.urls import reverse

from console import flags, meter, respond
from console.labs import actions, state
from console.models import Choice, Flag, Switch, User

ON_A_PAGE = 25


def labs_url():
    return reverse("console:labs")


FLAG_CARD = respond.Card(actions.FLAG, "console/_flag_summary.html", Flag.objects.all, labs_url)
SWITCH_CARD = respond.Card(actions.SWITCH, "console/_switch_summary.html", Switch.objects.all, labs_url)
CHOICE_CARD = respond.Card(
    actions.CHOICE, "console/_choice_summary.html", lambda: Choice.objects.select_related("flag"), labs_url
)


class Line(NamedTuple):
    """A flag with its declaration, the Decision for whoever looks, and the version of their choice (0: none yet).

    `button` is the verb that they may do for themselves, or None.
    """

    flag: Flag
    piece: flags.Piece
    decision: flags.Decision
    seen: int
    button: object


def lines(request):
    """Every declared flag, in the order of the declaration."""
    user, facts = request.user, state.of(request).flags
    rows = {row.name: row for row in Flag.objects.all()}
    seen = dict(Choice.objects.filter(user=user).values_list("flag_id", "version"))
    found = []
    for piece in flags.PIECES:
        if row := rows.get(piece.name):
            decision = flags.decide(facts.get(piece.name), piece.name, user)
            button = actions.leave if decision.on else actions.join
            offered = actions.may_choose(row) and user.has_perm(actions.JOIN)
            found.append(Line(row, piece, decision, seen.get(row.pk, 0), button if offered else None))
    return found


def switches():
    """Every declared switch, in the order of the declaration."""
    rows = {row.name: row for row in Switch.objects.all()}
    return [rows[each.name] for each in flags.SWITCHES if each.name in rows]


class Reach(NamedTuple):
    """Who has a piece: `people` of this page, each with `why`; how many in all; of how many; the login after which the
    next page begins, or "".
    """

    people: list
    number: int
    staff: int
    after: str


def reach(flag, after=""):
    """Active staff in the order of their logins. There are hundreds at most, so each is decided on here, by the rule
    that decides for their requests.
    """
    facts = state.current().flags.get(flag.name)
    names = ArrayAgg("groups__name", filter=~Q(groups=None), order_by="groups__pk", default=[])
    staff = User.objects.filter(is_active=True, is_staff=True).annotate(names=names).order_by("username")
    having = []
    for person in staff:
        person.group_names = dict(enumerate(person.names))
        decision = flags.decide(facts, flag.name, person)
        if decision.on:
            person.why = decision.theirs
            having.append(person)
    left = [person for person in having if person.username > after]
    shown = left[:ON_A_PAGE]
    return Reach(shown, len(having), len(staff), shown[-1].username if len(left) > len(shown) else "")


def health(name):
    """`[(words, console.meter.Figures)]`: with the piece on, and off. None while nobody counts (Redis may vanish)."""
    figures = meter.by_flag(name)
    return figures and list(zip(("On", "Off"), figures, strict=True))
