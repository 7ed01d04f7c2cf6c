"""The data sets, each loaded once into a database of its own, and what is looked for in them."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from project import embedded
from project.portal import HEAD, VOCABULARY, vocabulary_of

ROOT = Path(__file__).resolve().parent.parent
STATE = embedded.state_dir(ROOT) / "bench"
PASSWORD = "a bench is no secret"  # noqa: S105
PER = 50  # rows on a page, for all
SIZES = {20_000: (4_000, 50), 200_000: (40_000, 500), 2_000_000: (400_000, 5_000)}  # comments: players, games

# kind to the peers: the queue's own order is served, too
ORDINARY = """
    CREATE INDEX plain_status ON moderation_comment (status, created_at, id);
    CREATE INDEX plain_created ON moderation_comment (created_at);
    CREATE INDEX plain_player ON moderation_comment (player_id);
    CREATE INDEX plain_game ON moderation_comment (game_id);
    CREATE INDEX plain_reports ON moderation_comment (report_count);
    CREATE INDEX plain_username ON moderation_player (username);
    CREATE INDEX plain_joined ON moderation_player (joined_at);
"""


def environment(name):
    """The environment under which a process works on the data set `name`."""
    # whoever compiles at every start takes more memory than one who finds it done
    left_out = ("DATABASE_URL", "DATABASE_OWNER_URL", "PYTHONDONTWRITEBYTECODE")
    given = {key: value for key, value in os.environ.items() if key not in left_out}
    urls = embedded.addresses(STATE)
    for key in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        urls[key] = urlsplit(urls[key])._replace(path=f"/bench_{name}").geturl()
    limits = {"RATE_LIMITS": "x1000"}  # counted, as always, but not in the way
    return {**given, **urls, **limits, "DEMO": "1", "ATTENDANT_STATE": str(STATE), "PYTHONPATH": str(ROOT)}


def connect(name=None, user=embedded.OWNER):
    database = f"bench_{name}" if name else "postgres"
    return psycopg.connect(host=str(embedded.socket_dir(STATE)), user=user, dbname=database, autocommit=True)


def is_loaded(name):
    """A database says so itself when it is complete: an interrupted load is thrown away."""
    with connect() as connection:
        said = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
        row = connection.execute(said, [f"bench_{name}"]).fetchone()
    return row == ("loaded",)


def ensure(size, say):
    """Loads the data set of so many comments unless it is there."""
    if is_loaded(size):
        _manage(size, "migrate", "--verbosity", "0")
        _manage(size, "rebuild_traffic", "--noted")  # there is no worker to do it
    else:
        players, games = SIZES[size]
        say(f"Loading {size:,} comments by {players:,} players ...")
        started = time.monotonic()
        _create(size)
        _manage(size, "migrate", "--verbosity", "0")
        sizes = ["--players", str(players), "--games", str(games), "--comments", str(size)]
        _manage(size, "seed_demo", *sizes, "--password", PASSWORD)
        _done(size)
        say(f"Loaded in {time.monotonic() - started:.0f} s.")


def collect_static(name):
    _manage(name, "collectstatic", "--no-input", "--verbosity", "0")


def plain(size):
    """The name of the same set with the indexes that Django makes and somebody who knows the admin adds."""
    return f"plain_{size}"


def ensure_plain(size, say):
    """A copy with ordinary indexes only, for those who have no others."""
    if is_loaded(plain(size)):
        _manage(plain(size), "migrate", "--verbosity", "0")
    else:
        say("Copying it for a peer with ordinary indexes ...")
        _create(plain(size), template=f"bench_{size}")
        with connect(plain(size)) as connection:
            kept = "indexdef LIKE 'CREATE UNIQUE%%' OR tablename NOT IN ('moderation_comment', 'moderation_player')"
            found = f"SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND NOT ({kept})"
            for (index,) in connection.execute(found).fetchall():
                connection.execute(f"DROP INDEX {index}")
            connection.execute(ORDINARY)
            connection.execute("TRUNCATE moderation_commenttext")
            connection.execute("VACUUM ANALYZE")
        _done(plain(size))


def ensure_people(name, size, fill, say):
    """A copy with what `fill` (SQL) adds, all of its ledger sealed."""
    if is_loaded(name):
        _manage(name, "migrate", "--verbosity", "0")
    else:
        ensure(size, say)
        say("Copying it for the pages about people, and sealing its ledger ...")
        _create(name, template=f"bench_{size}")
        with connect(name) as connection:
            connection.execute(fill)
            connection.execute("VACUUM ANALYZE")
        _manage(name, "seal_ledger")
        _done(name)


def _create(name, template="template0"):
    with connect() as connection:
        connection.execute(f"DROP DATABASE IF EXISTS bench_{name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE bench_{name} TEMPLATE {template} STRATEGY FILE_COPY")


def _done(name):
    with connect() as connection:
        connection.execute(f"COMMENT ON DATABASE bench_{name} IS 'loaded'")


def _manage(name, *command):
    subprocess.run([sys.executable, ROOT / "manage.py", *command], env=environment(name), check=True)


@dataclass
class Sought:
    """What cases look for in one data set: words that few, some, many and no comments hold, a name, a game in a
    month (both days included), and the last row before a page half way down.
    """

    rare: str
    middle: str
    common: str
    absent: str
    run_together: str  # a rare word whose trigrams are frequent ones
    name: str
    game: str
    game_id: int
    first: date
    last: date
    far: tuple
    far_page: int


def sought(size):
    """What to look for in the set of so many comments."""
    with connect(size) as connection:

        def one(sql, *args):
            return connection.execute(sql, args).fetchone()

        held = "SELECT count(*) FROM moderation_commenttext WHERE folded LIKE %s"
        common, pairs, coined = _candidates()
        holding = {word: one(held, f"%{word}%")[0] for word in (*common, *pairs, *coined)}

        def nearest(number, among):
            return min(sorted(among), key=lambda word: abs(holding[word] - number))

        (newest,) = one("SELECT max(created_at) FROM moderation_comment")
        last = newest.date() - timedelta(days=1)
        game = one("SELECT id, title FROM games_game ORDER BY id OFFSET 12 LIMIT 1")
        far = "SELECT created_at, id FROM moderation_comment ORDER BY created_at DESC, id DESC OFFSET %s LIMIT 1"
        at, pk = one(far, size // 2 - 1)
    return Sought(
        rare=nearest(10, coined),
        middle=nearest(700, coined),
        common=nearest(size // 13, common),
        run_together=nearest(10, pairs),
        absent="xylophonequark",
        name="topazviper",
        game=game[1],
        game_id=game[0],
        first=last - timedelta(days=30),
        last=last,
        far=(at, pk),
        far_page=size // 2 // PER,
    )


def _candidates():
    """Some of the most used words, of those run together of them, and of those made up: from often to rare."""
    words = vocabulary_of(VOCABULARY)
    common = [word for word in HEAD if len(word) > 4][:40]
    tail = words[len(HEAD) :]
    return common, tail[0::2][:: len(tail) // 120], [word for word in tail[1::2] if len(word) > 6][:: len(tail) // 160]
