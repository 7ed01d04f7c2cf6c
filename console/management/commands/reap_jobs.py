"""Looks after background work that nobody does: by hand, or from cron where there is no beat."""

from django.core.management.base import BaseCommand

from console import jobs


class Command(BaseCommand):
    help = "Tells workers of jobs that nobody picked up or whose worker is gone, and ends those out of attempts."

    def handle(self, **options):
        number = jobs.reap()
        self.stdout.write(f"{number} job{'' if number == 1 else 's'} looked after.")
