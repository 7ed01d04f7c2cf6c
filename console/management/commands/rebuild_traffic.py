"""Counts the traffic anew: after a table was emptied or filled behind the triggers' back."""

from django.core.management.base import BaseCommand
from tqdm import tqdm

from console.models import TrafficNote
from console.traffic import counting


class Command(BaseCommand):
    help = "Counts again what the page Traffic shows, hour by hour; it can be stopped, and the worker goes on."

    def add_arguments(self, parser):
        parser.add_argument("--noted", action="store_true", help="only what a worker would count, if there were one")

    def handle(self, *, noted, **options):
        number = TrafficNote.objects.count() if noted else counting.rebuild()
        with tqdm(total=number, unit=" hours", disable=not self.stderr.isatty()) as bar:
            taken = counting.run(progress=bar.update)
        self.stdout.write(f"{taken:,} {'hour was' if taken == 1 else 'hours were'} counted.")
