"""What the console itself counts: decisions and sign-ins; and how long addresses are kept."""

from django.conf import settings

from console import decisions, retention, sections
from console.traffic import measures
from console.traffic.counting import LOCK
from console.traffic.measures import Kind, Listing, Measure

# the counter waits: both change sums of the same addresses
_OLD = f"""
    WITH alone AS MATERIALIZED (SELECT pg_advisory_xact_lock({LOCK}))
    DELETE FROM console_addressrollup WHERE id IN (
        SELECT id FROM alone, console_addressrollup WHERE day < (%(before)s AT TIME ZONE 'UTC')::date
        ORDER BY day LIMIT %(most)s
    )
"""


def ready():
    sections.register(
        sections.Section("traffic", "Traffic", "console:traffic", "console.view_traffic", "chart-column", position=82)
    )
    retention.register(retention.Rule("addresses in traffic", lambda: settings.TRAFFIC_ADDRESS_DAYS, _OLD))
    measures.register(
        Measure(
            name="decisions",
            label="Decisions",
            one="decision",
            many="decisions",
            table="console_entry",
            at="at",
            split="verb || ' ' || target_type",
            kinds=decided,
            listing=Listing("console:ledger", "console.view_all_entries"),
            position=40,
        ),
        Measure(
            name="sign-ins",
            label="Sign-ins",
            one="sign-in of staff",
            many="sign-ins of staff",
            table="console_signin",
            at="at",
            address="ip",
            condition="outcome = 'in'",
            tone="ok",
            position=50,
        ),
        Measure(
            name="failed-sign-ins",
            label="Failed sign-ins",
            one="failed sign-in",
            many="failed sign-ins",
            table="console_signin",
            at="at",
            address="ip",
            condition="outcome <> 'in'",
            tone="danger",
            position=60,
        ),
    )


def decided(parts):
    """A Kind for each verb that was used, of entries on its own targets; undos are no decisions."""
    counted = {}
    for part, numbers in parts.items():
        name, _, target = part.partition(" ")
        if decisions.is_one(name, target):
            counted[name] = numbers
    return [Kind(verb.label, tone, counted[verb.name]) for verb, tone in decisions.toned(counted)]
