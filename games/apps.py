"""Games and how they arrive."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class GamesConfig(AppConfig):
    name = "games"

    def ready(self):
        from console import live, panels, respond, sections
        from console.api import scopes
        from games import actions, cards, checks, mails, news, pipeline, receivers, roles, sweep  # noqa: F401  (actions declare their verbs)
        from games import panels as ours
        from moderation import profile

        post_migrate.connect(roles.apply, sender=self)
        pipeline.register()
        sweep.register()
        news.register()
        receivers.connect()
        mails.setup()
        checks.ready()
        respond.register(cards.GAME_CARD)
        respond.register(cards.BUILD_CARD)
        profile.register(profile.Panel("games/_authored.html", cards.authored, "games.view_game"))
        panels.register(panels.Panel(50, "games/_published.html", ours.published))
        scopes.register(scopes.Scope("builds:write", "Upload builds of games.", position=60))
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
