"""Games and how they arrive."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class GamesConfig(AppConfig):
    name = "games"

    def ready(self):
        from console import live, respond, sections
        from games import actions, cards, pipeline, receivers, roles, sweep  # noqa: F401  (actions declare their verbs)
        from moderation import profile

        post_migrate.connect(roles.apply, sender=self)
        pipeline.register()
        sweep.register()
        receivers.connect()
        respond.register(cards.GAME_CARD)
        respond.register(cards.BUILD_CARD)
        profile.register(profile.Panel("games/_authored.html", cards.authored, "games.view_game"))
        live.watch("build", cards.bring_up_to_date)
        sections.register(
            sections.Section(
                name="games",
                label="Games",
                url="games:games",
                permission="games.view_game",
                icon="gamepad-2",
                position=20,
            )
        )
