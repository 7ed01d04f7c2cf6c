"""What the list of bans can be narrowed by."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from console import masking
from console.filters import ListFilter, choice, text
from moderation.filters import players_named
from moderation.models import Ban
from moderation.networks import read

ALL, ENDING = "all", "ending"
SOON = timedelta(hours=24)
PLAYER, NETWORK, EXCEPTION = "player", "network", "exception"
KINDS = {PLAYER: Q(player__isnull=False), NETWORK: Q(network__isnull=False), EXCEPTION: Q(allow=True)}


def ending(bans):
    """Those in force that end by themselves within a day."""
    now = timezone.now()  # said again, so that the index begins there
    return bans.in_force().filter(expires_at__gt=now, expires_at__lte=now + SOON)


def expired(bans):
    return bans.filter(lifted_at=None, expires_at__lte=timezone.now())


BY_STATUS = {
    Ban.ACTIVE: lambda bans: bans.in_force(),
    Ban.WAITING: lambda bans: bans.waiting(),
    ENDING: ending,
    Ban.LIFTED: lambda bans: bans.exclude(lifted_at=None),
    Ban.EXPIRED: expired,
    ALL: lambda bans: bans,
}


class BanFilter(ListFilter):
    """Without `status` the list shows what is in force."""

    defaults = {"status": Ban.ACTIVE, "order": "newest", "per": "25"}
    in_panel = ("kind", "reason")
    statuses = [(value, value.capitalize()) for value in BY_STATUS]

    q = text("Search", method="by_words")
    status = choice("Status", statuses, method="by_status", empty_label=None)
    kind = choice("Of", [(PLAYER, "Players"), (NETWORK, "Networks"), (EXCEPTION, "Exceptions")], method="by_kind")
    reason = text("Reason", method="by_reason")
    order = choice(
        "Order", [(o, o.capitalize()) for o in ("newest", "oldest", "ending")], method="by_order", empty_label=None
    )
    per = choice("On a page", [(n, n) for n in ("25", "50", "100")], method="keep", empty_label=None)

    class Meta:
        model = Ban
        fields = []

    @property
    def shown_status(self):
        wanted = self.data.get("status") or Ban.ACTIVE
        return wanted if wanted in BY_STATUS else Ban.ACTIVE

    def filter_queryset(self, queryset):
        if not self.form.cleaned_data.get("status"):
            queryset = BY_STATUS[Ban.ACTIVE](queryset)
        return super().filter_queryset(queryset)

    def by_status(self, queryset, name, value):
        return BY_STATUS[value](queryset)

    def by_words(self, queryset, name, value):
        """An address or network: what covers it and what lies in it. Anything else: players of that name."""
        try:
            return queryset.filter(network__meets=masking.widened(read(value), self.sees_whole))
        except ValueError:
            return queryset.filter(player__in=players_named(value))

    @property
    def widened(self):
        try:
            return masking.said_of(read(self.form.cleaned_data.get("q", "")), self.sees_whole)
        except ValueError:
            return ""

    def by_kind(self, queryset, name, value):
        return queryset.filter(KINDS[value])

    def by_reason(self, queryset, name, value):
        return queryset.filter(reason=value)

    def by_order(self, queryset, name, value):
        """In the order in which they end there are only those that do."""
        if value != ENDING:
            return queryset
        if self.shown_status in (Ban.ACTIVE, Ban.WAITING):  # said again, so that the index begins there
            return queryset.filter(expires_at__gt=timezone.now())
        return queryset.exclude(expires_at=None)

    def keep(self, queryset, name, value):
        return queryset
