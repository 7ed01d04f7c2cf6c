"""Choosing several games or players at once: django-select2, loaded only where it is asked for and guarded there."""

from django.core import signing
from django_select2.forms import ModelSelect2MultipleWidget

from console.text import spelled

LEAST = 2  # characters, before anything is looked up
SALT = "moderation.widgets"


class Asleep:
    """Rests, hidden and switched off, beside a plain text field until static/js/select2.js wakes it.

    Its lookups go to our own guarded view, never to the library's, which any signed-in account may ask; what names the
    field there is signed for one person (`let_ask`), and of no use to others.
    """

    max_results = 20
    asked_by = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{"data_view": self.asks, **kwargs})
        self.attrs |= {
            "hidden": True,
            "disabled": True,
            "data-minimum-input-length": LEAST,
            "data-allow-clear": "false",
        }

    def build_attrs(self, *args, **kwargs):
        attrs = super().build_attrs(*args, **kwargs)
        self.field_id = attrs["data-field_id"] = signing.dumps([self.uuid, self.asked_by], salt=SALT)
        return attrs

    def optgroups(self, name, value, attrs=None):
        """The chosen ones; what cannot be a key is the form's to complain about."""
        keys = [key for key in value if str(key).isascii() and str(key).isdigit() and len(str(key)) < 19]
        return super().optgroups(name, keys, attrs)

    def label_from_instance(self, obj):
        return spelled(obj)

    def filter_queryset(self, *args, **kwargs):
        return super().filter_queryset(*args, **kwargs).order_by(self.search_fields[0].partition("__")[0], "pk")


def let_ask(form, person):
    """Lets this person, and nobody else, look things up in the fields of this form."""
    for field in form.fields.values():
        if isinstance(field.widget, Asleep):
            field.widget.asked_by = person.pk


class Several(Asleep, ModelSelect2MultipleWidget):
    asks = "moderation:options"


class GamesWidget(Several):
    search_fields = ["title__icontains"]


class PlayersWidget(Several):
    search_fields = ["username__istartswith"]
