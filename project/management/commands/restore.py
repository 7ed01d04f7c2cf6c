"""Brings a backup back."""

from pathlib import Path

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from project import backup


class Command(BaseCommand):
    help = (
        "Brings a backup into an empty database (DATABASE_OWNER_URL) and empty folders, refuses others, then checks "
        "migrations, database roles and the ledger. Web server, workers and beat have to be stopped."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path, help="a backup: a folder with a manifest.json")

    def handle(self, *args, folder, **options):
        with tqdm(total=0, unit=" transactions", unit_scale=True, disable=not self.stderr.isatty()) as bar:

            def progress(done, of):
                bar.total = of
                bar.update(done - bar.n)

            try:
                manifest = backup.restore(folder, self.stdout.write, progress)
            except (backup.BackupError, OSError) as error:
                raise CommandError(f"Not restored. {error}", returncode=1) from error
        if advice := backup.anchor_advice(folder):
            raise CommandError(f"Restored, but not checked. {advice} Then run manage.py verify_ledger.", returncode=1)
        self.check("migrate", "Run manage.py migrate: this code is newer than the backup.", check_unapplied=True)
        self.check("database_roles", "It says above what to do.")
        self.check("verify_ledger", "The ledger is not as it was sealed.")
        self.stdout.write(f"Restored what was backed up at {manifest['made_at']}.")

    def check(self, command, words, **options):
        try:
            call_command(command, stdout=self.stdout, **options)
        except (CommandError, SystemExit) as error:
            raise CommandError(f"Restored, but {command} fails: {error} {words}", returncode=1) from error
