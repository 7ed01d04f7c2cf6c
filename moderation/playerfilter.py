"""What the list of players can be narrowed by."""

from datetime import date, timedelta

from django import forms
from django.db.models import Q

from console import masking
from console.filters import ListFilter, choice, day, hour, in_hour, midnight, text
from console.keyset import Matches
from moderation.filters import ALL, games
from moderation.finding import network_of, search_players
from moderation.models import Ban, Player

ACTIVE, BANNED, INACTIVE = "active", "banned", "inactive"
ORDERS = {
    "joined": "Newest first",
    "oldest": "Longest here first",
    "seen": "Seen last first",
    "unseen": "Unseen for longest first",
    "comments": "Most comments first",
    "strikes": "Most strikes first",
}


class PeriodsForm(forms.Form):
    """Two periods, each with its last day not before its first."""

    def clean(self):
        data = super().clean()
        for name in ("joined", "seen"):
            first, last = data.get(f"{name}_from"), data.get(f"{name}_to")
            if first and last and first > last:
                self.add_error(f"{name}_to", "The last day is before the first.")
        return data


class PlayerFilter(ListFilter):
    defaults = {"status": ALL, "order": "joined", "per": "25"}
    in_panel = ("struck", "game", "joined_from", "joined_to", "joined_hour", "seen_from", "seen_to")
    statuses = ((ALL, "All"), (ACTIVE, "Active"), (BANNED, "Banned"), (INACTIVE, "Inactive"))

    q = text("Search", method="keep")
    status = choice("Status", statuses, method="by_status", empty_label=None)
    struck = choice("Strikes", [("yes", "With strikes"), ("no", "Without strikes")], method="by_strikes")
    game = text("Last played", method="by_game")
    joined_from = day("Joined from", "from_day")
    joined_to = day("Joined to", "to_day")
    joined_hour = hour("Joined in the hour", "by_hour")
    seen_from = day("Last seen from", "from_day")
    seen_to = day("Last seen to", "to_day")
    order = choice("Order", list(ORDERS.items()), method="keep", empty_label=None)
    per = choice("On a page", [(n, n) for n in ("25", "50", "100")], method="keep", empty_label=None)

    class Meta:
        model = Player
        fields = []
        form = PeriodsForm

    @property
    def shown_status(self):
        """The status shown; all when none or an unknown one was asked for."""
        wanted = self.data.get("status") or ALL
        return wanted if wanted in dict(self.statuses) else ALL

    @property
    def matches(self):
        """What the other filters leave, or what a search finds in it."""
        words = self.is_valid() and self.form.cleaned_data.get("q")
        return Matches(search_players(self.qs, words, self.sees_whole)) if words else super().matches

    @property
    def widened(self):
        words = self.is_valid() and self.form.cleaned_data.get("q")
        return masking.said_of(network_of(words), self.sees_whole) if words else ""

    def by_status(self, queryset, name, value):
        if value == ALL:
            return queryset
        banned = Q(pk__in=Ban.objects.in_force().filter(player__isnull=False).values("player"))
        return queryset.filter(banned) if value == BANNED else queryset.filter(~banned, is_active=value == ACTIVE)

    def by_strikes(self, queryset, name, value):
        return queryset.filter(strikes__gt=0) if value == "yes" else queryset.filter(strikes=0)

    def by_game(self, queryset, name, value):
        """The game of exactly this address or title; else all with the words in their title."""
        exact = list(games().filter(Q(slug__iexact=value) | Q(title__iexact=value)).values_list("pk", flat=True))
        return queryset.filter(recent_game__in=exact or games().filter(title__icontains=value))

    def from_day(self, queryset, name, value):
        return queryset.filter(**{f"{field}__gte": midnight(value) for field in _fields(name)})

    def to_day(self, queryset, name, value):
        if value == date.max:
            return queryset
        return queryset.filter(**{f"{field}__lt": midnight(value + timedelta(days=1)) for field in _fields(name)})

    def by_hour(self, queryset, name, value):
        return queryset.filter(in_hour("joined_at", value))

    def keep(self, queryset, name, value):
        return queryset


def _fields(name):
    """What a day is compared with: of when players were seen, also the field that has an index."""
    return ("joined_at",) if name.startswith("joined") else ("last_seen_at", "seen_or_joined_at")
