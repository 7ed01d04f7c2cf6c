"""Bans as they are drawn: shapes and values for moderation/_ban_rows.jinja, and what loads many of them."""

from typing import NamedTuple

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from console import rows
from console.ledger import name_of
from console.templatetags.console import ago, moment
from console.text import lay_open_name
from moderation.banfilters import SOON
from moderation.models import Ban, Comment, Reason

ROWS = "moderation/_ban_rows.jinja"


class BansPage(rows.Page):
    """A list of bans, or the page of one: the verbs it offers, and who looks at it."""

    def __init__(self, request, here, offered=()):
        super().__init__(request, here)
        self.offered = offered


class BanShape(NamedTuple):
    state: str
    kind: str  # player, network, exception
    held: bool
    ends: bool
    since: bool  # whether what happened since is worth a line
    conflict: bool
    oob: bool
    verbs: tuple


def loaded():
    """Bans with what the player did since (`wrote`, `turned_away`)."""
    wrote = Comment.objects.filter(player=OuterRef("player"), created_at__gte=OuterRef("starts_at"))
    turned_away = Comment.objects.filter(blocked_by=OuterRef("pk"))
    return Ban.objects.for_rows().annotate(
        wrote=_number_of(wrote, "player"), turned_away=_number_of(turned_away, "blocked_by")
    )


def load(keys):
    """The bans of these keys, in their order."""
    found = loaded().in_bulk(keys)
    return [found[key] for key in keys if key in found]


def _number_of(comments, by):
    counted = comments.order_by().values(by).annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted), 0)


def labels():
    """`{code: label}` of all reasons."""
    return dict(Reason.objects.values_list("code", "label"))


def offered_on(ban, offered, user):
    """Of the verbs its state allows, those this person may do to it: nobody approves what they asked for."""
    legal = rows.legal(offered, ban)
    return tuple(verb for verb in legal if verb.name != "ban.approve" or ban.asked_by_id != user.pk)


def ban(row, page, reasons=None, conflict="", oob=False):
    """A ban's row on a list (loaded by `load`)."""
    reasons = labels() if reasons is None else reasons
    end = row.lifted_at or row.expires_at
    shape = BanShape(
        state=row.state,
        kind="player" if row.player_id else "exception" if row.allow else "network",
        held=row.held and row.is_open,
        ends=end is not None,
        since=row.is_open and bool(row.wrote or row.turned_away or _ends_soon(row)),
        conflict=bool(conflict),
        oob=oob,
        verbs=offered_on(row, page.offered, page.request.user),
    )
    values = {
        "pk": row.pk,
        "version": row.version,
        "url": row.get_absolute_url(),
        "place": f"#ban-{row.pk}",
        "whom": lay_open_name(row.player.username) if row.player_id else row.shown(page.sees_whole),
        "reason": reasons.get(row.reason, row.reason) or "no reason given",
        "by": name_of(row.asked_by),
        "began": moment(row.starts_at),
        "ends": moment(end) if end else "",
        "since": since(row),
        "conflict": conflict,
        **page.values,
    }
    return rows.draw(ROWS, "ban", shape, values)


def _ends_soon(row):
    return row.expires_at is not None and row.expires_at <= timezone.now() + SOON


def since(row):
    """What happened since the ban began, in words."""
    said = [f"{row.wrote} comment{'' if row.wrote == 1 else 's'} written"] if row.player_id else []
    said.append(f"{row.turned_away} turned away")
    if row.player_id and row.player.last_seen_at:
        said.append(format_html("last seen {}", ago(row.player.last_seen_at)))
    return format_html("Since then: {}.", format_html_join(", ", "{}", ((each,) for each in said)))


def bans(found, page):
    reasons = labels()
    return rows.together(ban(row, page, reasons) for row in found)


class StateShape(NamedTuple):
    state: str


def chip(row):
    """The chip of a ban's state."""
    return rows.draw(ROWS, "chip", StateShape("held" if row.held and row.is_open else row.state), {})
