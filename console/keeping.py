"""The cache that must not forget: throttles of sign-in live here."""

from django.core.cache.backends.db import DatabaseCache


class KeepingCache(DatabaseCache):
    """Django's, which makes room by throwing away a third of what it holds, whatever that is: whoever floods it would
    be let off the throttle that holds him up. Here only what has expired goes; nothing is kept without an end.
    """

    def _cull(self, db, cursor, now, num):
        super()._cull(db, cursor, now, min(num, self._max_entries))
