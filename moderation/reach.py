"""Reach: whom a ban would touch, counted before it is laid over what was seen in the last 30 days.

The same conditions decide what a ban of a network rejects and takes down, so that what was shown is what happens.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import reduce
from operator import or_

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.template.defaultfilters import pluralize
from django.template.loader import render_to_string
from django.utils import timezone

from console.models import SignIn
from moderation.models import Ban, Comment, Player, Strike

DAYS = 30
SAMPLE = 10


@dataclass
class Reach:
    """Numbers of the last 30 days. `pending` and `games` are what it could reject and take down now."""

    players: int = 0
    good: int = 0
    comments: int = 0
    pending: int = 0
    games: int = 0
    sign_ins: int = 0
    staff: list = field(default_factory=list)
    sample: list = field(default_factory=list)
    spared: list = field(default_factory=list)

    @property
    def takes_two(self):
        """Why this is not for one person to decide, in words; "" if it is."""
        if self.staff:
            return f"it touches {len(self.staff)} colleague{pluralize(len(self.staff))} of ours"
        if self.good > settings.BAN_SECOND_PERSON_ABOVE:
            return f"it touches more than {settings.BAN_SECOND_PERSON_ABOVE} players in good standing"
        return ""


def since():
    return timezone.now() - timedelta(days=DAYS)


def spared(network, until=None):
    """Networks inside this one that exceptions keep open at least until then (None: for good)."""
    return _exceptions([(network, until)])[network]


def _exceptions(pairs):
    """`{network: networks spared in it}` for pairs of a network and until when it is to be banned."""
    inside = reduce(or_, (Q(network__within=network) for network, _ in pairs))
    found = Ban.objects.in_force().filter(inside, allow=True).values_list("network", "expires_at")
    return {
        network: [each for each, end in found if _lies_in(each, network) and _lasts(end, until)]
        for network, until in pairs
    }


def _lies_in(one, other):
    return one.version == other.version and one.subnet_of(other)


def _lasts(end, until):
    return end is None or (until is not None and end >= until)


def within(name, network, but):
    """The condition that the address in this field is in the network and in no exception from it."""
    condition = Q(**{f"{name}__within": network})
    for each in but:
        condition &= ~Q(**{f"{name}__within": each})
    return condition


def within_any(name, bans):
    """The same for all networks of these bans, of which there is one at least."""
    but = _exceptions([(ban.network, ban.expires_at) for ban in bans])
    return reduce(or_, (within(name, ban.network, but[ban.network]) for ban in bans))


def pending_from(bans):
    """What waits from these networks, however old: that a ban rejects."""
    return Comment.objects.filter(within_any("ip", bans), status=Comment.PENDING)


def players_seen(wrote_from, seen_at):
    """Players who wrote under this condition on `ip` in the last 30 days, or were last seen under that on `last_ip`."""
    wrote = Comment.objects.filter(wrote_from, created_at__gt=since()).order_by().values("player")
    seen = Player.objects.filter(seen_at, last_seen_at__gt=since())
    # two queries of their own: an OR across the tables could use the index of neither
    return Player.objects.filter(pk__in=wrote.union(seen.order_by().values("pk")))


def players_banned(bans):
    """Players seen on these networks."""
    return players_seen(within_any("ip", bans), within_any("last_ip", bans))


def in_good_standing(players):
    bans = Ban.objects.in_force().filter(player=OuterRef("pk"))
    strikes = Strike.objects.weighing().filter(player=OuterRef("pk"))
    return players.filter(~Exists(bans), ~Exists(strikes), is_active=True)


def games_of(players):
    Game = Comment._meta.get_field("game").related_model  # this app does not import the one above it
    return Game.objects.filter(author__in=players, status="published")


def _these(keys):
    """Players of these keys, as one parameter: thousands of them take a second to plan."""
    return Player.objects.extra(where=["moderation_player.id = ANY(%s)"], params=[keys])


def _counted(**querysets):
    """`{name: how many}`, and for lists of values all of them, by one statement in which each is planned for itself."""
    parts, params = [], []
    for queryset in querysets.values():
        lists = queryset.query.values_select
        sql, given = (queryset if lists else queryset.order_by().values("pk")).query.sql_with_params()
        what = "coalesce(array_agg(each), '{}')" if lists else "count(*)"
        parts.append(f"(SELECT {what} FROM ({sql}) AS found(each))")
        params += given
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", params)
        return dict(zip(querysets, cursor.fetchone(), strict=True))


def of_network(network, until=None, but=None):
    """The Reach of a ban of this network until then (None: for good); `but`: the exceptions from it, when known."""
    but = spared(network, until) if but is None else but
    from_there = within("ip", network, but)
    players = players_seen(from_there, within("last_ip", network, but))
    seen = list(players.order_by("-last_seen_at", "-pk").values_list("pk", flat=True))
    found = _these(seen)
    signed_in = SignIn.objects.filter(from_there, at__gt=since())
    numbers = _counted(
        good=in_good_standing(found),
        comments=Comment.objects.filter(from_there, created_at__gt=since()),
        pending=Comment.objects.filter(from_there, status=Comment.PENDING),
        games=games_of(found),
        sign_ins=signed_in,
        staff=signed_in.order_by("user__username").values_list("user__username", flat=True).distinct(),
    )
    return Reach(players=len(seen), sample=_sample(seen[:SAMPLE]), spared=but, **numbers)


def foretell(players):
    """What a ban of these players would touch, for its form."""
    return render_to_string("moderation/_reach.html", {"reach": of_players(players), "players": players})


def foretell_bans(bans):
    """The same for a ban of a network that waits; of a player there is nobody else to touch."""
    ban = bans[0]
    if ban.network is None:
        return foretell([ban.player])
    return render_to_string("moderation/_reach.html", {"reach": of_network(ban.network, ban.expires_at), "ban": ban})


def _sample(keys):
    players = Player.objects.with_standing().in_bulk(keys)
    return [players[key] for key in keys if key in players]


def of_players(players):
    """The Reach of a ban of these players."""
    keys = [player.pk for player in players]
    if not keys:
        return Reach()
    found, theirs = _these(keys), Comment.objects.filter(player__in=keys)
    return Reach(
        players=len(keys),
        sample=_sample(keys[:SAMPLE]) if len(keys) > 1 else [],
        **_counted(
            good=in_good_standing(found),
            comments=theirs.filter(created_at__gt=since()),
            pending=theirs.filter(status=Comment.PENDING),
            games=games_of(found),
        ),
    )
