"""What every list's filter is."""

import django_filters as filters
from django import forms

from console.base import with_params
from console.keyset import Matches


class ListFilter(filters.FilterSet):
    """Filters that nobody asked for are left out: making their fields costs more than the query.

    `whole=True` keeps them all, for a form that offers them.
    """

    def __init__(self, data=None, *args, whole=False, **kwargs):
        if not whole:
            self.base_filters = {name: each for name, each in self.base_filters.items() if name in (data or ())}
        super().__init__(data, *args, **kwargs)

    @property
    def matches(self):
        """The keyset.Matches of a valid filter; nothing for others."""
        return Matches([self.qs] if self.is_valid() else [self.queryset.none()])


def narrowed(filterset, query):
    """What the panel has set, for chips: label, value in words, and the query string without it."""
    data = filterset.form.cleaned_data if filterset.is_valid() else {}
    chips = []
    for name in filterset.in_panel:
        value = query.getlist(name)
        if not value or name not in data:
            continue
        field = filterset.form.fields[name]
        words = ", ".join(value)
        if isinstance(field, forms.ModelMultipleChoiceField):
            words = ", ".join(str(row) for row in data[name])
        elif isinstance(field, forms.ChoiceField):
            words = dict(field.choices)[data[name]]
        chips.append({"label": field.label, "words": words, "without": with_params(query, **{name: ""}).urlencode()})
    return chips
