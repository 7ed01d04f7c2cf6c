"""Choosing several games or players at once: django-select2, loaded only where it is asked for and guarded there."""

from django_select2.forms import ModelSelect2MultipleWidget


class Asleep:
    """Rests, hidden and switched off, beside a plain text field until static/js/select2.js wakes it.

    Its lookups go to our own guarded view, never to the library's, which any signed-in account may ask.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{"data_view": self.asks, **kwargs})
        self.attrs |= {"hidden": True, "disabled": True, "data-minimum-input-length": 2, "data-allow-clear": "false"}

    def optgroups(self, name, value, attrs=None):
        """The chosen ones; what cannot be a key is the form's to complain about."""
        keys = [key for key in value if str(key).isascii() and str(key).isdigit() and len(str(key)) < 19]
        return super().optgroups(name, keys, attrs)

    def filter_queryset(self, *args, **kwargs):
        return super().filter_queryset(*args, **kwargs).order_by(self.search_fields[0].partition("__")[0], "pk")


class Several(Asleep, ModelSelect2MultipleWidget):
    asks = "moderation:options"


class GamesWidget(Several):
    search_fields = ["title__icontains"]


class PlayersWidget(Several):
    search_fields = ["username__istartswith"]
