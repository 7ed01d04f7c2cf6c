"""What games do when something happens to players."""

from games.models import Game
from moderation import signals


def connect():
    signals.games_down.connect(take_down, dispatch_uid="games.take_down")


def take_down(sender, act, players, **kwargs):
    """Unpublishes the players' games within the gesture that bans them, so that its undo brings them back."""
    games = Game.objects.filter(author__in=players, status=Game.PUBLISHED)
    games = list(games.select_for_update(of=("self",)).order_by("pk"))
    if games:
        act.change(games, status=Game.DRAFT)
