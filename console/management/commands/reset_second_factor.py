"""Resets somebody's second factor from the server: the way in for a console with a single operator."""

from django.core.management.base import BaseCommand, CommandError

from console import staffactions
from console.ledger import Conflict
from console.models import User


class Command(BaseCommand):
    help = (
        "Removes a person's second factor and recovery codes and signs them out; they set up another at the next "
        "sign-in. Where there are two operators, use the staff page instead: there it takes both of them. The ledger "
        "says that it was done from the server."
    )

    def add_arguments(self, parser):
        parser.add_argument("login", metavar="LOGIN")

    def handle(self, *, login, **options):
        person = User.objects.filter(username=login).first()
        if person is None:
            raise CommandError(f"Nobody signs in as {login}.", returncode=2)
        try:
            staffactions.reset_factor(person, by=None)
        except Conflict as conflict:
            words = f"{login} may not sign in at all: reactivate the account first." if conflict.target else conflict
            raise CommandError(f"Nothing was reset. {words}", returncode=1) from conflict
        self.stdout.write(f"{login} has no second factor any more and is signed out everywhere.")
