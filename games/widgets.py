"""Choosing one game: django-select2, asleep beside a text field until static/js/select2.js wakes it."""

from django_select2.forms import ModelSelect2Widget

from moderation.widgets import Asleep


class GameWidget(Asleep, ModelSelect2Widget):
    asks = "games:options"
    search_fields = ["title__icontains"]
    empty_label = "A new game"
