"""People of the portal and what they say."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ModerationConfig(AppConfig):
    name = "moderation"

    def ready(self):
        from console import respond, sections, sign_ins, telling
        from moderation import actions, ban_cards, cards, doors, roles  # noqa: F401  (actions declare their verbs)
        from moderation.timeline import reason_labels

        post_migrate.connect(roles.apply, sender=self)
        telling.name_reasons(reason_labels)
        respond.register(cards.COMMENT_CARD)
        respond.register(cards.PLAYER_CARD)
        respond.register(ban_cards.BAN_CARD)
        sign_ins.register_door(doors.at_sign_in)
        respond.register(cards.REASON_CARD)
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
        sections.register(
            sections.Section(
                name="bans",
                label="Bans",
                url="moderation:bans",
                permission="moderation.view_ban",
                icon="ban",
                waiting=ban_cards.waiting,
                oldest=ban_cards.oldest,
                shortcuts=(sections.Shortcut("Ban a network", "moderation:ban_new", "moderation.ban_network", "ban"),),
                position=30,
            )
        )
        sections.register(
            sections.Section(
                name="reasons",
                label="Reasons",
                url="moderation:reasons",
                permission="moderation.change_reason",
                icon="list-checks",
                position=70,
            )
        )
