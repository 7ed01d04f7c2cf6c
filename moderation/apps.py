"""People of the portal and what they say."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ModerationConfig(AppConfig):
    name = "moderation"

    def ready(self):
        from console import respond, sections
        from moderation import actions, roles, views  # noqa: F401  (actions declare their verbs)

        post_migrate.connect(roles.apply, sender=self)
        respond.register(views.CARD)
        sections.register(
            sections.Section(
                name="comments",
                label="Comments",
                url="moderation:comments",
                permission="moderation.view_comment",
                icon="message-square",
                waiting=views.waiting,
                oldest=views.oldest,
                position=10,
            )
        )
