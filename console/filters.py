"""What every list's filter is, and the panel that shows all of one."""

from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

import django_filters as filters
from django import forms
from django.db.models import Q
from django.http import QueryDict
from django.utils.functional import cached_property

from console import masking
from console.base import ConsoleView, clean_query, in_dialog, with_params
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

    `whole=True` keeps them all, for a form that offers them. `by` is who looks, by default the person of the request:
    a search tells nobody what is masked for them (console.masking); `widened` says how it was kept from that.
    """

    widened = ""

    def __init__(self, data=None, *args, whole=False, by=None, **kwargs):
        self.by = by or getattr(kwargs.get("request"), "user", None)
        if not whole:
            self.base_filters = {name: each for name, each in self.base_filters.items() if name in (data or ())}
        super().__init__(data, *args, **kwargs)

    @cached_property
    def sees_whole(self):
        return masking.sees_whole(self.by)

    @property
    def matches(self):
        """The keyset.Matches of a valid filter; nothing for others."""
        return Matches([self.qs] if self.is_valid() else [self.queryset.none()])


class FilterPanel(ConsoleView):
    """Every filter that a list has, as a page, or as the body of the dialog."""

    filterset_class = None

    def get_context_data(self, **kwargs):
        filterset = self.filterset_class(self.request.GET, request=self.request, whole=True)
        self.fit(filterset.form)
        filterset.form.is_valid()
        query = clean_query(self.request.GET, self.filterset_class.defaults)
        return super().get_context_data(filter=filterset, query=query, in_dialog=in_dialog(self.request), **kwargs)

    def fit(self, form):
        """For subclasses: fits the form to who looks, before it is drawn."""


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


def hour(label, method):
    """One hour: of the moment that is given, whatever its minutes say."""
    return filters.DateTimeFilter(
        label=label,
        method=method,
        help_text="In UTC: that hour alone.",
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "3600"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"invalid": "Write an hour as 2026-01-31T14:00."},
    )


def in_hour(field, moment):
    """The condition that a field is in the hour of this moment."""
    begins = moment.replace(minute=0, second=0, microsecond=0)
    if begins.date() == date.max:
        return Q(**{f"{field}__gte": begins})
    return Q(**{f"{field}__gte": begins, f"{field}__lt": begins + timedelta(hours=1)})


def midnight(day):
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def narrowed(filterset, query, names=None):
    """What the panel has set (or what has these names), for chips: label, value in words, and the query string without
    it.
    """
    data = filterset.form.cleaned_data if filterset.is_valid() else {}
    chips = []
    for name in names or filterset.in_panel:
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


def status_tabs(statuses, query):
    """What a list offers above its rows: `(value, label, query string)` for each of its states."""
    return [(value, label, with_params(query, status=value).urlencode()) for value, label in statuses]


def query_of(url):
    """The query string of a list's address, as a QueryDict."""
    return QueryDict(urlsplit(url).query)
