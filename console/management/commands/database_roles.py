"""Makes and checks the two database roles on a server of one's own."""

from django.core.management.base import BaseCommand, CommandError

from console import dbroles


class Command(BaseCommand):
    help = (
        "Checks that the application's database role may do exactly what it needs: prints each deviation with the SQL "
        "that mends it, and exits with 1 if there is one. With --make it makes the role and grants it its rights "
        "first, as the owner (DATABASE_OWNER_URL)."
    )

    def add_arguments(self, parser):
        parser.add_argument("--make", action="store_true", help="make the role and grant its rights, then check")

    def handle(self, *args, make, **options):
        if make:
            try:
                dbroles.ensure_role()
            except dbroles.RoleError as error:
                raise CommandError(str(error)) from error
            dbroles.grant()
        found = dbroles.deviations()
        for words, sql in found:
            self.stdout.write(f"{words}\n    {sql}")
        if found:
            raise CommandError(f"{len(found)} deviation{'' if len(found) == 1 else 's'} from what is declared.")
        self.stdout.write("Both roles are as declared.")
