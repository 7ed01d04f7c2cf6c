"""Statements that every page needs, planned once per connection instead of every time.

Only for those whose plan does not depend on what they are given: a search planned without its words costs seconds.
"""

from contextlib import contextmanager

import psycopg
from django.db import connection


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
    connection.ensure_connection()
    plain = PreparedCursor(connection.connection)
    with (connection.make_debug_cursor if connection.queries_logged else connection.make_cursor)(plain) as wrapped:
        yield wrapped


def is_prepared(context):
    """Whether a wrapper (connection.execute_wrapper) has such a statement before it, which must stay as it is."""
    return isinstance(context["cursor"].cursor, PreparedCursor)


def load(model, sql, params):
    """`(instance, the other columns)` of the first row, whose first columns are columns_of(model); or (None, ())."""
    names = [field.attname for field in model._meta.concrete_fields]
    with cursor() as asking:
        asking.execute(sql, params)
        row = asking.fetchone()
    return (model.from_db("default", names, row[: len(names)]), row[len(names) :]) if row else (None, ())


def columns_of(model, alias):
    return ", ".join(f"{alias}.{field.column}" for field in model._meta.concrete_fields)
