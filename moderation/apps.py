"""People of the portal and what they say."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ModerationConfig(AppConfig):
    name = "moderation"

    def ready(self):
        from console import respond, sections
        from moderation import actions, cards, roles  # noqa: F401  (actions declare their verbs)

        post_migrate.connect(roles.apply, sender=self)
        respond.register(cards.COMMENT_CARD)
        respond.register(cards.PLAYER_CARD)
        sections.register(
            sections.Section(
                name="comments",
                label="Comments",
                url="moderation:comments",
                permission="moderation.view_comment",
                icon="message-square",
                waiting=cards.waiting,
                oldest=cards.oldest,
                position=10,
            )
        )
        sections.register(
            sections.Section(
                name="players",
                label="Players",
                url="moderation:players",
                permission="moderation.view_player",
                icon="users",
                position=15,
            )
        )
