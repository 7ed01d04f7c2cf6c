"""What the lists of this app can be narrowed by."""

from datetime import date, timedelta

import django_filters as filters
from django import forms
from django.apps import apps
from django.db.models import Q

from console.filters import DaysForm, ListFilter, choice, day, hour, in_hour, midnight, text
from console.keyset import Matches
from moderation.models import Comment, Player
from moderation.text import fold
from moderation.widgets import GamesWidget, PlayersWidget

ALL = "all"
YES, NO = "yes", "no"
MOST_NAMES = 20
ORDERS = ("oldest", "newest", "reported")


def search_comments(queryset, words):
    """Comments whose body holds the words (from three characters), or whose author's name does (starts, with two).

    The two searches are querysets of their own: an OR across tables could use the index of neither.
    """
    words = words.strip()
    if len(words) < 2:
        return [queryset.none()]
    by_author = queryset.filter(player__in=players_named(words))
    folded = fold(words)
    return [queryset.filter(text__folded__contains=folded), by_author] if len(folded) > 2 else [by_author]


def players_named(words):
    """Players with these characters in their name; with fewer than three, at its start."""
    return Player.objects.filter(**{f"username__{'icontains' if len(words) > 2 else 'istartswith'}": words})


class CommentFilterForm(DaysForm):
    """The filter's own checks; names that are typed become rows here."""

    def clean_games_text(self):
        return self._named("games_text", "game", games(), lambda name: Q(title__iexact=name) | Q(slug__iexact=name))

    def clean_players_text(self):
        return self._named("players_text", "player", Player.objects, lambda name: Q(username__iexact=name))

    def _named(self, field, noun, manager, condition):
        names = [name.strip() for name in self.cleaned_data[field].split(",") if name.strip()]
        if len(names) > MOST_NAMES:
            raise forms.ValidationError(f"At most {MOST_NAMES} names at once; these are {len(names)}.")
        found = []
        for name in names:
            rows = manager.filter(condition(name)).values_list("pk", flat=True)[:20]
            if not rows:
                raise forms.ValidationError(f"No {noun} is called “{name}”. Check the spelling, or remove it.")
            found += rows
        return found


def games():
    """All games, by the relation: this app does not import the one above it."""
    return Comment._meta.get_field("game").related_model.objects


def several(label, model, widget, **kwargs):
    return filters.ModelMultipleChoiceFilter(
        label=label,
        queryset=lambda request: apps.get_model(model).objects.all(),
        widget=widget,
        distinct=False,
        error_messages={"invalid_choice": "One of them is gone.", "invalid_pk_value": "“%(pk)s” is none."},
        **kwargs,
    )


class CommentFilter(ListFilter):
    """Without `status` the queue shows what is pending; `status=all` shows everything."""

    defaults = {"status": Comment.PENDING, "order": "oldest", "per": "25"}
    # what the panel sets, besides the tabs, the order and the search that are always at hand
    in_panel = ("game", "player", "games", "players", "games_text", "players_text", "reported", "from", "to", "hour")

    statuses = (*Comment.STATUSES, (ALL, "All"))

    q = text("Search", method="keep")
    status = choice("Status", statuses, method="by_status", empty_label=None)
    game = text("Game", method="by_game")
    player = text("Player", method="by_player")
    games = several("Several games", "games.Game", GamesWidget, field_name="game")
    players = several("Several players", "moderation.Player", PlayersWidget, field_name="player")
    games_text = text("Several games", method="by_games")
    players_text = text("Several players", method="by_players")
    reported = choice("Reported", [(YES, "Reported"), (NO, "Not reported")], method="by_reports")
    locals()["from"] = day("From", "from_day")  # the parameter is called what Python calls a keyword
    to = day("To", "to_day")
    hour = hour("Hour", "by_hour")
    order = choice("Order", [(o, f"{o.capitalize()} first") for o in ORDERS], method="keep", empty_label=None)
    per = choice("On a page", [(n, n) for n in ("25", "50", "100")], method="keep", empty_label=None)

    class Meta:
        model = Comment
        fields = []
        form = CommentFilterForm

    def __init__(self, data=None, *args, **kwargs):
        super().__init__(_spelled(data), *args, **kwargs)

    @property
    def shown_status(self):
        """The status shown; pending when none or an unknown one was asked for."""
        wanted = self.data.get("status") or Comment.PENDING
        return wanted if wanted in dict(self.statuses) else Comment.PENDING

    @property
    def matches(self):
        """What the other filters leave, or what a search finds in it."""
        words = self.is_valid() and self.form.cleaned_data.get("q")
        return Matches(search_comments(self.qs, words)) if words else super().matches

    def filter_queryset(self, queryset):
        if not self.form.cleaned_data.get("status"):
            queryset = queryset.filter(status=Comment.PENDING)
        return super().filter_queryset(queryset)

    def by_status(self, queryset, name, value):
        return queryset if value == ALL else queryset.filter(status=value)

    def by_game(self, queryset, name, value):
        """The game of exactly this address or title; else all with the words in their title."""
        exact = list(games().filter(Q(slug__iexact=value) | Q(title__iexact=value)).values_list("pk", flat=True))
        return queryset.filter(game__in=exact or games().filter(title__icontains=value))

    def by_player(self, queryset, name, value):
        """The players of exactly this name; else all whose name holds it."""
        exact = list(Player.objects.filter(username__iexact=value).values_list("pk", flat=True)[:MOST_NAMES])
        return queryset.filter(player__in=exact or players_named(value))

    def by_games(self, queryset, name, value):
        return queryset.filter(game__in=value)

    def by_players(self, queryset, name, value):
        return queryset.filter(player__in=value)

    def from_day(self, queryset, name, value):
        return queryset.filter(created_at__gte=midnight(value))

    def to_day(self, queryset, name, value):
        return queryset if value == date.max else queryset.filter(created_at__lt=midnight(value + timedelta(days=1)))

    def by_hour(self, queryset, name, value):
        return queryset.filter(in_hour("created_at", value))

    def by_reports(self, queryset, name, value):
        return queryset.filter(report_count__gt=0) if value == YES else queryset.filter(report_count=0)

    def keep(self, queryset, name, value):
        return queryset


def _spelled(data):
    """`reported=1` and `reported=true` mean yes: links and scripts write it as they like."""
    yes_no = {"1": YES, "true": YES, "on": YES, "0": NO, "false": NO}
    if data is not None and data.get("reported") in yes_no:
        data = data.copy()
        data["reported"] = yes_no[data["reported"]]
    return data
