"""Statements that every page needs, planned once per connection instead of every time.

Only for those whose plan does not depend on what they are given: a search planned without its words costs seconds.
"""

from contextlib import contextmanager
from functools import cache

import psycopg
from django.db import connections


class PreparedCursor(psycopg.Cursor):
    def execute(self, query, params=None, **kwargs):
        # otherwise psycopg prepares nothing, and need not remember the text of whatever is asked
        self.connection.prepare_threshold = 0
        try:
            return self._prepared(query, params, **kwargs)
        finally:
            self.connection.prepare_threshold = None

    def _prepared(self, query, params, **kwargs):
        try:
            return super().execute(query, params, prepare=True, **kwargs)
        except psycopg.errors.FeatureNotSupported:  # a migration gave a column another type meanwhile
            if self.connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                raise  # the rollback that follows makes it forget as well
            super().execute("DEALLOCATE ALL", prepare=False)
            return super().execute(query, params, prepare=True, **kwargs)


@contextmanager
def cursor():
    """A cursor of the default database, logged and wrapped as any. The statement must name its columns: `*` would end
    with an error after a migration that adds one.
    """
    connection = connections["default"]
    connection.ensure_connection()
    plain = PreparedCursor(connection.connection)
    with (connection.make_debug_cursor if connection.queries_logged else connection.make_cursor)(plain) as wrapped:
        yield wrapped


def is_prepared(context):
    """Whether a wrapper (connection.execute_wrapper) has such a statement before it, which must stay as it is."""
    return isinstance(context["cursor"].cursor, PreparedCursor)


def load(model, sql, params):
    """`(instance, the other columns)` of the first row, whose first columns are columns_of(model); or (None, ())."""
    with cursor() as asking:
        asking.execute(sql, params)
        row = asking.fetchone()
    return (made(model, row), row[len(_columns(model)[0]) :]) if row else (None, ())


def made(model, row):
    """The instance of a row whose first columns are columns_of(model); None for one that an outer join left empty."""
    names, readers = _columns(model)
    if row[0] is None:
        return None
    values = list(row[: len(names)])
    for place, read in readers:
        values[place] = read(values[place], None, connections["default"])
    return model.from_db("default", names, values)


@cache
def _columns(model):
    """`(names, [(place, what reads the value)])` as querysets have it: most fields take what the database sends."""
    fields = model._meta.concrete_fields
    readers = [(place, field.from_db_value) for place, field in enumerate(fields) if hasattr(field, "from_db_value")]
    return [field.attname for field in fields], readers


def columns_of(model, alias):
    return ", ".join(f"{alias}.{field.column}" for field in model._meta.concrete_fields)
