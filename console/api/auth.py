"""Who asks: a token in the Authorization header (RFC 6750), and nothing else."""

import hashlib
from contextlib import suppress
from functools import cache

from django.db import DatabaseError, transaction
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication

from console import limits, live, prepared
from console.api.problems import Problem
from console.models import Token

REALM = 'Bearer realm="Attendant"'
MISSING = "Send a token: Authorization: Bearer att_…"
INVALID = "This token is not known, has expired or was revoked. An operator makes a new one in the console."
IN_ADDRESS = "A token belongs into the Authorization header; addresses are written into logs."
TOO_MANY = "Too many requests in too little time. Nothing was changed; wait as long as Retry-After says."
NAMES = ("access_token", "token", "api_key")
MOST = 200  # characters; ours have 47

# Tokens are looked up by digest: how long that takes says nothing of the secret. Those in force are counted on the way
_FIND = f"""
    WITH token AS MATERIALIZED (
        SELECT {prepared.columns_of(Token, "console_token")},
            revoked_at IS NULL AND expires_at > statement_timestamp() AS stands,
            coalesce(last_used_at < statement_timestamp() - interval '1 minute', true) AS unnoted
        FROM console_token WHERE digest = %s
    ), counted AS ({limits.TAKING.format("WHERE EXISTS (SELECT FROM token WHERE stands)")})
    SELECT {prepared.columns_of(Token, "token")}, stands, unnoted, key, used, left_s{{columns}}
    FROM token {{beside}} LEFT JOIN counted ON true
"""
_USED = """
    UPDATE console_token SET last_used_at = statement_timestamp() WHERE id = (
        SELECT id FROM console_token WHERE id = %s
        AND coalesce(last_used_at < statement_timestamp() - interval '1 minute', true)
        FOR NO KEY UPDATE SKIP LOCKED
    )
"""


def digest(secret):
    """What is kept of a secret. It has 256 random bits: nothing slower is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Bearer(BaseAuthentication):
    """`request.auth` is the Token. Raises Problem 400 or 401, or 429 for whoever asks or tries too often."""

    def authenticate(self, request):
        asked = request._request  # DRF's looks each attribute up in itself first
        if any(name in asked.GET for name in NAMES):
            raise Problem(400, IN_ADDRESS, {"WWW-Authenticate": f'{REALM}, error="invalid_request"'})
        kind, _, secret = asked.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if kind.lower() != "bearer" or not secret.strip():
            raise Problem(401, MISSING, {"WWW-Authenticate": REALM})
        view = request.parser_context["view"]
        token, view.row = find(asked, secret.strip()[:MOST], view.limit, *view.beside())
        return None, token

    def authenticate_header(self, request):
        return REALM


@cache
def finding(beside=""):
    """The statement that finds and counts a token; with the row of another `beside` it, for whoever needs no more."""
    joined = {"columns": ", beside.*", "beside": f"LEFT JOIN ({beside}) AS beside ON stands"}
    return _FIND.format_map(joined if beside else dict.fromkeys(joined, ""))


def find(request, secret, limit, beside="", asked=()):
    """`(the Token that is in force with this secret, the row of the statement beside)`; counts the request by `limit`.
    Raises Problem 401 or 429.
    """
    known = digest(secret)
    seconds, counted = limits.asked(limit, request, known)
    counted = dict([*counted.items()][:1])  # a portal has one address: what is counted is the token
    token, rest = prepared.load(Token, finding(beside), [known, seconds, list(counted), *asked])
    stands, unnoted, *more = rest or (False, False)
    taken, row = more[:3], more[3:]
    if not stands:
        if seconds := limits.wait("api-guess", request, person=""):
            raise too_many(seconds)
        raise Problem(401, INVALID, {"WWW-Authenticate": f'{REALM}, error="invalid_token"'})
    request.caller = f" token {token.pk}"  # for the log
    if counted and (seconds := limits.judged(limit, counted, [taken])):
        raise too_many(seconds)
    if unnoted:
        _note(token)
    return token, row


def _note(token):
    """That it was used; a request does not fail for that."""
    with suppress(DatabaseError), prepared.cursor() as cursor:
        cursor.execute(_USED, [token.pk])


def note_first(token, taken):
    """That something it sent was taken for the first time: whoever connects a portal waits for that."""
    if taken and token.first_taken_at is None:
        token.first_taken_at = timezone.now()
        Token.objects.filter(pk=token.pk, first_taken_at=None).update(first_taken_at=token.first_taken_at)
        transaction.on_commit(live.bump, robust=True)


def too_many(seconds):
    return Problem(429, TOO_MANY, {"Retry-After": str(seconds)})
