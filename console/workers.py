"""Which workers there are: each Celery worker and beat says every few seconds that it lives, from a thread.

They write by a connection of their own: a worker forks, and a connection pool that was forked would be shared.
"""

import atexit
import json
import logging
import socket
import threading
from datetime import timedelta

from celery.signals import beat_init, worker_ready, worker_shutdown
from django.db import Error, connections
from django.utils import timezone

from console import jobs, live
from console.workermodel import MISSING_S, Worker

log = logging.getLogger("attendant.workers")
SEEN_EVERY_S = 10
FORGOTTEN = timedelta(days=1)  # rows of workers that ended, or were last heard of, so long ago go
_SEEN = """
    INSERT INTO console_worker (kind, name, queues, started_at, seen_at)
    VALUES (%s, %s, %s::jsonb, %s, clock_timestamp())
    ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, queues = excluded.queues, started_at = excluded.started_at,
        seen_at = excluded.seen_at, ended_at = NULL
"""
_MISSING = """
    SELECT name FROM console_worker
    WHERE ended_at IS NULL AND seen_at < clock_timestamp() - make_interval(secs => %s) ORDER BY name
"""


def seen():
    """Every Worker that is known, what was heard of last first."""
    return list(Worker.objects.order_by("-seen_at", "name"))


def missing_since():
    """Who has not ended and was last heard of before then is missing."""
    return timezone.now() - timedelta(seconds=MISSING_S)


def queues_without(workers=None):
    """Queues that jobs or beat need and no worker serves; `workers` are those seen, when they are at hand."""
    workers = seen() if workers is None else workers
    served = {queue for worker in workers if worker.state == "alive" for queue in worker.queues}
    return sorted(jobs.queues() - served)


def sweep():
    """Forgets workers of which nothing was heard for long. Returns how many."""
    return Worker.objects.filter(seen_at__lt=timezone.now() - FORGOTTEN).delete()[0]


class Pulse:
    """Keeps the row of the process that makes it, from a thread, until `end`."""

    def __init__(self, kind, name, queues=()):
        self.row = [kind, name[:100], sorted(queues)]
        self.started_at = timezone.now()
        self.over = threading.Event()
        self.missing = None

    def start(self):
        threading.Thread(target=self._keep, name="pulse", daemon=True).start()
        return self

    def end(self, **kwargs):
        """Says that it ends as it should."""
        if not self.over.is_set():
            self.over.set()
            self._write("UPDATE console_worker SET ended_at = clock_timestamp() WHERE name = %s", [self.row[1]])

    def beat(self):
        """Says that it lives; whoever is found to be missing, or back, changes pages that somebody looks at."""
        kind, name, queues = self.row
        self._write(_SEEN, [kind, name, json.dumps(queues), self.started_at])
        found = self._write(_MISSING, [MISSING_S])
        if found is not None and found != self.missing:
            self.missing = found
            live.bump()

    def _keep(self):
        self.beat()
        while not self.over.wait(SEEN_EVERY_S):
            self.beat()

    def _write(self, sql, params):
        """The rows it answers; None when the database does not answer, which is told and no more."""
        own = _own_connection()
        try:
            with own.cursor() as cursor:
                cursor.execute(sql, params)
                return cursor.fetchall() if cursor.description else []
        except Error as error:
            log.warning("%s could not say that it lives: %s", self.row[1], type(error).__name__)
            return None
        finally:
            own.close()


def _own_connection():
    own = connections["default"].copy()
    own.settings_dict["OPTIONS"] = {key: value for key, value in own.settings_dict["OPTIONS"].items() if key != "pool"}
    own.inc_thread_sharing()  # whoever ends the process may not be the thread that kept the row
    return own


def _worker_began(sender, **kwargs):
    queues = sender.app.amqp.queues.consume_from
    pulse = Pulse(Worker.WORKER, sender.hostname, queues).start()
    worker_shutdown.connect(pulse.end, weak=False)


def _beat_began(sender, **kwargs):
    atexit.register(Pulse(Worker.BEAT, f"beat@{socket.gethostname()}").start().end)


def ready():
    worker_ready.connect(_worker_began, weak=False, dispatch_uid="console.workers")
    beat_init.connect(_beat_began, weak=False, dispatch_uid="console.workers")
