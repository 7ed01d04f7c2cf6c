"""Keyset paging: a page starts after a row, not after a number of rows, so it costs the same at any depth."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Q


class BadCursor(ValueError):
    """The cursor was not made by `cursor` of this order."""


@dataclass(frozen=True)
class Order:
    """An order a list offers: all fields ascending, or all descending, the last one unique.

    `phrase` says it in a sentence ("oldest first"), `label` on its link.
    """

    name: str
    label: str
    phrase: str
    fields: tuple[str, ...]
    descending: bool = False

    def apply(self, queryset):
        return queryset.order_by(*(f"-{name}" if self.descending else name for name in self.fields))

    def after(self, queryset, cursor):
        """Rows behind the cursor. Raises BadCursor."""
        parts = cursor.split("~")
        if len(parts) != len(self.fields):
            raise BadCursor(cursor)
        try:
            fields = [queryset.model._meta.get_field(name) for name in self.fields]
            values = [_in_utc(field.to_python(part)) for field, part in zip(fields, parts, strict=True)]
        except Exception as error:
            raise BadCursor(cursor) from error
        step = "lt" if self.descending else "gt"
        condition, equal = Q(), Q()
        for name, value in zip(self.fields, values, strict=True):
            condition |= equal & Q(**{f"{name}__{step}": value})
            equal &= Q(**{name: value})
        # the first field alone is what an index can start from
        return queryset.filter(Q(**{f"{self.fields[0]}__{step}e": values[0]}), condition)

    def cursor(self, row):
        values = (getattr(row, name) for name in self.fields)
        return "~".join(value.isoformat() if hasattr(value, "isoformat") else str(value) for value in values)


def _in_utc(value):
    """Moments at the edge of the calendar overflow here, not in the database driver."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def page(queryset, order, cursor, size):
    """`(rows, cursor of the next page or "")`. Raises BadCursor."""
    queryset = order.apply(queryset)
    if cursor:
        queryset = order.after(queryset, cursor)
    rows = list(queryset[: size + 1])
    return rows[:size], order.cursor(rows[size - 1]) if len(rows) > size else ""
