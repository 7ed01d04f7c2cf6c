"""What each preset group may do with games and builds (design 9)."""

from console.roles import AUDITOR, MODERATOR, PUBLISHER, SENIOR, grant

READ = ["games.view_game"]
PUBLISH = [f"games.{verb}" for verb in ("upload_game", "publish_game", "archive_game", "review_build", "retry_build")]
PRESETS = {MODERATOR: READ, SENIOR: READ, PUBLISHER: READ + PUBLISH, AUDITOR: READ}


def apply(sender, using, **kwargs):
    grant(sender, PRESETS, using)
