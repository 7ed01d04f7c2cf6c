"""People of the portal and what they say."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

# what tokens of portals may be allowed (console.api.scopes)
SCOPES = [
    ("comments:write", "Send comments, and their edits and deletions."),
    ("players:write", "Send players, and their changes."),
    ("reports:write", "Send reports by players."),
    ("bans:read", "Ask whether a player or an address is banned."),
]


class ModerationConfig(AppConfig):
    name = "moderation"

    def ready(self):
        from console import masking, outbox, respond, sections, signins, telling
        from console.api import scopes
        from console.exporting import sources
        from moderation import actions, bancards, cards, connect, doors, news, received, retention, roles, traffic  # noqa: F401  (actions declare their verbs)
        from moderation.mails import outcomes, samples, sending, topics, views
        from moderation.masking import WHOLE
        from moderation.players import PlayersSource
        from moderation.timeline import reason_labels

        post_migrate.connect(roles.apply, sender=self)
        masking.guard(WHOLE)
        retention.ready()
        traffic.ready()
        topics.wanted()  # a mistake in settings ends the start, not the first mail
        outcomes.setup()
        samples.setup()
        views.setup()
        sending.setup()
        outbox.on_due(topics.collect)
        news.register()
        connect.ready()
        received.register()
        sources.register(PlayersSource)
        telling.name_reasons(reason_labels)
        respond.register(cards.COMMENT_CARD)
        respond.register(cards.PLAYER_CARD)
        respond.register(bancards.BAN_CARD)
        signins.register_door(doors.at_sign_in)
        respond.register(cards.REASON_CARD)
        for position, (name, sentence) in enumerate(SCOPES, start=1):
            scopes.register(scopes.Scope(name, sentence, position))
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
                waiting=bancards.waiting,
                oldest=bancards.oldest,
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
