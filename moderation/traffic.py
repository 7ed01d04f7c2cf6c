"""What of players, comments and reports is counted for the page of traffic, and where addresses are looked up."""

from console.traffic.measures import Listing, Lookup, Measure, register, register_lookup


def ready():
    everything = (("status", "all"),)
    register(
        Measure(
            name="registrations",
            label="Registrations",
            one="registration",
            many="registrations",
            table="moderation_player",
            at="joined_at",  # without an address: the last one of a player is not where they registered
            listing=Listing(
                "moderation:players",
                "moderation.view_player",
                first="joined_from",
                last="joined_to",
                hour="joined_hour",
            ),
            position=10,
        ),
        Measure(
            name="comments",
            label="Comments",
            one="comment",
            many="comments",
            table="moderation_comment",
            at="created_at",
            address="ip",
            tone="other-3",
            listing=Listing("moderation:comments", "moderation.view_comment", also=everything),
            position=20,
        ),
        Measure(
            name="reports",
            label="Reports",
            one="report",
            many="reports",
            table="moderation_report",
            at="created_at",
            tone="other-2",
            position=30,
        ),
    )
    register_lookup(Lookup("Players", "moderation:players", "moderation.view_player"))
    register_lookup(Lookup("Bans", "moderation:bans", "moderation.view_ban", also=everything))
