"""Demo accounts and a believable portal in an empty database."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from console import sealing
from console.traffic import counting
from moderation.models import Comment
from project import demo


class Command(BaseCommand):
    help = "Makes one account per role, and players, games, comments, reports and a week of past decisions."

    def add_arguments(self, parser):
        parser.add_argument("--players", type=int, default=60)
        parser.add_argument("--games", type=int, default=8)
        parser.add_argument("--comments", type=int, default=400)
        parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same portal")
        parser.add_argument("--password", help="of the demo accounts; default: the one in .attendant/demo.txt")

    def handle(self, *, players, games, comments, seed, password, **options):
        if min(players, games, comments) < 1:
            raise CommandError("--players, --games and --comments take whole numbers from 1.", returncode=2)
        if Comment.objects.exists():
            raise CommandError("There are comments already; the demo fills an empty database only.")
        demo.make_accounts(password or demo.password_from(settings.STATE_DIR / "demo.txt"))
        with tqdm(total=comments, unit=" comments", unit_scale=True, disable=not self.stderr.isatty()) as bar:
            demo.make_portal(players=players, games=games, comments=comments, seed=seed, progress=bar.update)
            demo.tidy()  # before anything is looked for in it
            bar.set_postfix_str("warnings, notes and bans")
            demo.make_sanctions()
            bar.set_postfix_str("seals")
            sealing.run()
            bar.set_postfix_str("traffic")
            counting.run()
        self.stdout.write(f"Made {players} players, {games} games and {comments} comments.")
