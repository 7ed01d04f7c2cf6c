"""What games put on the overview of operations."""

from games.models import Game

LATEST = 5
# along the index of gestures by verb, newest first
_PUBLISHED = """
    SELECT game.*, gesture.at AS published_at FROM console_gesture AS gesture
    JOIN console_entry AS entry ON entry.batch_id = gesture.id AND entry.target_type = 'games.game'
    JOIN games_game AS game ON game.id = entry.target_id
    WHERE gesture.verb = 'game.publish' ORDER BY gesture.at DESC, gesture.id DESC LIMIT %s
"""


def published(request):
    """The games that were published last, for those who may see games."""
    if not request.user.has_perm("games.view_game"):
        return None
    return {"games": list(Game.objects.raw(_PUBLISHED, [LATEST]))}
