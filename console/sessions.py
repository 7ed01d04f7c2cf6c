"""Sessions in the database, as Django's engine `db` keeps them; read by a statement that is ready."""

from functools import cache

from django.contrib.sessions.backends import db
from django.utils import timezone

from console import prepared


@cache
def _read(model):
    return f"SELECT {prepared.columns_of(model, 's')} FROM django_session s WHERE session_key = %s AND expire_date > %s"


class SessionStore(db.SessionStore):
    def _get_session_from_db(self):
        """Every request begins with this."""
        found, _ = prepared.load(self.model, _read(self.model), [self.session_key, timezone.now()])
        if found is None:
            self._session_key = None
        return found
