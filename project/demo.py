"""The demo: one account per role, and a believable portal of any size. Deterministic for a given seed."""

import os
import secrets
import uuid
from contextlib import nullcontext
from ipaddress import ip_network

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import connections, transaction
from django.db.models import Count, Q

from console import flags, ledger, live, roles
from console.models import SignIn, User
from games import actions as game_actions
from games import intake, samples
from games.models import Game
from moderation import actions
from moderation.models import Comment, Player
from project import loader, portal

ACCOUNTS = {
    "moderator": [roles.MODERATOR],
    "senior": [roles.SENIOR],
    "publisher": [roles.PUBLISHER],
    "auditor": [roles.AUDITOR],
    "operator": [],
    "beta": [roles.MODERATOR, roles.BETA],
}


def password_from(path):
    """DEMO_PASSWORD, else the one made at the first start; `path` holds it as `login<TAB>password` lines."""
    lines = path.read_text().splitlines() if path.exists() else []
    known = dict(line.split("\t", 1) for line in lines if "\t" in line)
    password = os.environ.get("DEMO_PASSWORD") or known.get("moderator") or secrets.token_urlsafe(9)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text("".join(f"{login}\t{password}\n" for login in ACCOUNTS))
    return password


@transaction.atomic(using="owner")
def make_accounts(password):
    """Creates or resets the six demo accounts; returns their logins."""
    hashed = make_password(password)
    for login, groups in ACCOUNTS.items():
        user, _ = User.objects.using("owner").update_or_create(
            username=login,
            defaults={
                "password": hashed,
                "email": f"{login}@demo.example",
                "is_staff": True,
                "is_superuser": login == "operator",
            },
        )
        user.groups.set(Group.objects.using("owner").filter(name__in=groups))
    beta = Group.objects.using("owner").get(name=roles.BETA)
    for piece in flags.PIECES:
        flags.give_to_group(piece.name, beta, "owner")
    return list(ACCOUNTS)


def make_portal(*, players=60, games=8, comments=400, seed=1, progress=lambda number: None):
    """Fills an empty database, in one transaction; returns nothing. `progress` is told of comments as they are stored.

    By COPY; with many rows, indexes and foreign keys are made afterwards, which is several times faster.
    """
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        loading = loader.Loader(cursor, players=players, games=games, comments=comments, seed=seed)
        with loader.bare(cursor, loader.MODELS) if comments > portal.SMALL else nullcontext():
            loading.load(progress)
        transaction.on_commit(live.bump, using="owner")


def make_sanctions():
    """A few warnings, notes and bans among those who had most rejected, by the verbs themselves."""
    senior = User.objects.filter(username="senior").first()
    moderator = User.objects.filter(username="moderator").first()
    rejected = Count("comments", filter=Q(comments__status=Comment.REJECTED))
    free = Player.objects.for_verbs().filter(ban_in_force=None)
    worst = list(free.annotate(number=rejected).order_by("-number", "pk").values_list("pk", flat=True)[:6])

    def to_those(places, verb, **given):
        players = list(Player.objects.filter(pk__in=[worst[place] for place in places if place < len(worst)]))
        if players:  # a portal may be smaller than that
            verb(players, **given)

    to_those(range(5), actions.warn, by=moderator, reason="spam")
    words = "Same three links under every game. Watch for a second account."
    to_those([1], actions.note, by=moderator, note=words)
    to_those([0, 1], actions.warn, by=senior, reason="abuse", note="Last warning.")
    to_those([0], actions.ban, by=senior, reason="spam", expires="30d", reject_pending=False)
    to_those([5], actions.ban, by=moderator, reason="abuse", expires="1d")
    make_network_bans(senior, User.objects.filter(username="operator").first())


def make_network_bans(senior, operator):
    """One in force, an exception from it, and one that reaches a colleague and waits for a second person."""
    SignIn.objects.get_or_create(user=operator, ip="203.0.113.250")
    asked = (
        ("198.51.100.0/25", senior, {"reason": "spam", "expires": "30d", "note": "The same links from every address."}),
        ("198.51.100.8/29", operator, {"reason": "other", "expires": "never", "allow": True, "note": "A school."}),
        ("203.0.113.0/24", senior, {"reason": "abuse", "expires": "7d", "reject_pending": True}),
    )
    for network, person, given in asked:
        actions.ban_network(ip_network(network), by=person, **given)


def make_games():
    """Three small games that can really be played, on their way through the pipeline; one is a new build of a game
    that is published.
    """
    publisher = User.objects.filter(username="publisher").first()
    authors = list(Player.objects.order_by("pk")[:3])
    for place, (name, tool) in enumerate(zip(samples.names(), samples.TOOLS, strict=True)):
        title = name.replace("-", " ").title()
        game_actions.upload(
            intake.keep(f"{name}.zip", samples.zipped(name, tool)),
            by=publisher,
            key=uuid.uuid4(),
            origin=ledger.Origin(),
            game=Game.objects.filter(title=title).first(),
            title=title,
            description=samples.described(name),
            tags=["demo", "arcade"],
            author=authors[place] if place < len(authors) else None,
        )


def tidy():
    """After a load: the database learns what is there, so that the first who looks need not wait for it."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {', '.join(model._meta.db_table for model in loader.MODELS)}")
