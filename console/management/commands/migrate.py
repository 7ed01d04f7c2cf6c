"""Django's migrate, run as the owner of the tables, followed by what must hold after every migration."""

from django.core.management import CommandError, call_command
from django.core.management.commands.migrate import Command as Migrate

from console import dbroles


class Command(Migrate):
    help = "Migrates as the database's owner, makes the cache table and grants the application role its rights."

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def handle(self, *args, **options):
        try:
            dbroles.ensure_role(options["database"])
        except dbroles.RoleError as error:
            raise CommandError(str(error)) from error
        super().handle(*args, **options)
        if options.get("plan") or options.get("check_unapplied"):
            return
        call_command("createcachetable", database=options["database"], verbosity=0)
        dbroles.grant(options["database"])
