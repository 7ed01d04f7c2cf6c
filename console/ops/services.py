"""How PostgreSQL and Redis fare, in numbers that cost next to nothing."""

from django.conf import settings
from django.core.cache import caches
from django.db import connection

from console import jobs
from console.base import COUNTED

# sizes are those of the last VACUUM or ANALYZE: files are not looked at
_DATABASE = """
    SELECT current_setting('server_version'), current_setting('max_connections')::int,
        (SELECT sum(numbackends)::int FROM pg_stat_database),
        (SELECT min(xact_start) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()),
        (SELECT sum(relpages::bigint) * current_setting('block_size')::bigint FROM pg_class)::bigint,
        few.number, few.oldest
    FROM (
        SELECT count(*) AS number, min(due_at) AS oldest FROM (
            SELECT due_at FROM console_event
            WHERE withdrawn_at IS NULL AND dispatched_at IS NULL AND due_at <= clock_timestamp()
            ORDER BY due_at, entry_id LIMIT %s
        ) AS those
    ) AS few
"""
_NAMES = ("version", "most", "connections", "oldest", "size", "undispatched", "due_since")


def database():
    """What is known of it, by one statement: `version`, `connections` of `most`, the `oldest` transaction's start,
    about its `size`; and how many events are due and not given out (`undispatched`, since `due_since`).
    """
    with connection.cursor() as cursor:
        cursor.execute(_DATABASE, [COUNTED + 1])
        return dict(zip(_NAMES, cursor.fetchone(), strict=True))


def redis():
    """`{"version", "memory", "clients", "queues": {name: messages}}`, or None when it does not answer."""
    names = sorted(jobs.queues())
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("global_keyprefix", "")

    def ask(client):
        asked = client.pipeline(transaction=False)
        for name in names:
            asked.llen(f"{prefix}{name}")
        *depths, info = asked.info().execute()
        version = info.get("valkey_version") or info.get("redis_version", "")
        told = {"version": version, "memory": info["used_memory"], "clients": info["connected_clients"]}
        return told | {"queues": dict(zip(names, depths, strict=True))}

    return caches["hot"].ask(ask)
