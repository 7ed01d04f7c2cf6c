"""A flood of entries cannot push a throttle out of the cache."""

from django.core.cache import caches
from django.core.cache.backends.db import DatabaseCache
from django.db import connection

from console.keeping import KeepingCache

SMALL = {"OPTIONS": {"MAX_ENTRIES": 10}, "KEY_PREFIX": "test"}


def flooded(kind):
    """Whether a throttle is still there after many others."""
    cache = kind("console_cache", SMALL)
    cache.set("m-throttle", 6, 300)
    for number in range(40):
        cache.set(f"{'abyz'[number % 4]}-{number}", 1, 300)
    return cache.get("m-throttle") == 6


def test_a_flood_pushes_no_throttle_out(db):
    assert flooded(KeepingCache)
    assert not flooded(DatabaseCache), "which is why there is one of our own"


def test_what_has_expired_makes_room(db):
    cache = KeepingCache("console_cache", SMALL)
    for number in range(11):
        cache.set(f"old-{number}", 1, -1)
    cache.set("new", 1, 300)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM console_cache WHERE cache_key LIKE 'test:%'")
        assert cursor.fetchone() == (1,)
    assert cache.get("new") == 1


def test_throttles_are_kept_there():
    assert isinstance(caches["default"], KeepingCache)
