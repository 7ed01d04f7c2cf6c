"""What every list's filter is."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

import django_filters as filters
from django import forms
from django.http import QueryDict

from console.base import with_params
from console.keyset import Matches


class DaysForm(forms.Form):
    """The check of a filter with fields `from` and `to`."""

    def clean(self):
        data = super().clean()
        if data.get("from") and data.get("to") and data["from"] > data["to"]:
            self.add_error("to", "The last day is before the first.")
        return data


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


def choice(label, choices, **kwargs):
    not_offered = {"invalid_choice": "“%(value)s” is not on offer."}
    return filters.ChoiceFilter(label=label, choices=choices, error_messages=not_offered, **kwargs)


def text(label, **kwargs):
    return filters.CharFilter(label=label, max_length=200, strip=True, **kwargs)


def day(label, method):
    return filters.DateFilter(
        label=label,
        method=method,
        help_text="In UTC, both days included.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Write a day as 2026-01-31."},
    )


def midnight(day):
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


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


def query_of(url):
    """The query string of a list's address, as a QueryDict."""
    return QueryDict(urlsplit(url).query)
