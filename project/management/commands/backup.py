"""Makes a backup of all that the console keeps."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from project import backup


class Command(BaseCommand):
    help = (
        "Makes a folder FOLDER/<date and time> with the database, the stored games, what waits to be processed, the "
        "ledger's anchor and a manifest. While it is being made the console works on. SECRET_KEY is not in it: keep "
        "it elsewhere. Games in a bucket stay there; the manifest says so."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path, help="where backups are kept; made when missing")
        parser.add_argument("--keep", type=int, default=0, metavar="N", help="leave the newest N there; 0: all of them")

    def handle(self, *args, folder, keep, **options):
        if keep < 0:
            raise CommandError("--keep is how many backups stay: 1 or more, or 0 for all.", returncode=2)
        try:
            made = backup.make(folder, keep, self.stdout.write)
        except (backup.BackupError, OSError) as error:
            raise CommandError(f"No backup was made. {error}", returncode=1) from error
        self.stdout.write(f"Made {made}")
        for name, where in backup.read(made)["elsewhere"].items():
            self.stdout.write(f"Not in it: {name}, in {where}.")
