"""The same request twice is one effect and two equal answers: the header Idempotency-Key.

A key is the token's own and kept for a day. It is taken before the work begins and answered in the transaction of the
work's last part, so that there is no effect without its answer. Whoever dies over it leaves a lease that runs out:
then the work is begun anew, which is why rows must bear to be taken twice.
"""

import hashlib
import re

from django.db import connection
from django.http import HttpResponse

from console import prepared
from console.api.problems import Problem

HEADER = "Idempotency-Key"
HOURS, LEASE_S = 24, 90
BAD_KEY = f"{HEADER} takes 1 to 200 printable ASCII characters without spaces. Nothing was changed."
REUSED = f"This {HEADER} came before with another request. Nothing was changed; take a new key for a new request."
AT_WORK = "The same request is being worked on. Ask again in a moment for its answer."
_KEY = re.compile(r"[!-~]{1,200}")

_TAKE = f"""
    INSERT INTO console_idempotent AS kept (token_id, key, digest, lease_until)
    VALUES (%s, %s, %s, statement_timestamp() + interval '{LEASE_S} seconds')
    ON CONFLICT (token_id, key) DO UPDATE SET digest = excluded.digest, lease_until = excluded.lease_until,
        at = statement_timestamp(), status = NULL, body = ''
    WHERE kept.at < statement_timestamp() - interval '{HOURS} hours'
        OR (kept.status IS NULL AND kept.lease_until < statement_timestamp() AND kept.digest = excluded.digest)
    RETURNING id, lease_until
"""
_FOUND = "SELECT digest, status, body FROM console_idempotent WHERE token_id = %s AND key = %s"
_KEEP = "UPDATE console_idempotent SET status = %s, body = %s WHERE id = %s AND lease_until = %s AND status IS NULL"
_RELEASE = "DELETE FROM console_idempotent WHERE id = %s AND lease_until = %s AND status IS NULL"
_SWEEP = f"DELETE FROM console_idempotent WHERE at < statement_timestamp() - interval '{HOURS} hours'"


class Once:
    """A request with its key, to be worked on inside `with`; `response` when it was answered before.

    `keep` stores the answer, inside the transaction of the effect. What raises inside lets go of the key.
    """

    def __init__(self, response=None, lease=None):
        self.response, self.lease = response, lease

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind and self.lease:
            _execute(_RELEASE, self.lease)

    def keep(self, response):
        """Raises Problem 409 when somebody else has taken the work over meanwhile."""
        if self.lease and not _execute(_KEEP, [response.status_code, response.text, *self.lease]):
            raise at_work()


def begin(request, content):
    """A Once for this request of the API, whose body is, or is known by, the bytes `content`.

    Raises Problem: 400 for a bad key, 422 for one that came with another request, 409 while that is worked on.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return Once()
    if not _KEY.fullmatch(key):
        raise Problem(400, BAD_KEY)
    asked = hashlib.sha256(f"{request.method} {request.path} {request.content_type}\n".encode() + content).hexdigest()
    with prepared.cursor() as cursor:
        cursor.execute(_TAKE, [request.auth.pk, key, asked])
        if lease := cursor.fetchone():
            return Once(lease=lease)
        cursor.execute(_FOUND, [request.auth.pk, key])
        found = cursor.fetchone()
    return Once(_again(asked, *(found or (asked, None, ""))))


def _again(asked, digest, status, body):
    if digest != asked:
        raise Problem(422, REUSED)
    if status is None:
        raise at_work()
    return HttpResponse(body, status=status, content_type="application/json", headers={"Idempotency-Replayed": "true"})


def at_work():
    return Problem(409, AT_WORK, {"Retry-After": "2"})


def _execute(sql, params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.rowcount


def sweep():
    """Removes keys that are no longer kept."""
    with connection.cursor() as cursor:
        cursor.execute(_SWEEP)
