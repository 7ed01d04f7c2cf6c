"""The floor of a ban check: the same statement, prepared and pooled, behind a bare WSGI function."""

import hashlib
import json
import os
from urllib.parse import parse_qs

from psycopg_pool import ConnectionPool

from project.wsgi import application as _  # noqa: F401  (sets Django up, whose statement this is)

from console.api.auth import finding  # isort: skip
from console.models import Token  # isort: skip
from moderation.doors import ASK  # isort: skip

BAN = len(Token._meta.concrete_fields) + 5  # where its columns begin
pool = ConnectionPool(os.environ["DATABASE_URL"], min_size=1, max_size=6, kwargs={"autocommit": True}, open=True)


def application(environ, start_response):
    given = parse_qs(environ["QUERY_STRING"])
    secret = environ["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    with pool.connection() as connection, connection.cursor() as cursor:
        known = hashlib.sha256(secret.encode()).hexdigest()
        asked = [known, 60, [f"floor {known}"], given["player"][0], given["ip"][0]]
        number, _, network, *_ = cursor.execute(finding(ASK), asked, prepare=True).fetchone()[BAN:]
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"banned": number is not None, "ban": str(network)}).encode()]
