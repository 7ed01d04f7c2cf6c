"""What the list of games can be narrowed by."""

from datetime import date, timedelta

from django.db.models import Q

from console.filters import DaysForm, ListFilter, choice, day, midnight, text
from games.models import Game
from moderation.filters import players_named
from moderation.models import Player

ACTIVE, ALL = "active", "all"
ORDERS = ("newest", "oldest", "title")


class GameFilter(ListFilter):
    """Without `status` the list shows everything but what is archived; `status=all` shows that, too."""

    defaults = {"status": ACTIVE, "order": "newest", "per": "25"}
    in_panel = ("tag", "author", "from", "to")
    statuses = ((ACTIVE, "Active"), *Game.STATUSES, (ALL, "All"))

    q = text("Search", method="by_words")
    status = choice("Status", statuses, method="by_status", empty_label=None)
    tag = text("Tag", method="by_tag")
    author = text("Author", method="by_author")
    locals()["from"] = day("From", "from_day")  # the parameter is called what Python calls a keyword
    to = day("To", "to_day")
    order = choice("Order", [(o, o.capitalize()) for o in ORDERS], method="keep", empty_label=None)
    per = choice("On a page", [(n, n) for n in ("25", "50", "100")], method="keep", empty_label=None)

    class Meta:
        model = Game
        fields = []
        form = DaysForm

    @property
    def shown_status(self):
        """The status shown; active when none or an unknown one was asked for."""
        wanted = self.data.get("status") or ACTIVE
        return wanted if wanted in dict(self.statuses) else ACTIVE

    def filter_queryset(self, queryset):
        if not self.form.cleaned_data.get("status"):
            queryset = queryset.exclude(status=Game.ARCHIVED)
        return super().filter_queryset(queryset)

    def by_status(self, queryset, name, value):
        if value == ACTIVE:
            return queryset.exclude(status=Game.ARCHIVED)
        return queryset if value == ALL else queryset.filter(status=value)

    def by_words(self, queryset, name, value):
        """Games with these characters in their title or address; with fewer than three, at the title's start."""
        if len(value) < 3:
            return queryset.filter(title__istartswith=value)
        return queryset.filter(Q(title__icontains=value) | Q(slug=value))

    def by_tag(self, queryset, name, value):
        return queryset.filter(pk__in=Game.objects.filter(tags__name__iexact=value).values("pk"))

    def by_author(self, queryset, name, value):
        """The player of exactly this name; else all whose name holds it."""
        exact = Player.objects.filter(username__iexact=value)
        return queryset.filter(author__in=exact if exact.exists() else players_named(value))

    def from_day(self, queryset, name, value):
        return queryset.filter(touched_at__gte=midnight(value))

    def to_day(self, queryset, name, value):
        return queryset if value == date.max else queryset.filter(touched_at__lt=midnight(value + timedelta(days=1)))

    def keep(self, queryset, name, value):
        return queryset
