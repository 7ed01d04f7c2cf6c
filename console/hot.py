"""The cache that may vanish: Redis, asked only while it answers."""

import time

from django.core.cache import caches
from django_redis.cache import RedisCache
from redis.exceptions import RedisError

PAUSE_S = 5  # a Redis that hangs costs 0.3 s a question; nobody should pay that several times a page


def hot():
    return caches["hot"]


class HotCache(RedisCache):
    """Like Redis gone: nothing is found and nothing is kept. After a failure it is left in peace for PAUSE_S, by
    whatever asks it: badges, flags, lookups of select2.
    """

    asleep_until = 0.0  # of this process, by time.monotonic()

    def _ask(self, method, absent, *args, **kwargs):
        if time.monotonic() < HotCache.asleep_until:
            return absent
        try:
            return method(*args, **kwargs)
        except (RedisError, OSError):
            HotCache.asleep_until = time.monotonic() + PAUSE_S
            return absent

    def get(self, key, default=None, **kwargs):
        return self._ask(super().get, default, key, default, **kwargs)

    def get_many(self, *args, **kwargs):
        return self._ask(super().get_many, {}, *args, **kwargs)

    def set(self, *args, **kwargs):
        return self._ask(super().set, False, *args, **kwargs)

    def add(self, *args, **kwargs):
        return self._ask(super().add, False, *args, **kwargs)

    def delete(self, *args, **kwargs):
        return self._ask(super().delete, 0, *args, **kwargs)

    def delete_many(self, *args, **kwargs):
        return self._ask(super().delete_many, 0, *args, **kwargs)

    def ask(self, asking):
        """What `asking(client of Redis)` gives, or None; for what a cache cannot say. Keys: `make_key(name)`."""
        return self._ask(lambda: asking(self.client.get_client(write=True)), None)
