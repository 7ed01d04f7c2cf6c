"""Keyset paging: a page starts after a row, not after a number of rows, so it costs the same at any depth."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import unquote

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, F, Func, Max, QuerySet, Value
from django.db.models.lookups import GreaterThan, LessThan


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
        parts = [unquote(part) for part in cursor.split("~")]
        if len(parts) != len(self.fields) or any("\0" in part for part in parts):
            raise BadCursor(cursor)
        try:
            fields = [_typed(queryset.model._meta.get_field(name)) for name in self.fields]
            values = [_in_utc(field.to_python(part)) for field, part in zip(fields, parts, strict=True)]
        except Exception as error:
            raise BadCursor(cursor) from error
        given = [Value(value, field) for value, field in zip(values, fields, strict=True)]
        # compared as rows, an index starts at the cursor also in the midst of many with the same first value
        step = LessThan if self.descending else GreaterThan
        return queryset.filter(step(_row(map(F, self.fields)), _row(given)))

    def cursor(self, row):
        return self.cursor_of(getattr(row, name) for name in self.fields)

    def cursor_of(self, values):
        return "~".join(value.isoformat() if hasattr(value, "isoformat") else _escaped(str(value)) for value in values)


def _typed(field):
    """The field itself, or what a generated one holds."""
    return field.output_field if field.generated else field


def _row(expressions):
    return Func(*expressions, function="ROW", output_field=BooleanField())


def _escaped(text):
    return text.replace("%", "%25").replace("~", "%7E")


def _in_utc(value):
    """Moments at the edge of the calendar overflow here, not in the database driver."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value


class Survey(NamedTuple):
    """A page: the highest key of the table, how many rows match, the keys shown, the cursor of the next page.

    The first was read before the others: what comes in between is told of twice, never not at all.
    """

    newest: int
    total: int
    keys: list
    after: str


@dataclass
class Matches:
    """What a filter finds: the rows of any of these querysets of one model.

    More than one when they are found in ways that no index serves together: each is asked for no more than is shown,
    so that each can be planned for itself.
    """

    parts: list[QuerySet]

    def page(self, order, cursor, size):
        """`(primary keys, cursor of the next page or "")`. Raises BadCursor."""
        parts = [order.after(part, cursor) for part in self.parts] if cursor else self.parts
        wanted = [order.apply(part).values_list("pk", *order.fields)[: size + 1] for part in parts]
        rows = wanted[0] if len(wanted) == 1 else order.apply(wanted[0].union(*wanted[1:]))[: size + 1]
        return _cut(list(rows), order, size)

    def survey(self, order, size, most):
        """The first page, as a Survey; counts no further than `most` + 1.

        What is searched in several ways is found once, counted and sorted by the same statement, while it is little.
        """
        if len(self.parts) == 1:
            newest, total = self.newest_and_count(most)
            return Survey(newest, total, *self.page(order, "", size))
        some = [part.order_by().values_list("pk", *order.fields)[: most + 1] for part in self.parts]
        try:
            sql, params = some[0].union(*some[1:]).query.sql_with_params()
        except EmptyResultSet:
            return Survey(self.newest(), 0, [], "")
        names = [f"value_{place}" for place in range(len(order.fields))]
        by = ", ".join(f"{name} DESC" if order.descending else name for name in names)
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH few (key, {', '.join(names)}) AS MATERIALIZED ({sql}) "
                f"SELECT newest.key, (SELECT count(*) FROM few), few.* FROM ({self._newest()}) AS newest (key) "
                f"LEFT JOIN few ON true ORDER BY {by} LIMIT {size + 1:d}",
                params,
            )
            rows = cursor.fetchall()
        newest, total = rows[0][0] or 0, rows[0][1]
        if total > most:  # then these were any, not the first
            return Survey(newest, most + 1, *self.page(order, "", size))
        return Survey(newest, total, *_cut([row[2:] for row in rows if row[2] is not None], order, size))

    def newest(self):
        """The highest primary key there is, found or not: what has a higher one later is new."""
        return self.parts[0].model._base_manager.aggregate(newest=Max("pk"))["newest"] or 0

    def count(self, most):
        """How many there are; stops counting behind `most`."""
        return self._few(most + 1).count()

    def newest_and_count(self, most):
        """Both by one statement."""
        try:
            sql, params = self._few(most + 1).query.sql_with_params()
        except EmptyResultSet:
            return self.newest(), 0
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT ({self._newest()}), (SELECT count(*) FROM ({sql}) AS few)", params)
            newest, number = cursor.fetchone()
        return newest or 0, number

    def _newest(self):
        meta = self.parts[0].model._meta
        return "SELECT max({}) FROM {}".format(*map(connection.ops.quote_name, (meta.pk.column, meta.db_table)))

    def exists(self):
        return any(part.exists() for part in self.parts)

    def _few(self, number):
        few = [part.order_by().values("pk")[:number] for part in self.parts]
        return few[0] if len(few) == 1 else few[0].union(*few[1:])[:number]


def _cut(rows, order, size):
    keys = [row[0] for row in rows[:size]]
    return keys, order.cursor_of(rows[size - 1][1:]) if len(rows) > size else ""
