"""Comments from another portal's export: reads CSV or JSON Lines row by row, writes in batches, never half a row.

Bodies are kept exactly as they were sent. A row lacking what it needs is rejected with its line and the reason;
a missing optional field is filled in and counted; a row that is there already is left alone.
"""

import codecs
import csv
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from django.db import connection, transaction
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from console import clientip, live
from moderation.doors import CHECK_MANY
from moderation.models import Comment, Player
from moderation.text import fold

REQUIRED = ("external_id", "author", "body")
OPTIONAL = ("created_at", "game", "ip")
FIELDS = REQUIRED + OPTIONAL
BATCH = 1000
LONGEST = {"external_id": 200, "author": 190, "body": 100_000, "game": 80}
csv.field_size_limit(10_000_000)


class UnreadableFile(ValueError):
    """The file as a whole cannot be read; the message says what is there instead of what was expected."""


class BadRow(ValueError):
    """One row cannot be taken; the message says why."""


@dataclass
class Result:
    imported: int = 0
    known: int = 0
    turned_away: int = 0
    rejected: int = 0
    filled: Counter = field(default_factory=Counter)


def check_encoding(path):
    """The number of lines; reads the file in pieces. Raises UnreadableFile when it is not UTF-8 throughout."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    with path.open("rb") as file:
        start = file.read(4)
        for mark, name in ((codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16"), (b"PK\3\4", "a zip file")):
            if start.startswith(mark):
                raise UnreadableFile(f"{path.name} is {name}, not UTF-8 text. Save it as UTF-8 and try again.")
        file.seek(0)
        while piece := file.read(1 << 20):
            try:
                decoder.decode(piece)
            except UnicodeDecodeError as error:
                line += piece.count(b"\n", 0, error.start)
                byte = piece[error.start] if error.start < len(piece) else error.object[error.start]
                raise UnreadableFile(
                    f"{path.name} is not UTF-8: line {line} holds the byte 0x{byte:02x}. It looks like Windows-1252 "
                    "or Latin-1; convert it to UTF-8 and try again."
                ) from None
            line += piece.count(b"\n")
    return line


def read(path, mapping):
    """Yields `(line number, {field: text or None})`; a row that cannot be read has a BadRow in place of the dict.

    `mapping` names the column of each field; fields it leaves out are looked for under their own name.
    Raises UnreadableFile when a mapped or required column does not exist.
    """
    columns = {name: mapping.get(name, name) for name in FIELDS}
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.read(1)
        file.seek(0)
        yield from _read_json(file, columns, mapping) if first == "{" else _read_csv(file, path, columns, mapping)


def _read_csv(file, path, columns, mapping):
    rows = csv.reader(file)
    header = [name.strip() for name in next(rows, [])]
    _check_columns(header, columns, mapping, path.name)
    line = rows.line_num + 1
    for row in rows:
        if row:
            if len(row) != len(header):
                yield line, BadRow(f"has {len(row)} columns, the header has {len(header)}")
            else:
                values = dict(zip(header, row, strict=True))
                yield line, {name: values.get(column) for name, column in columns.items()}
        line = rows.line_num + 1


def _read_json(file, columns, mapping):
    for line, text in enumerate(file, start=1):
        if not text.strip():
            continue
        try:
            values = json.loads(text)
            if not isinstance(values, dict):
                raise ValueError
        except ValueError:
            yield line, BadRow("is not a JSON object")
            continue
        if line == 1:
            _check_columns(list(values), columns, mapping, "The first line")
        picked = {name: values.get(column) for name, column in columns.items()}
        yield line, {name: None if value is None else str(value) for name, value in picked.items()}


def _check_columns(header, columns, mapping, where):
    needed = {name: column for name, column in columns.items() if name in REQUIRED or name in mapping}
    missing = [f"“{column}” (for {name})" for name, column in needed.items() if column not in header]
    if missing:
        there = ", ".join(f"“{name}”" for name in header) or "nothing"
        raise UnreadableFile(
            f"{where} has no column {', '.join(missing)}. There is: {there}. Name columns with --map field=column."
        )


def clean(values, game_slug=""):
    """The row's fields ready to be stored, with "filled": which of them it lacked. Raises BadRow."""
    cleaned = {"filled": [name for name in OPTIONAL if not (values[name] or "").strip()]}
    for name in REQUIRED:
        text = values[name] or ""
        if not text.strip():
            raise BadRow(f"{name} is missing")
        cleaned[name] = text if name == "body" else text.strip()
    cleaned["game"] = (values["game"] or "").strip() or game_slug
    if game_slug and "game" in cleaned["filled"]:
        cleaned["filled"].remove("game")  # the command named it
    for name, most in LONGEST.items():
        if len(cleaned[name]) > most:
            raise BadRow(f"{name} has {len(cleaned[name]):,} characters, {most:,} are the most")
        if "\0" in cleaned[name]:
            raise BadRow(f"{name} holds a NUL character")
        if re.search("[\ud800-\udfff]", cleaned[name]):
            raise BadRow(f"{name} holds half a character")
    if not re.fullmatch(r"[-\w]*", cleaned["game"], re.ASCII):
        raise BadRow(f"game is “{cleaned['game'][:40]}”, not a slug: letters, digits, - and _")
    cleaned["created_at"] = _moment((values["created_at"] or "").strip())
    cleaned["ip"] = _address((values["ip"] or "").strip())
    return cleaned


def _moment(text):
    """ISO 8601 dates and times; without a zone they are UTC, and none at all is now."""
    if not text:
        return timezone.now()
    try:
        moment = parse_datetime(text)
        if moment is None and (day := parse_date(text)):
            moment = datetime(day.year, day.month, day.day)
    except ValueError:
        moment = None
    if moment is None:
        raise BadRow(f"created_at is “{text[:40]}”, not a date like 2026-01-31T12:00:00")
    moment = moment if timezone.is_aware(moment) else moment.replace(tzinfo=UTC)
    if not 1990 <= moment.year <= 2100:
        raise BadRow(f"created_at is in the year {moment.year}")
    return moment


def _address(text):
    if not text:
        return None
    address = clientip.parse(text)
    if address is None:
        raise BadRow(f"ip is “{text[:40]}”, not an address")
    return str(address)


def import_rows(rows, *, game_slug="", dry_run=False, on_reject=lambda line, reason, values: None):
    """Takes in what `read` yields, BATCH rows a transaction. Returns a Result.

    `game_slug` is the game of rows that name none. A second run, or one after a kill, finds what is there already
    by external_id and goes on.
    """
    result, games = Result(), {}
    rows = iter(rows)
    while batch := list(islice(rows, BATCH)):
        cleaned = {}
        for line, values in batch:
            try:
                if isinstance(values, BadRow):
                    raise values
                row = clean(values, game_slug)
            except BadRow as error:
                result.rejected += 1
                on_reject(line, str(error), values)
                continue
            if row["external_id"] in cleaned:
                result.known += 1
            else:
                cleaned[row["external_id"]] = row
        _store(cleaned, games, result, dry_run)
    return result


def _store(cleaned, games, result, dry_run):
    known = set(Comment.objects.filter(external_id__in=cleaned).values_list("external_id", flat=True))
    new = [row for external_id, row in cleaned.items() if external_id not in known]
    if not dry_run and new:
        new = _insert(new, games)
    result.known += len(cleaned) - len(new)
    result.imported += len(new)
    for row in new:
        result.filled.update(row["filled"])
        result.turned_away += row.get("turned_away", False)


# what is there already stays as it is, a comment never comes without its text, and what was written by somebody who
# was banned by then, and still is, never waits for anybody
STORE = f"""
    WITH given AS (
        SELECT * FROM json_to_recordset(%s) AS row (
            external_id text, player_id bigint, game_id bigint, body text, created_at timestamptz, ip inet, folded text
        )
    ),
    asked AS (SELECT external_id AS key, player_id, ip, created_at AS at FROM given),
    banned AS ({CHECK_MANY}),
    new AS (
        INSERT INTO moderation_comment
            (external_id, player_id, game_id, body, status, blocked_by_id, created_at, ip, report_count, version)
        SELECT external_id, player_id, game_id, body, CASE WHEN ban_id IS NULL THEN 'pending' ELSE 'rejected' END,
            ban_id, created_at, ip, 0, 0
        FROM given LEFT JOIN banned ON key = external_id ORDER BY external_id
        ON CONFLICT (external_id) DO NOTHING
        RETURNING id, external_id, blocked_by_id
    ),
    texts AS (
        INSERT INTO moderation_commenttext (comment_id, folded)
        SELECT id, folded FROM new JOIN given USING (external_id)
    )
    SELECT external_id, id, blocked_by_id FROM new
"""


@transaction.atomic
def _insert(rows, games):
    """Stores the rows and returns those that are new: another import may bring the same ones at the same time.

    Rows of all tables are taken in one order (players, games, comments by what names them, then players by key), so
    that imports wait for each other and never in a circle.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '60s'")  # nobody sits in front of an import, as they do of a page
        players = _players({row["author"] for row in rows})
        _games({row["game"] for row in rows} - {""}, games)
        given = [
            row | {"player_id": players[row["author"]], "game_id": games.get(row["game"]), "folded": fold(row["body"])}
            for row in rows
        ]
        cursor.execute(STORE, [json.dumps(given, default=str)])
        new = {external_id: (pk, ban) for external_id, pk, ban in cursor.fetchall()}
    _keep_totals([pk for pk, _ in new.values()])
    transaction.on_commit(live.bump, robust=True)
    return [row | {"turned_away": bool(new[row["external_id"]][1])} for row in rows if row["external_id"] in new]


def _players(names):
    """`{name: key of the player}`; an export tells players apart by name only."""
    ids = {f"author:{name}": name for name in sorted(names)}
    found = _known_players(ids)
    missing = [Player(external_id=each, username=name) for each, name in ids.items() if name not in found]
    if missing:
        Player.objects.bulk_create(missing, ignore_conflicts=True)
        found = _known_players(ids)
    return found


def _known_players(ids):
    found = Player.objects.filter(external_id__in=ids).values_list("external_id", "pk")
    return {ids[external_id]: pk for external_id, pk in found}


def _games(slugs, games):
    Game = Comment._meta.get_field("game").related_model
    for slug in sorted(slugs - set(games)):
        title = slug.replace("-", " ").replace("_", " ").title()
        game, _ = Game.objects.get_or_create(slug=slug, defaults={"title": title, "status": "published"})
        games[slug] = game.pk


KEEP_TOTALS = """
    UPDATE moderation_player AS player SET
        comment_count = comment_count + comments,
        joined_at = least(joined_at, first_at),
        last_seen_at = greatest(last_seen_at, last_at),
        recent_game_id = CASE WHEN last_seen_at >= last_at THEN recent_game_id ELSE last_game_id END,
        last_ip = CASE WHEN last_seen_at >= last_at THEN player.last_ip ELSE coalesce(new.last_ip, player.last_ip) END
    FROM (
        SELECT player_id, count(*) AS comments, min(created_at) AS first_at, max(created_at) AS last_at,
            (array_agg(game_id ORDER BY created_at DESC, id DESC))[1] AS last_game_id,
            (array_agg(ip ORDER BY created_at DESC, id DESC))[1] AS last_ip
        FROM moderation_comment WHERE id = ANY(%s) GROUP BY player_id
    ) AS new
    WHERE player.id = player_id
"""


def _keep_totals(ids):
    """What intake keeps on each player: number of comments, when they were last seen, in which game, from where."""
    players = Player.objects.filter(pk__in=Comment.objects.filter(pk__in=ids).values("player"))
    list(players.select_for_update().order_by("pk").values_list("pk"))  # an UPDATE alone locks in any order
    with connection.cursor() as cursor:
        cursor.execute(KEEP_TOTALS, [ids])
