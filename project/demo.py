"""The demo: one account per role, and a small believable portal. Deterministic for a given seed.

Written as the database's owner, since a week of past decisions needs entries with past times, which the
application role cannot write.
"""

import os
import random
import secrets
import uuid
from datetime import timedelta

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from console import flags, live, roles
from console.models import Entry, Gesture, User
from games.models import Game
from moderation import actions
from moderation.models import Comment, CommentText, Player, Report

ACCOUNTS = {
    "moderator": [roles.MODERATOR],
    "senior": [roles.SENIOR],
    "publisher": [roles.PUBLISHER],
    "auditor": [roles.AUDITOR],
    "operator": [],
    "beta": [roles.MODERATOR, roles.BETA],
}
GAMES = [
    "Neon Drift 3",
    "Pixel Pirates",
    "Bubble Zapper HD",
    "Skeleton Dash",
    "Tower of Snacks",
    "Gravity Golf",
    "Moth & Lamp",
    "Turbo Snail GP",
]
FIRST = [
    "kit",
    "ravi",
    "zap",
    "lumen",
    "pixel",
    "moss",
    "tiny",
    "salt",
    "echo",
    "juno",
    "neon",
    "bolt",
    "fern",
    "ash",
    "pip",
    "cleo",
    "orbit",
    "mango",
    "rook",
    "wren",
]
LAST = [
    "fox",
    "88",
    "master",
    "mum",
    "_xx",
    "otter",
    "byte",
    "fan",
    "2011",
    "wizard",
    "gg",
    "panda",
    "_the_great",
    "noodle",
    "star",
    "pro",
    "cat",
    "7",
    "hunter",
    "bean",
]
OPENERS = [
    "Honestly",
    "Ok so",
    "Not gonna lie,",
    "My little brother says",
    "After two hours",
    "Wow,",
    "Hmm,",
    "Finally,",
    "Update:",
    "Day 4:",
]
SUBJECTS = [
    "the last level",
    "this boss fight",
    "the music",
    "the new map",
    "the jump button",
    "that snail skin",
    "the tutorial",
    "the leaderboard",
]
VERDICTS = [
    "is so good",
    "is way too hard",
    "made me laugh",
    "needs a nerf",
    "keeps lagging on my phone",
    "is the best part",
    "broke after the update",
    "is stuck in my head",
]
TAILS = [
    "",
    "",
    "",
    " 10/10",
    " pls fix",
    " anyone else?",
    " :)",
    " lol",
    " (on tablet)",
    " – still love it",
    "!!",
    " 🐌",
]
RUDE = [
    "you are trash at this, uninstall and go cry",
    "whoever made this level is an idiot",
    "shut up {name} nobody asked you, loser",
]
SPAM = [
    "FREE c0ins here >> http://freecoinz.example/?r={n} << works 100%%!!",
    "Check out my channel for cheats and skins, sub 4 sub: playtube.example/u{n}",
    "get s\u200bk\u200bi\u200bn\u200bs with no ads, \u202eexe.xinaf\u202c at fanix.example/get",
    "I made $4,{n} last week from home, ask me how → earnfast.example/start?id={n}",
]
PERSONAL = ["add me im 12 and live in elm street {n}, my number is 555 01{n}"]
COMPLAINTS = [
    "spam again",
    "this is the 5th time today",
    "he is bullying people",
    "scam link, my sister lost her account",
    "",
]


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
    flags.give_to_group(flags.BULK_ACTIONS, Group.objects.using("owner").get(name=roles.BETA), "owner")
    return list(ACCOUNTS)


@transaction.atomic(using="owner")
def make_portal(*, players=60, games=8, comments=400, seed=1, progress=lambda steps: steps):
    """Fills an empty database; returns nothing. `progress` wraps an iterable with a known length (tqdm)."""
    chance = random.Random(seed)  # noqa: S311
    now = timezone.now().replace(microsecond=0)
    game_rows = _games(games)
    player_rows = _players(players, chance, now)
    staff = list(User.objects.using("owner").filter(username__in=("moderator", "senior", "beta"))) or [None]
    rows = [_comment(number, comments, chance, now, player_rows, game_rows) for number in progress(range(comments))]
    Comment.objects.using("owner").bulk_create(rows, batch_size=1000)
    CommentText.objects.using("owner").bulk_create([CommentText.of(row) for row in rows], batch_size=1000)
    decided = [row for row in rows if row.status != Comment.PENDING]
    _decisions(decided, chance, now, staff)
    _reports([row for row in rows if row.report_count], chance, player_rows)
    _totals(player_rows, rows)
    transaction.on_commit(live.bump, using="owner")


def make_sanctions():
    """A few warnings, notes and bans among those who had most rejected, by the verbs themselves."""
    senior = User.objects.filter(username="senior").first()
    moderator = User.objects.filter(username="moderator").first()
    rejected = Count("comments", filter=Q(comments__status=Comment.REJECTED))
    worst = list(Player.objects.annotate(number=rejected).order_by("-number", "pk").values_list("pk", flat=True)[:6])

    def those(*places):
        return list(Player.objects.filter(pk__in=[worst[place] for place in places]))

    actions.warn(those(0, 1, 2, 3, 4), by=moderator, reason="spam")
    actions.note(those(1), by=moderator, note="Same three links under every game. Watch for a second account.")
    actions.warn(those(0, 1), by=senior, reason="abuse", note="Last warning.")
    actions.ban(those(0), by=senior, reason="spam", expires="30d", reject_pending=False)
    actions.ban(those(5), by=moderator, reason="abuse", expires="1d")


def _games(number):
    rows = [
        Game(
            title=GAMES[n % 8] if n < 8 else f"{GAMES[n % 8]} {n // 8 + 1}",
            slug=f"game-{n + 1}",
            status=Game.PUBLISHED,
        )
        for n in range(number)
    ]
    return Game.objects.using("owner").bulk_create(rows)


def _players(number, chance, now):
    names = {}
    while len(names) < number:
        suffix = "" if len(names) < 300 else str(len(names))
        names[chance.choice(FIRST) + chance.choice(LAST) + suffix] = None
    rows = [
        Player(
            external_id=f"demo-{n}",
            username=name,
            email=f"{name}@players.example",
            joined_at=now - timedelta(days=chance.randrange(3, 900)),
            last_ip=f"203.0.113.{n % 250 + 1}",
        )
        for n, name in enumerate(names)
    ]
    return Player.objects.using("owner").bulk_create(rows, batch_size=1000)


def _comment(number, total, chance, now, players, games):
    """The newest sixth waits; the rest was written and decided in the week before."""
    pending = number >= total - total // 6
    age = timedelta(minutes=chance.randrange(2, 600)) if pending else timedelta(minutes=chance.randrange(700, 9900))
    player, game = chance.choice(players), chance.choice(games)
    body, kind = _body(chance, player)
    bad = kind != "fine"
    status = Comment.PENDING if pending else Comment.REJECTED if bad else Comment.APPROVED
    comment = Comment(
        external_id=f"demo-{number}",
        player=player,
        game=game,
        body=body,
        status=status,
        created_at=now - age,
        ip=player.last_ip,
        report_count=chance.choice([1, 1, 2, 3, 5]) if bad and chance.random() < 0.7 else int(chance.random() < 0.03),
        version=0 if pending else 1,
    )
    comment.reason = kind
    return comment


def _body(chance, player):
    roll = chance.random()
    number = chance.randrange(10, 99)
    if roll < 0.16:
        return chance.choice(SPAM).replace("%%", "%").format(n=number), "spam"
    if roll < 0.22:
        return chance.choice(RUDE).format(name=player.username), "abuse"
    if roll < 0.235:
        return PERSONAL[0].format(n=number), "personal"
    sentence = f"{chance.choice(OPENERS)} {chance.choice(SUBJECTS)} {chance.choice(VERDICTS)}{chance.choice(TAILS)}"
    if chance.random() < 0.12:
        sentence += "\n\n" + " ".join(f"{chance.choice(SUBJECTS)} {chance.choice(VERDICTS)}." for _ in range(4))
    return sentence, "fine"


def _decisions(comments, chance, now, staff):
    """One gesture and one entry per decided comment, some time after it was written."""
    gestures, entries = [], []
    for comment in comments:
        at = min(comment.created_at + timedelta(minutes=chance.randrange(3, 240)), now - timedelta(minutes=61))
        verb = "comment.approve" if comment.status == Comment.APPROVED else "comment.reject"
        gesture = Gesture(
            at=at,
            actor=chance.choice(staff),
            verb=verb,
            idempotency_key=uuid.uuid4(),
        )
        gestures.append(gesture)
        entries.append(
            Entry(
                at=at,
                actor=gesture.actor,
                verb=verb,
                target_type="moderation.comment",
                target_id=comment.pk,
                reason="" if comment.reason == "fine" else comment.reason,
                batch=gesture,
                before={"status": Comment.PENDING},
                after={"status": comment.status},
            )
        )
    Gesture.objects.using("owner").bulk_create(gestures, batch_size=1000)
    entries.sort(key=lambda entry: entry.at)
    Entry.objects.using("owner").bulk_create(entries, batch_size=1000)


def _reports(comments, chance, players):
    reports = [
        Report(
            comment=comment,
            player=chance.choice(players),
            words=chance.choice(COMPLAINTS),
            created_at=comment.created_at + timedelta(minutes=chance.randrange(1, 3)),
        )
        for comment in comments
        for _ in range(comment.report_count)
    ]
    Report.objects.using("owner").bulk_create(reports, batch_size=1000)


def _totals(players, comments):
    """What intake would have kept on each player."""
    for comment in comments:
        player = comment.player
        player.comment_count += 1
        if player.last_seen_at is None or player.last_seen_at < comment.created_at:
            player.last_seen_at, player.recent_game = comment.created_at, comment.game
    Player.objects.using("owner").bulk_update(
        players, ["comment_count", "last_seen_at", "recent_game"], batch_size=1000
    )
