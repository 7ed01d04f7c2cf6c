"""Makes a token for the API from the server; for installs by script."""

from django.core.management.base import BaseCommand, CommandError

from console import tokenactions
from console.api import scopes
from console.tokenforms import A_YEAR, MOST_DAYS, NewTokenForm


class Command(BaseCommand):
    help = (
        "Makes a token for the portal's API and prints it, last and on a line of its own. It is shown this once; the "
        "ledger says that it was made from the server. Revoke it in the console."
    )

    def add_arguments(self, parser):
        parser.add_argument("name", metavar="NAME", help="where it will be used")
        parser.add_argument(
            "--scope",
            action="append",
            required=True,
            dest="scopes",
            choices=[each.name for each in scopes.every()],
            help="what it may do; several times for several",
        )
        parser.add_argument("--days", type=int, default=A_YEAR, help=f"until it ends: {A_YEAR}, at most {MOST_DAYS}")

    def handle(self, *, name, scopes, days, **options):
        if not 1 <= days <= MOST_DAYS:
            raise CommandError(f"--days takes 1 to {MOST_DAYS}.", returncode=2)
        field = NewTokenForm({"name": name})
        if errors := field.errors.get("name"):
            raise CommandError(f"NAME: {errors[0]}", returncode=2)
        name, scopes = field.cleaned_data["name"], sorted(set(scopes))
        outcome, secret = tokenactions.make_token(by=None, name=name, scopes=scopes, days=days)
        ends = outcome.done[0].expires_at
        self.stderr.write(f"The token “{name}” may do {', '.join(scopes)} until {ends:%Y-%m-%d}.")
        self.stdout.write(secret)
