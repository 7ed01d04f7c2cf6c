"""The schema and the API say the same: schemathesis asks a real server what it likes, with every check it has."""

import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application

from console.api import scopes
from console.testing import make_token
from moderation.testing import make_comment, make_network_ban, make_player

CONFIG = Path(__file__).with_name("schemathesis.toml")


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        """Nothing: ten thousand lines."""


@contextmanager
def served():
    """The address of a real server on the test's database."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet, allow_reuse_address=True)
    server.set_app(get_wsgi_application())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask(examples, *more):
    for _ in range(3):
        make_comment()
        make_network_ban()
        make_player()
    secret = make_token(*(each.name for each in scopes.every()))
    with served() as address:
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", CONFIG, "run"]
        command += [f"{address}/api/v1/schema/", "--checks", "all", "--max-examples", str(examples), "--no-color"]
        command += ["--header", f"Authorization: Bearer {secret}", "--seed", "1", *more]
        done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.brief
def test_whatever_is_asked_the_answer_is_as_described(committed_db):
    ask(5, "--phases", "examples,fuzzing")


@pytest.mark.slow
def test_the_same_at_length(committed_db):
    ask(60, "--phases", "examples,coverage,fuzzing")
    ask(5, "--phases", "stateful")
