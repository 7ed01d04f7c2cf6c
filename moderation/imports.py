"""Comments from another portal's export: reads CSV or JSON Lines row by row, writes in batches, never half a row.

Bodies are kept exactly as they were sent. A row lacking what it needs is rejected with its line and the reason;
a missing optional field is filled in and counted; a row that is there already is left alone.
"""

import codecs
import csv
import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice

from moderation.intake import comments
from moderation.intake.answers import BANNED, CREATED, Answer, Row
from moderation.intake.cleaning import BadRow
from moderation.models import Comment

REQUIRED = ("external_id", "author", "body")
OPTIONAL = ("created_at", "game", "ip")
FIELDS = REQUIRED + OPTIONAL
BATCH = 1000
csv.field_size_limit(10_000_000)


class UnreadableFile(ValueError):
    """The file as a whole cannot be read; the message says what is there instead of what was expected."""


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
    for name in REQUIRED:
        if not (values[name] or "").strip():
            raise BadRow(f"{name} is missing")
    filled = [name for name in OPTIONAL if not (values[name] or "").strip()]
    cleaned = comments.clean(values | {"game": (values["game"] or "").strip() or game_slug})
    if game_slug and "game" in filled:
        filled.remove("game")  # the command named it
    return cleaned | {"filled": filled, "only_new": True}


def import_rows(rows, *, game_slug="", dry_run=False, on_reject=lambda line, reason, values: None):
    """Takes in what `read` yields, BATCH rows a transaction. Returns a Result.

    `game_slug` is the game of rows that name none. A second run, or one after a kill, finds what is there already
    by external_id and goes on.
    """
    result = Result()
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
                cleaned[row["external_id"]] = Row(row, Answer(row["external_id"]))
        _store(list(cleaned.values()), result, dry_run)
    return result


def _store(rows, result, dry_run):
    """A comment that is there stays as it is: an export tells nothing of when its texts were changed."""
    if dry_run:
        known = set(Comment.objects.filter(external_id__in=[row.id for row in rows]).values_list("external_id"))
        new = [row for row in rows if (row.id,) not in known]
    else:
        comments.settle(rows)
        new = [row for row in rows if row.answer.status in (CREATED, BANNED)]
    result.known += len(rows) - len(new)
    result.imported += len(new)
    for row in new:
        result.filled.update(row.fields["filled"])
        result.turned_away += row.answer.status == BANNED
