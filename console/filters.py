"""What every list's filter is."""

import django_filters as filters

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
