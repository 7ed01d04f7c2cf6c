"""The floor: the same rows by psycopg behind a bare WSGI function. No sign-in, no framework, no frills."""

import os
from html import escape
from urllib.parse import parse_qs

import psycopg
import redis

from bench.meter import Meter, count_sql

count_sql(psycopg.Cursor, "execute")
connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
hot = redis.Redis.from_url(os.environ["REDIS_URL"])

COLUMNS = """
    SELECT c.id, p.username, g.title, c.body, c.status, c.created_at, c.report_count, c.ip, c.version
    FROM moderation_comment c JOIN moderation_player p ON p.id = c.player_id LEFT JOIN games_game g ON g.id = c.game_id
"""
LAST = "ORDER BY c.created_at DESC, c.id DESC LIMIT 50"
LISTS = {
    "/queue": f"{COLUMNS} WHERE c.status = 'pending' ORDER BY c.created_at, c.id LIMIT 50",
    "/first": f"{COLUMNS} {LAST}",
    "/far": f"{COLUMNS} WHERE (c.created_at, c.id) < (%(at)s, %(id)s) {LAST}",
    "/game": f"{COLUMNS} WHERE c.game_id = %(id)s AND c.created_at >= %(first)s AND c.created_at < %(last)s {LAST}",
    "/search": f"{COLUMNS} JOIN moderation_commenttext t ON t.comment_id = c.id WHERE t.folded LIKE %(like)s {LAST}",
    "/name": f"{COLUMNS} WHERE p.id = ANY(ARRAY("
    f"SELECT id FROM moderation_player WHERE upper(username) LIKE upper(%(like)s))) {LAST}",
}
ONE = f"{COLUMNS} WHERE c.id = %(id)s"
APPROVE = """
    WITH seen AS (
        SELECT id FROM moderation_comment WHERE id = ANY(%(ids)s) AND status = 'pending' ORDER BY id FOR UPDATE
    ), done AS (
        UPDATE moderation_comment c SET status = 'approved', version = version + 1 FROM seen WHERE c.id = seen.id
        RETURNING c.id
    ), gesture AS (
        INSERT INTO console_gesture (id, verb, idempotency_key, fingerprint)
        VALUES (gen_random_uuid(), 'comment.approve', gen_random_uuid(), '') RETURNING id
    )
    INSERT INTO console_entry
        (verb, target_type, target_id, target_label, reason, note, batch_id, before, after, request_id, ip)
    SELECT 'comment.approve', 'moderation.comment', done.id, '', '', '', gesture.id, '{}', '{}', '', ''
    FROM done, gesture
"""


def page(rows):
    cells = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<!DOCTYPE html><title>Comments</title><table>{cells}</table>"


def bare(environ, start_response):
    path = environ["PATH_INFO"]
    given = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
    if path in LISTS:
        is_search = path in ("/search", "/name")  # whose plan depends on the words
        body = page(connection.cursor().execute(LISTS[path], given, prepare=not is_search).fetchall())
    elif path == "/item":
        body = page(connection.cursor().execute(ONE, given, prepare=True).fetchall())
    elif path == "/approve":
        sent = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
        ids = [int(number) for number in parse_qs(sent)["ids"]]
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(APPROVE, {"ids": ids}, prepare=True)
        body = ""
    else:
        body = str(hot.get("bench"))
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    return [body.encode()]


application = Meter(bare)
