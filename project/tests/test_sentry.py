"""Errors are told to Sentry, which learns nothing of who did what. A real server takes down what is sent."""

import gzip
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import brotli
import pytest

from project.tests.test_settings import PRODUCTION, ROOT

UNPACK = {"gzip": gzip.decompress, "br": brotli.decompress, None: bytes}
TYPED = {
    "in a query": "ada.lovelace@mail.example",
    "in a form": "wrong horse wrong battery",
    "in a cookie": "c00kie-of-ada",
    "in a header": "agent-of-ada",
    "an address": "192.0.2.77",
    "in a variable": "she-wrote-to-my-sister",
    "in an error": "ada_byron_1815",
    "in a line": "meet me behind the arcade",
    "a task's argument": "argument-of-ada",
}
ASK = """
import json, logging, os, sys
import django

django.setup()
from django.test import Client
from console import accountforms, logs
from project.celery import app

typed = json.loads(os.environ["TYPED"])


def stumble(self, *args, **kwargs):
    variable = typed["in a variable"]
    raise ValueError(typed["in an error"] + variable[:0])


@app.task
def stumbling(argument):
    raise LookupError(typed["in an error"])


accountforms.SignInForm.__init__ = stumble
client = Client(raise_request_exception=False, headers={"host": "console.example.org"})
client.cookies["sessionid"] = typed["in a cookie"]
response = client.post(
    "/accounts/login/?next=" + typed["in a query"], {"password": typed["in a form"]}, secure=True,
    headers={"User-Agent": typed["in a header"], "X-Request-ID": "12345678"}, REMOTE_ADDR=typed["an address"],
)
assert response.status_code == 500, response.status_code
stumbling.apply([typed["a task's argument"]], task_id="4567890123")
with logs.of_request("r-17", view="a:page"):
    logging.getLogger("attendant.x").error("%s said something", typed["in a line"])
if "sentry_sdk" in sys.modules:
    sys.modules["sentry_sdk"].flush(10)
print("loaded" if "sentry_sdk" in sys.modules else "not loaded", response["X-Request-ID"])
"""


class Recorder(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.sent.append(UNPACK[self.headers["Content-Encoding"]](body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Recorder) as found:
        found.sent = []
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield found
        found.shutdown()


def stumble(**more):
    """What a console of production says that makes three mistakes."""
    own = {name: os.environ[name] for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")}
    environ = {**os.environ, **PRODUCTION, **own, "DEMO": "0", "DEBUG": "0", "TYPED": json.dumps(TYPED), **more}
    environ |= {"TRUSTED_PROXIES": TYPED["an address"]}
    environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
    done = subprocess.run([sys.executable, "-c", ASK], cwd=ROOT, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_errors_are_told_and_nobody_is(server, django_db_setup):
    dsn = f"http://key@127.0.0.1:{server.server_port}/1"
    assert stumble(SENTRY_DSN=dsn, SENTRY_ENVIRONMENT="trial") == ["loaded", "12345678"]
    sent = b"\n".join(server.sent).decode()
    events = [json.loads(line) for line in sent.split("\n") if line.startswith("{") and '"tags"' in line]
    told = [
        (each.get("exception", {"values": [{"type": None}]})["values"][-1]["type"], each["tags"]) for each in events
    ]
    assert told == [
        ("ValueError", {"request_id": "12345678", "view": "account_login"}),
        ("LookupError", {"request_id": "task-45678901", "view": "attendant.stumbling"}),
        (None, {"request_id": "r-17", "view": "a:page"}),
    ]
    assert {what: typed for what, typed in TYPED.items() if typed in sent} == {}
    assert '"function":"stumble"' in sent, "where in the code it was"
    assert {each["environment"] for each in events} == {"trial"}


def test_nothing_is_sent_without_a_dsn(server, django_db_setup):
    assert stumble(SENTRY_DSN="")[:2] == ["not", "loaded"]
    assert server.sent == []
