"""Runs the whole console until it is told to stop."""

import hashlib
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from contextlib import nullcontext
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from console.models import User
from moderation.models import Comment
from project import demo, embedded
from project.processes import Group, Stopped, stop_on_signals

READY_S = 60


class Command(BaseCommand):
    help = (
        "Starts services (unless DATABASE_URL and REDIS_URL name some), migrates, fills an empty demo, then runs web "
        "server, worker and beat. Ctrl-C, SIGTERM, SIGHUP or the end of any of them ends all of them."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8000, help="the next free one is taken when this is taken")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--no-demo", action="store_true", help="no demo accounts, no demo data")

    def handle(self, *, host, port, no_demo, **options):
        stop_on_signals()
        try:
            with self.services() as services, Group() as group:  # the processes end before what they stand on
                self.prepare(no_demo)
                listener = listen(host, port)
                self.start(group, listener, host)
                self.watch(group, services, listener, host, no_demo)
        except Stopped as stopped:
            self.stdout.write("Stopped.")
            sys.exit(0 if stopped.args[0] == 2 else 128 + stopped.args[0])
        except embedded.EmbeddedError as error:
            raise CommandError(str(error)) from error

    def services(self):
        if not settings.EMBEDDED:
            return nullcontext()
        self.stdout.write("Starting PostgreSQL and Valkey ...")
        return embedded.Services(settings.STATE_DIR)

    def prepare(self, no_demo):
        settings.STATE_DIR.mkdir(mode=0o700, exist_ok=True)
        self.stdout.write("Migrating ...")
        call_command("migrate", interactive=False, verbosity=0)
        self.collect_static()
        if self.wants_demo(no_demo):
            self.fill()
        connections.close_all()
        for connection in connections.all(initialized_only=True):
            if hasattr(connection, "close_pool"):
                connection.close_pool()  # the web server opens its own

    @staticmethod
    def wants_demo(no_demo):
        return settings.DEMO and not no_demo

    def fill(self):
        password = demo.password_from(settings.STATE_DIR / "demo.txt")
        accounts = demo.ACCOUNTS
        known = {user.username: user for user in User.objects.filter(username__in=accounts)}
        # hashing takes a second: only when an account is missing or the password is another now
        if len(known) < len(accounts) or not known["moderator"].check_password(password):
            demo.make_accounts(password)
        if not Comment.objects.exists():
            self.stdout.write("Making a small demo ...")
            demo.make_portal()
            demo.make_sanctions()
            demo.make_games()
            demo.tidy()

    def collect_static(self):
        """Only when a file changed: hashing and compressing takes seconds."""
        stamp = settings.STATIC_ROOT / ".stamp"
        digest = static_digest()
        if not stamp.exists() or stamp.read_text() != digest:
            self.stdout.write("Collecting static files ...")
            call_command("collectstatic", interactive=False, clear=True, verbosity=0)
            stamp.write_text(digest)

    def start(self, group, listener, host):
        python = [sys.executable, "-m"]
        env = {"DEMO": "1"} if settings.DEMO else {}
        if settings.DEMO and "PREVIEW_ORIGIN" not in os.environ:
            env["PREVIEW_ORIGIN"] = f"http://{{build}}.play.localhost:{listener.getsockname()[1]}"
        if settings.DEMO and "CONSOLE_URL" not in os.environ:
            env["CONSOLE_URL"] = f"http://127.0.0.1:{listener.getsockname()[1]}"
        if settings.DEMO and host not in ("127.0.0.1", "localhost"):
            env["ALLOWED_HOSTS"] = ",".join([*settings.ALLOWED_HOSTS, "*" if host in ("0.0.0.0", "::") else host])  # noqa: S104
        web = ["gunicorn", "project.wsgi", "--bind", f"fd://{listener.fileno()}", "--workers", "2"]
        # threads: an upload may take minutes, and must not keep others waiting; more than the pool has connections
        web += ["--worker-class", "gthread", "--threads", "8"]
        web += ["--no-control-socket", "--graceful-timeout", "10", "--log-level", "warning"]
        group.start("web", [*python, *web], env=env, pass_fds=[listener.fileno()])
        celery = [*python, "celery", "--app", "project.celery", "--quiet"]
        # two workers: what looks after jobs must not wait behind them
        for queue, number in (("default", 1), ("uploads", 2)):
            worker = ["worker", "--queues", queue, "--concurrency", str(number), "--hostname", f"{queue}@%h"]
            group.start(f"worker for {queue}", [*celery, *worker, "--loglevel", "WARNING"], env=env)
        # it waits for others nearly all of the time: threads, so that those who are slow delay nobody
        sender = ["worker", "--queues", "webhooks", "--pool", "threads", "--concurrency", "16", "--hostname"]
        group.start("worker for webhooks", [*celery, *sender, "webhooks@%h", "--loglevel", "WARNING"], env=env)
        schedule = ["--schedule", str(settings.STATE_DIR / "beat"), "--pidfile", "", "--loglevel", "WARNING"]
        group.start("beat", [*celery, "beat", *schedule], env=env)

    def watch(self, group, services, listener, host, no_demo):
        shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104
        url = f"http://{shown}:{listener.getsockname()[1]}/"
        listener.close()  # gunicorn has it now
        announced, deadline = False, time.monotonic() + READY_S
        while True:
            dead = group.dead() or (services and services.dead())
            if dead:
                raise CommandError(f"{dead} ended by itself; everything else was stopped.")
            if not announced and answers(url):
                announced = True
                self.announce(url, no_demo)
            elif not announced and time.monotonic() > deadline:
                raise CommandError(f"The web server did not answer within {READY_S} seconds.")
            time.sleep(0.1)

    def announce(self, url, no_demo):
        if self.wants_demo(no_demo):
            self.stdout.write("\nSign in as (login, password):")
            self.stdout.write((settings.STATE_DIR / "demo.txt").read_text().replace("\t", "  ").rstrip() + "\n")
        self.stdout.write(f"Ready: {url}")
        self.stdout.flush()


def listen(host, port):
    """A listening socket on the port or the next free one. Bound here, so that two starts cannot both win."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, min(port + 200, 65536)):
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
            listener.listen(128)
        except PermissionError as error:
            raise CommandError(f"Port {candidate} is not for ordinary users; try --port 8000.") from error
        except socket.gaierror as error:
            raise CommandError(f"{host} is not an address of this machine.", returncode=2) from error
        except OSError:
            listener.close()
            continue
        listener.set_inheritable(True)
        return listener
    raise CommandError(f"No free port from {port} on {host}.")


def answers(url, path="healthz"):
    """Whether the web server below `url` says that it is well."""
    try:
        # straight to our own process: an environment's HTTP proxy has no part in it
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return opener.open(f"{url}{path}", timeout=4).status == 200
    except (urllib.error.URLError, OSError):
        return False


def static_digest():
    """Changes with any static file of ours and with any release of what we depend on."""
    digest = hashlib.sha256((settings.BASE_DIR / "requirements.lock").read_bytes())
    for finder in get_finders():
        for name, storage in finder.list([]):
            stat = Path(storage.path(name)).stat()
            digest.update(f"{name} {stat.st_size} {stat.st_mtime_ns}".encode())
    return digest.hexdigest()
