"""Takes in comments that another portal exported."""

import csv
import re
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from moderation import imports

FILLED = {"created_at": "taken as sent now", "game": "left without one", "ip": "left without one"}


class Command(BaseCommand):
    help = (
        f"Imports comments from a CSV or JSON Lines file in UTF-8. Fields: {', '.join(imports.FIELDS)}; the first "
        "three are required. Rows that cannot be taken go to FILE.rejects.csv. After an interruption, run it again."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--map", action="append", default=[], metavar="field=column", help="which column holds a field; repeatable"
        )
        parser.add_argument("--game", default="", metavar="SLUG", help="the game of rows that name none")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen; change nothing")

    def handle(self, *, file, map, game, dry_run, **options):
        mapping = parse_mapping(map)
        if game and not re.fullmatch(r"[-\w]{1,80}", game, re.ASCII):
            raise CommandError("--game takes a slug: letters, digits, - and _, at most 80.", returncode=2)
        if not file.is_file():
            raise CommandError(f"There is no file {file}.", returncode=2)
        rejects = Rejects(file, dry_run)
        try:
            rows = self.watched(imports.read(file, mapping), imports.check_encoding(file))
            result = imports.import_rows(rows, game_slug=game, dry_run=dry_run, on_reject=rejects.add)
        except imports.UnreadableFile as error:
            raise CommandError(str(error), returncode=2) from error
        except csv.Error as error:
            raise CommandError(f"{file.name} cannot be read as CSV: {error}.", returncode=2) from error
        finally:
            rejects.close()
        self.report(result, rejects, dry_run)

    def watched(self, rows, lines):
        """The rows, with a bar that shows how far down the file they are: a row may have several lines."""
        with tqdm(total=lines, unit=" lines", disable=not self.stderr.isatty()) as bar:
            for line, values in rows:
                bar.update(line - bar.n)
                yield line, values

    def report(self, result, rejects, dry_run):
        verb = "Would import" if dry_run else "Imported"
        self.stdout.write(f"{verb} {result.imported:,}; {result.known:,} were there already.")
        if result.turned_away:
            self.stdout.write(f"{result.turned_away:,} came from banned players or networks and were rejected.")
        for name, number in sorted(result.filled.items()):
            self.stdout.write(f"{number:,} had no {name}: {FILLED[name]}.")
        if result.rejected:
            where = f" See {rejects.path}." if rejects.path else ""
            raise CommandError(f"Rejected {result.rejected:,} rows.{where}", returncode=1)


class Rejects:
    """The file of rejected rows, made when the first one comes: beside the input, else where the command runs."""

    def __init__(self, source, dry_run):
        self.source, self.dry_run, self.path, self.file = source, dry_run, None, None

    def add(self, line, reason, values):
        if self.dry_run:
            return
        if self.file is None:
            self.open()
            self.writer.writerow(["line", "reason", *imports.FIELDS])
        kept = values if isinstance(values, dict) else {}
        self.writer.writerow([line, reason, *(neutral(kept.get(name)) for name in imports.FIELDS)])

    def open(self):
        name = f"{self.source.name}.rejects.csv"
        try:
            self.path = self.source.with_name(name)
            self.file = self.path.open("w", encoding="utf-8", errors="backslashreplace", newline="")
        except OSError:
            self.path = Path(name).absolute()
            self.file = self.path.open("w", encoding="utf-8", errors="backslashreplace", newline="")
        self.writer = csv.writer(self.file)

    def close(self):
        if self.file:
            self.file.close()


def neutral(text):
    """A cell that no spreadsheet takes for a formula."""
    text = text or ""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def parse_mapping(pairs):
    mapping = {}
    for pair in pairs:
        name, separator, column = pair.partition("=")
        if not separator or name not in imports.FIELDS or not column:
            fields = ", ".join(imports.FIELDS)
            raise CommandError(f"--map {pair}: give field=column, with one of the fields {fields}.", returncode=2)
        mapping[name] = column
    return mapping
