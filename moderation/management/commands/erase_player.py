"""Erases what is personal about a player, on their request."""

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from console.ledger import Conflict
from moderation import actions, erasing
from moderation.models import Player


class Command(BaseCommand):
    help = (
        "Erases a player's personal data for good: name, e-mail, addresses, texts, and what the ledger points at. That "
        "decisions were taken stays on record, bans stay in force, and the ledger stays valid."
    )

    def add_arguments(self, parser):
        parser.add_argument("id", type=int, metavar="ID", help="the number in the address of the player's page")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *, id, yes, **options):
        player = Player.objects.filter(pk=id).first()
        if player is None:
            raise CommandError(f"There is no player {id}.", returncode=2)
        if not yes and not self.is_meant(player):
            raise CommandError("Nothing was erased.", returncode=1)
        try:
            actions.erase(player, by=None)
        except (Conflict, DatabaseError) as error:
            why = str(error).partition("\n")[0]
            raise CommandError(f"Nothing was erased; try again. {why}", returncode=1) from error
        self.stdout.write(f"Player {id} was erased. Backups and earlier exports are not within reach.")
        self.tidy_up()

    def is_meant(self, player):
        there = ", ".join([f"name, e-mail, bio and address of {player.username!r}", *erasing.found(player)])
        self.stdout.write(f"This erases: {there}.")
        self.stdout.write("It cannot be undone. Bans stay in force.")
        try:
            return input(f"Type {player.pk} to erase: ").strip() == str(player.pk)
        except EOFError:
            return False

    def tidy_up(self):
        try:
            erasing.forget()
        except DatabaseError as error:
            why = str(error).partition("\n")[0]
            self.stderr.write(f"Dead rows stay until PostgreSQL's next vacuum: {why}")
