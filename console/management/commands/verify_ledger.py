"""Checks the ledger, or an export of it."""

from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from console import anchor, chain, verifying
from console.models import Entry


class Command(BaseCommand):
    help = (
        "Recomputes every seal of the ledger and names the first entry that was changed, removed, added or put in "
        "another's place (exit code 1). That its end was cut off only a second place can tell, see LEDGER_ANCHOR."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--anchor", metavar="PATH", help="compare with this copy of the heads instead of LEDGER_ANCHOR"
        )
        parser.add_argument(
            "--export",
            type=Path,
            metavar="FILE",
            help="check an export (JSON Lines with seals) instead of the database",
        )

    def handle(self, *, export, **options):
        check, late = self.checked_export(export) if export else self.checked_ledger()
        compared = self.compare(check, options["anchor"] or settings.LEDGER_ANCHOR)
        if check.verdict:
            raise CommandError(check.verdict, returncode=1)
        head = f" The head is seal {check.seals}, {check.previous}." if check.seals else ""
        seals = f"{check.seals:,} seal{'' if check.seals == 1 else 's'}"
        self.stdout.write(f"All is as it was sealed: {count(check.entries)} in {seals}.{head}")
        if not compared:
            self.stdout.write("Nothing tells whether its end was cut off: LEDGER_ANCHOR is not set.")
        if late and export:
            was = "was" if late == 1 else "were"
            self.stdout.write(f"{count(late)} at the end of the export {was} not sealed yet.")
        elif late:
            waits = "waits" if late == 1 else "wait"
            words = f"{count(late)} {waits} for a seal for more than a minute. Does the worker run, and beat?"
            raise CommandError(words, returncode=1)

    def checked_ledger(self):
        with self.bar(Entry.objects.count()) as bar:
            return verifying.run(bar.update)

    def checked_export(self, path):
        try:
            with path.open(encoding="utf-8") as file, self.bar(None) as bar:
                return chain.check_lines(self.watched(file, bar))
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.", returncode=2) from error
        except (chain.Unreadable, UnicodeDecodeError) as error:
            raise CommandError(f"{path.name}: {error}", returncode=1) from error

    def compare(self, check, where):
        """Whether there was a second place to compare with."""
        if not where:
            return False
        try:
            wrong = anchor.place(where).first_wrong(check.agrees)
        except FileNotFoundError as error:
            if check.seals == 0:
                return True
            raise CommandError(f"There is no anchor at {where}.", returncode=2) from error
        if wrong:
            check.blame_for(wrong)
        return True

    def bar(self, total):
        return tqdm(total=total, unit=" entries", unit_scale=True, disable=not self.stderr.isatty())

    @staticmethod
    def watched(file, bar):
        for line in file:
            bar.update()
            yield line


def count(number):
    return f"{number:,} {'entry' if number == 1 else 'entries'}"
