"""Seals the ledger: by hand, or from cron where there is no beat."""

from django.core.management.base import BaseCommand
from tqdm import tqdm

from console import anchor, sealing


class Command(BaseCommand):
    help = "Seals what was decided since the last time, and writes the ledger's head to LEDGER_ANCHOR."

    def handle(self, **options):
        with tqdm(unit=" entries", unit_scale=True, disable=not self.stderr.isatty()) as bar:
            number = sealing.run(progress=bar.update)
        anchor.write()
        self.stdout.write(f"{number:,} {'entry was' if number == 1 else 'entries were'} sealed.")
