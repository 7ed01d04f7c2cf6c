"""A small portal: a client that sends what its players write, and a server that is told what became of it. It speaks
HTTP over sockets, and checks signatures with the reference library of Standard Webhooks.
"""

import json
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import urllib3
from standardwebhooks import Webhook


class Portal:
    """Sends with a token; `address` is the console's."""

    def __init__(self, address, token):
        self.address, self.http = address, urllib3.PoolManager()
        self.headers = {"Authorization": f"Bearer {token}"}

    def post(self, path, rows, **headers):
        """`(status, answer)`. Text is sent as NDJSON, anything else as JSON."""
        lines = isinstance(rows, str)
        kind = "application/x-ndjson" if lines else "application/json"
        body = rows if lines else json.dumps(rows)
        return self._ask("POST", path, body=body.encode(), headers={"Content-Type": kind, **headers})

    def get(self, path, **fields):
        return self._ask("GET", path, fields=fields)

    def _ask(self, method, path, headers=None, **sent):
        headers = self.headers | (headers or {})
        answer = self.http.request(method, f"{self.address}/api/v1/{path}", headers=headers, **sent)
        return answer.status, answer.json()

    def decisions(self, after=""):
        """All there are since, and the cursor behind them."""
        found = []
        while True:
            status, page = self.get("decisions/", limit=500, **({"after": after} if after else {}))
            assert status == 200, page
            found += page["decisions"]
            after = page["next"] or after
            if not page["more"]:
                return found, after


class Receiver:
    """One endpoint of the portal. `answers` are the statuses of its first answers, then 200; `hangs` keeps everybody
    waiting without a word. What it was told is in `told`, `{id: body}`; `tries` counts how often each id came.
    """

    def __init__(self, path, answers=(), hangs=False):
        self.path, self.answers, self.hangs = path, list(answers), hangs
        self.secret, self.told, self.tries, self.forged = "", {}, Counter(), 0
        self.order, self.lock = [], threading.Lock()

    def take(self, headers, body):
        """The status to answer with."""
        try:
            news = Webhook(self.secret).verify(body, headers)
        except Exception:  # noqa: BLE001  whatever is wrong with it, it is nothing we believe
            self.forged += 1
            return 401
        pk = headers["webhook-id"]
        with self.lock:
            self.tries[pk] += 1
            if self.answers:
                return self.answers.pop(0)
            if pk not in self.told:  # told twice is told once
                self.told[pk] = news
                self.order.append(pk)
        return 200


@contextmanager
def listening(*receivers):
    """Serves these endpoints on loopback; gives the address of the server."""
    ending = threading.Event()
    by_path = {receiver.path: receiver for receiver in receivers}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            receiver, length = by_path[self.path], int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:  # who sent it was killed in the middle of it
                self.close_connection = True
                return
            if receiver.hangs:
                receiver.tries["hung"] += 1
                ending.wait(60)
                self.close_connection = True
                return
            self.send_response(receiver.take({key.lower(): value for key, value in self.headers.items()}, body))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        ending.set()
        server.shutdown()
        server.server_close()
        thread.join()


def comments(first, last):
    """Comments of a few hundred players in a few games, as a portal sends them."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for number in range(first, last):
        yield {
            "external_id": f"c-{number}",
            "player": f"p-{number % 300}",
            "author": f"Player {number % 300}",
            "body": f"Level {number % 40} is too hard, comment {number}",
            "game": f"game-{number % 5}",
            "ip": f"198.51.100.{number % 250}",
            "created_at": now,
        }
