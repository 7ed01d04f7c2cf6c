"""The second person: what reaches far is not for the one who asked for it to decide, by whichever way.

Asking for a wide ban makes it wait (`held`). Everything else that lets a ban bite more than it did (approving it,
lengthening it, taking away an exception from it, undoing what weakened it) is refused to whoever asked for the ban.
"""

from datetime import datetime

from django.db import connection

from console.models import Entry
from moderation import reach
from moderation.models import Ban


def one_at_a_time():
    """Until this transaction ends nobody else lays a ban of a network, or ends an exception: each is judged by what
    the other left. Otherwise an exception could go while the ban around it comes, and neither would look wide.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('moderation.ban of a network'))")


def takes_two(ban):
    """Why one person alone may not put this ban in force, in words; "" if one may."""
    if ban.network is None or ban.allow:
        return ""
    return reach.of_network(ban.network, ban.expires_at).takes_two


def against_more(ban, by, until):
    """Why this person may not let the ban bite until then (None: for good), in words; "" if they may."""
    if by is None or ban.network is None or ban.allow or ban.asked_by_id != by.pk:
        return ""
    one_at_a_time()
    why = reach.of_network(ban.network, until).takes_two
    return f"you asked for it, and {why}: that takes another senior" if why else ""


def against_less(exception, by):
    """Why this person may not end the exception (a Ban that allows), in words; "" if they may.

    What it kept open would be banned by the wider bans around it.
    """
    if by is None or not exception.allow:
        return ""
    one_at_a_time()
    # those that begin later, too: nobody is asked again when they do
    around = Ban.objects.open().filter(held=False, allow=False, asked_by=by, network__covers=exception.network)
    for wider in around.order_by("pk"):
        but = [network for network in reach.spared(wider.network) if network != exception.network]
        why = reach.of_network(exception.network, but=but).takes_two
        if why:
            return f"you asked for {wider}, and without the exception {why}: that takes another senior"
    return ""


def against_undo(ban, values, by):
    """Why an undo by this person may not give the ban these values (as encoded), in words; "" if it may."""
    lifted = values.get("lifted_at", ban.lifted_at)
    held = values.get("held", ban.held)
    until = datetime.fromisoformat(values["expires_at"]) if values.get("expires_at") else values.get("expires_at")
    until = until if "expires_at" in values else ban.expires_at
    if ban.allow:
        ends = lifted is not None or _sooner(until, ban.expires_at)
        return against_less(ban, by) if ends else ""
    if held and not lifted and _withdrew(ban) and by is not None and by.pk != ban.asked_by_id:
        return "whoever asked for it took it back, and it takes two who want it: ask for it anew"
    return "" if lifted or held else against_more(ban, by, until)


def _withdrew(ban):
    """Whether the ban, while it waited, was lifted by the one who asked for it."""
    ends = Entry.objects.filter(target_type=ban._meta.label_lower, target_id=ban.pk, after__has_key="lifted_at")
    latest = ends.order_by("-pk").first()
    return ban.lifted_at is not None and latest is not None and latest.actor_id == ban.asked_by_id


def _sooner(one, other):
    return one is not None and (other is None or one < other)
