"""What portals are told of decisions on comments and bans, in words of theirs: external ids, slugs, codes."""

from console import news
from moderation.models import Ban, Comment, Player


def register():
    news.describer("moderation.comment", of_comments)
    news.describer("moderation.ban", of_bans)


def of_comments(events):
    """Who wrote it, and where; empty of one that is gone."""
    names = dict(Comment.objects.filter(pk__in=news.ids(events, "comment")).values_list("pk", "external_id"))
    players = external_ids(news.ids(events, "player"))
    games = slugs(news.ids(events, "game"))
    return {
        event.pk: {
            "comment": names.get(event.payload["comment"]),
            "player": players.get(event.payload.get("player")),
            "game": games.get(event.payload.get("game")),
            "status": event.name.partition(".")[2],
            "reason": event.reason,
        }
        for event in events
    }


def of_bans(events):
    """Of whom, for what, and until when, as it stands now; `expires_at` None: for good."""
    bans = Ban.objects.in_bulk(news.ids(events, "ban"))
    players = external_ids(news.ids(events, "player"))
    return {event.pk: _of_ban(event, bans.get(event.payload["ban"]), players) for event in events}


def _of_ban(event, ban, players):
    player = event.payload.get("player")
    whom = {"player": players.get(player)} if player else {"network": str(ban.network) if ban else None}
    return {
        **whom,
        "reason": ban.reason or None if ban else None,
        "starts_at": news.moment(ban.starts_at) if ban else None,
        "expires_at": news.moment(ban.expires_at) if ban else None,
    }


def external_ids(players):
    """`{id of ours: the portal's}`."""
    return dict(Player.objects.filter(pk__in=players).values_list("pk", "external_id")) if players else {}


def slugs(games):
    """`{id of ours: slug}`, by the relation: this app does not import the one above it."""
    game = Comment._meta.get_field("game").related_model
    return dict(game.objects.filter(pk__in=games).values_list("pk", "slug")) if games else {}
