"""Writes a portal (project.portal) into an empty database by COPY.

As the database's owner: past decisions need entries with past times, which the application may not write.
"""

from contextlib import contextmanager
from itertools import islice

from django.db import connections
from django.db.models import NOT_PROVIDED
from django.utils import timezone

from console.models import Entry, Gesture, Personal, User
from console.personal import Keeper
from games.models import Game
from moderation.models import Ban, Comment, CommentText, Player, Report
from moderation.text import fold
from project import portal

MODELS = [Game, Player, Comment, CommentText, Report, Ban, Personal, Gesture, Entry]  # by their foreign keys
BATCH = 20_000
STAFF = ("moderator", "senior", "beta")
WAITS, APPROVED, REJECTED = '{"status": "pending"}', '{"status": "approved"}', '{"status": "rejected"}'


class Loader:
    """Loads one portal through a cursor, inside the caller's transaction. Ids go on from those that were used."""

    def __init__(self, cursor, *, seed, **sizes):
        self.cursor = cursor
        self.first = {model: self._next_id(model) for model in (Game, Player, Comment, Report, Ban, Entry)}
        staff = User.objects.using("owner").filter(username__in=STAFF).order_by("pk").values_list("pk", flat=True)
        self.staff = list(staff) or [None]
        now = timezone.now().replace(microsecond=0)
        salt = str(self.first[Entry])
        self.portal = portal.Portal(**sizes, seed=seed, now=now, actors=len(self.staff), salt=salt)
        self.reports, self.entries, self.gestures = self.first[Report], self.first[Entry], set()

    def _next_id(self, model):
        """Behind all that were ever given: the ledger remembers rows that are gone by their ids."""
        table = model._meta.db_table
        self.cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
        (highest,) = self.cursor.fetchone()
        self.cursor.execute(f"SELECT last_value, is_called FROM {table}_id_seq")
        last, is_called = self.cursor.fetchone()
        return max(highest, last if is_called else 0) + 1

    def load(self, progress):
        self._games()
        self._players()
        bans = iter(self.portal.bans)
        ban = next(bans, None)
        written = self.portal.written()
        while batch := list(islice(written, BATCH)):
            self._comments(batch)
            self._reports(batch)
            upcoming = []  # bans that followed from these
            while ban and ban.number <= batch[-1].number:
                upcoming.append(ban)
                ban = next(bans, None)
            ledger = self._decisions(batch) + self._bans(upcoming)
            self._ledger(sorted(ledger, key=lambda line: line[0]))
            progress(len(batch))
        for model in self.first:
            table = model._meta.db_table
            self.cursor.execute(f"SELECT max(id) FROM {table}")
            if (highest := self.cursor.fetchone()[0]) is not None:
                self.cursor.execute(
                    f"SELECT setval('{table}_id_seq', greatest({highest:d}, last_value)) FROM {table}_id_seq"
                )

    def copy(self, model, names, rows):
        """Each row holds values for `names`, a line of attributes; what else a row has gets its default."""
        names = names.split()
        fields = model._meta.concrete_fields
        missing = [f for f in fields if f.attname not in names and f.db_default is NOT_PROVIDED]
        missing = [f for f in missing if not (f.primary_key or f.generated)]
        rest = tuple(f.get_db_prep_save(f.get_default(), connections["owner"]) for f in missing)
        columns = [model._meta.get_field(name).column for name in names] + [field.column for field in missing]
        with self.cursor.copy(f"COPY {model._meta.db_table} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row((*row, *rest))

    def _games(self):
        first = self.first[Game]
        rows = ((first + n, title, f"game-{n + 1}", Game.PUBLISHED) for n, title in enumerate(self.portal.titles()))
        self.copy(Game, "id title slug status", rows)

    def _players(self):
        names = "id external_id username email joined_at last_ip last_seen_at recent_game_id comment_count"
        first, games = self.first[Player], self.first[Game]

        def rows():
            for number, (name, joined, address, last, count) in enumerate(self.portal.people()):
                seen = (self.portal.at(last), games + self.portal.places[last]) if count else (None, None)
                email = f"{name}@players.example"
                yield first + number, f"demo-{number}", name, email, joined, address, *seen, count

        self.copy(Player, names, rows())

    def _comments(self, batch):
        first, players, games = self.first[Comment], self.first[Player], self.first[Game]
        names = "id external_id player_id game_id body status created_at ip report_count version"
        self.copy(
            Comment,
            names,
            (
                (
                    first + each.number,
                    f"demo-{each.number}",
                    players + each.player,
                    games + each.game,
                    each.body,
                    status_of(each),
                    each.at,
                    portal.address_of(each.player),
                    len(each.complaints),
                    0 if each.pending else 1,
                )
                for each in batch
            ),
        )
        self.copy(CommentText, "comment_id folded", ((first + each.number, fold(each.body)) for each in batch))

    def _reports(self, batch):
        comments, players = self.first[Comment], self.first[Player]
        rows = [
            (comments + each.number, players + player, words, at)
            for each in batch
            for player, words, at in each.complaints
        ]
        names = "id comment_id player_id words created_at"
        self.copy(Report, names, ((self.reports + n, *row) for n, row in enumerate(rows)))
        self.reports += len(rows)

    def _decisions(self, batch):
        """Ledger lines: `(at, actor, gesture, verb, target type, target, label, reason, before, after)`."""
        lines = []
        for each in batch:
            if each.decided:
                at, actor, gesture = each.decided
                verb, after = ("comment.reject", REJECTED) if each.kind else ("comment.approve", APPROVED)
                target = (Comment._meta.label_lower, self.first[Comment] + each.number, "")
                reason = portal.REASONS[each.kind]
                lines.append((at, self.staff[actor], gesture, verb, *target, reason, WAITS, after))
        return lines

    def _bans(self, bans):
        lines, rows, keeper = [], [], Keeper()
        for ban in bans:
            pk, player = self.first[Ban], self.first[Player] + ban.player
            self.first[Ban] += 1
            reason = portal.REASONS[self.portal.kinds[ban.number]]
            rows.append((pk, player, reason, ban.starts, ban.ends, 1))
            if self.portal.is_recorded(ban.number):
                act = (ban.starts, self.staff[pk % len(self.staff)], ban.gesture, "player.ban")
                label = keeper.add(f"moderation.player:{player}", "label", self.portal.names[ban.player])
                lines.append((*act, Player._meta.label_lower, player, label, reason, "{}", "{}"))
                began = f'{{"lifted_at": "{ban.starts.isoformat()}"}}'
                lines.append((*act, Ban._meta.label_lower, pk, "", reason, began, '{"lifted_at": null}'))
        self.copy(Ban, "id player_id reason starts_at expires_at version", rows)
        Personal.objects.using("owner").bulk_create(keeper.rows.values(), batch_size=5000, ignore_conflicts=True)
        return lines

    def _ledger(self, lines):
        gestures = {}
        for at, actor, gesture, verb, *_ in lines:
            if gesture not in self.gestures:  # one on many may have begun with the batch before
                gestures.setdefault(gesture, (gesture, at, actor, verb, gesture))
        self.copy(Gesture, "id at actor_id verb idempotency_key", gestures.values())
        self.gestures = set(gestures)
        names = "id at actor_id batch_id verb target_type target_id target_label reason before after"
        self.copy(
            Entry,
            names,
            ((self.entries + n, *line) for n, line in enumerate(lines)),
        )
        self.entries += len(lines)


def status_of(written):
    return Comment.PENDING if written.pending else Comment.REJECTED if written.kind else Comment.APPROVED


@contextmanager
def bare(cursor, models):
    """The tables without what makes COPY slow: indexes that keep no rule, and foreign keys. Both are put back."""
    tables = [model._meta.db_table for model in models]
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = ANY(%s) "
        "AND indexdef NOT LIKE 'CREATE UNIQUE%%'",
        [tables],
    )
    indexes = cursor.fetchall()
    cursor.execute(
        "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE contype = 'f' AND conrelid = ANY(%s::regclass[]) AND confrelid = ANY(%s::regclass[])",
        [tables, tables],  # to drop one that leads elsewhere would lock that table, too
    )
    keys = cursor.fetchall()
    for table, name, _ in keys:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what is still to be checked would forbid an index
    yield
    cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
    for _, definition in indexes:
        cursor.execute(definition)
    for table, name, definition in keys:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
