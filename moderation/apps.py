"""People of the portal and what they say."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ModerationConfig(AppConfig):
    name = "moderation"

    def ready(self):
        from console import respond, sections, telling
        from moderation import actions, cards, roles  # noqa: F401  (actions declare their verbs)
        from moderation.timeline import reason_labels

        post_migrate.connect(roles.apply, sender=self)
        telling.name_reasons(reason_labels)
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
