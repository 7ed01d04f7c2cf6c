"""A whole console on a PostgreSQL and a Valkey of its own, both of which a test may break, and people who use it."""

import http.client
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from django.core.cache import caches
from django.db import connections

from console import jobs, roles
from console.models import Job
from console.testing import PASSWORD, Person, make_user, undo_form
from project import embedded
from project.testing import ROOT, working_on
from project.tests.rig import Rig, until
from project.tests.servers import Postgres

QUEUE = "/manage/comments/"


class Outage(Rig):
    """Use as a context manager. Moses decides, Lea leads, Rita uploads; `postgres` and `valkey` can be broken."""

    def __init__(self):
        super().__init__()
        self.postgres = Postgres(self.state / "postgres", throwaway=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.mail_port = free.getsockname()[1]  # where a mail server may be, or not

    def __enter__(self):
        super().__enter__()
        for name, group in (("moses", roles.MODERATOR), ("lea", roles.SENIOR)):
            make_user(name, group, email=f"{name}@portal.example")
        return self

    def _make_database(self):
        self._stack.enter_context(self.postgres)
        addresses = embedded.addresses(self.postgres.state)
        self.addresses = {name: addresses[name] for name in ("DATABASE_URL", "DATABASE_OWNER_URL")}
        command = [sys.executable, ROOT / "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, env=self.environ(), check=True)
        place = {"HOST": str(self.postgres.sockets), "PORT": "", "USER": embedded.OWNER, "PASSWORD": ""}
        self._stack.enter_context(working_on(embedded.DATABASE, **place))

    def environ(self, **more):
        ours = {"DATABASE_WAIT_S": "2", "EMAIL_URL": f"smtp://127.0.0.1:{self.mail_port}"}
        return {**super().environ(), **getattr(self, "addresses", {}), **ours, **more}

    def make_well(self):
        self.postgres.thaw() if "postgres" in self.postgres.processes else self.postgres.begin()
        super().make_well()
        forget_connections()
        uploads = [kind.name for kind in jobs.every_kind() if kind.queue == "uploads"]  # whose workers are gone
        Job.objects.filter(kind__in=uploads, state__in=Job.OPEN).update(state=Job.CANCELLED)
        until(self.is_ready, "the console is ready", story=lambda: self.story([]))
        caches["default"].clear()  # throttles

    def is_ready(self):
        """Whether each of the processes of the web server says so, all of them asked at the same time."""
        with ThreadPoolExecutor(8) as pool:
            return all(pool.map(lambda _: '"ok", "checks"' in Visitor(self.port).get("/readyz").text, range(8)))

    def family(self):
        return [command for command in super().family() if b"postgres" not in command]

    def visitor(self, name):
        """Somebody who has signed in, without asking the console for it."""
        from console.models import User

        return Visitor(self.port, Person(User.objects.get(username=name)).cookies["sessionid"].value)

    def web_pids(self):
        """Of the web server and its workers."""
        parent = self.processes["web"].pid
        children = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True).stdout.split()
        return [str(parent), *children]


def forget_connections():
    """Of the test itself, where PostgreSQL has ended them."""
    for alias in connections:
        connections[alias].close()


@dataclass
class Answer:
    status: int
    text: str
    headers: dict
    seconds: float

    def assert_presentable(self):
        """Nothing of our insides is in it, and its number is on it."""
        assert "Traceback" not in self.text
        assert "psycopg" not in self.text
        number = self.headers["X-Request-ID"]
        assert self.status < 400 or number[:8] in self.text or self.text == ""


class Visitor:
    """A browser without JavaScript, which counts seconds; `htmx=True` asks as htmx does."""

    def __init__(self, port, session=""):
        self.port, self.cookies = port, {"csrftoken": "x" * 32}
        if session:
            self.cookies["sessionid"] = session

    def get(self, path, htmx=False):
        return self._ask("GET", path, None, htmx)

    def post(self, path, fields, htmx=False):
        return self._ask("POST", path, urlencode(fields), htmx)

    def sign_in(self, name, password=PASSWORD):
        return self.post("/accounts/login/", {"login": name, "password": password})

    def decide(self, comment, verb="approve", form=None, htmx=False):
        form = form or undo_form(version=comment.version)
        return self.post(f"{QUEUE}{comment.pk}/{verb}/", form, htmx)

    def _ask(self, method, path, body, htmx):
        headers = {"Cookie": "; ".join(f"{key}={value}" for key, value in self.cookies.items())}
        headers["X-CSRFToken"] = self.cookies["csrftoken"]
        headers |= {"HX-Request": "true"} if htmx else {}
        headers |= {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            began = time.monotonic()
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            text = response.read().decode()
            for cookie in response.headers.get_all("Set-Cookie", []):
                name, _, value = cookie.partition(";")[0].partition("=")
                self.cookies[name] = value
            return Answer(response.status, text, response.headers, time.monotonic() - began)
        finally:
            connection.close()


@pytest.fixture(scope="module")
def shared_outage(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), Outage() as outage:
        yield outage


@pytest.fixture
def outage(shared_outage):
    """The module's, well before and after each test."""
    shared_outage.make_well()
    yield shared_outage
    shared_outage.make_well()
