"""A whole console whose parts can be broken: its own database, Valkey, web server, workers and beat, started by the
very commands of `up`, in a throw-away folder. Tests kill by pid what it started, and see what becomes of builds.
"""

import http.client
import io
import itertools
import json
import logging
import os
import shutil
import signal
import subprocess
import tempfile
import time
import zipfile
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.conf import settings
from kombu import Connection

from console import roles
from console.models import Entry, Job
from console.testing import Person, make_user, undo_form
from games import samples
from games.models import Build, Game, StageRun
from project import embedded
from project.management.commands import up
from project.testing import ROOT, create_database, drop_database, environment, own_database, working_on
from project.tests.servers import Valkey

log = logging.getLogger("attendant.faults")
PATIENCE_S = 90  # what the design promises after any fault
UPLOADS, DEFAULT, BEAT, WEB = "worker for uploads", "worker for default", "beat", "web"


class Commands(dict):
    """Takes down what `up` would start, by name."""

    def start(self, name, command, *, env=None, pass_fds=()):
        self[name] = [str(part) for part in command], env or {}, list(pass_fds)


class Rig:
    """Use as a context manager; `settings` go to the environment of all that runs. `processes` are those that run, by
    name; `expected` the files of each zip, by name.
    """

    def __init__(self, **settings):
        self.settings = {name: str(value) for name, value in settings.items()}
        self.state = Path(tempfile.mkdtemp(prefix="attendant-faults-"))
        self.orders, self.work, self.storage = (self.state / name for name in ("orders", "work", "games"))
        self.database = f"{own_database()}_faults"
        self.processes, self.expected = {}, {}
        self.valkey = Valkey(self.state / "valkey", throwaway=True)
        self._numbers, self._stack = itertools.count(1), ExitStack()

    # --- what runs -------------------------------------------------------------------------------------------

    def __enter__(self):
        try:
            self._stack.callback(shutil.rmtree, self.state, ignore_errors=True)
            self.orders.mkdir()
            (self.state / "static").symlink_to(settings.STATIC_ROOT)
            self._stack.enter_context(self.valkey)
            self._make_database()
            self._stack.callback(self.stop_all)
            self.person = Person(make_user("rita", roles.PUBLISHER))
            listener = up.listen("127.0.0.1", 8900)
            self.port = listener.getsockname()[1]
            self.commands = Commands()
            up.Command().start(self.commands, listener, "127.0.0.1")
            self.start(WEB)
            listener.close()
            until(lambda: up.answers(f"http://127.0.0.1:{self.port}/"), "the web server answers")
            self.make_well()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *exc):
        self._stack.close()

    def _make_database(self):
        create_database(self.database)
        self._stack.callback(drop_database, self.database)
        self._stack.enter_context(working_on(self.database))

    def environ(self, **more):
        ours = {"ATTENDANT_STATE": str(self.state), "REDIS_URL": self.valkey.url, "ATTENDANT_ORDERS": str(self.orders)}
        ours["SECRET_KEY"] = settings.SECRET_KEY  # it knows the session that was made here
        return {**os.environ, **environment(self.database), **ours, **self.settings, **more}

    def start(self, name, kind=None, several=None, **env):
        """Starts a part of `up`; `kind` names which, when it is to be called otherwise."""
        kind = kind or name
        command, its_env, fds = self.commands[kind]
        command = [part.replace(str(settings.STATE_DIR), str(self.state)) for part in command]
        if kind.startswith("worker"):
            command[command.index("celery")] = "project.tests.halting"
            command[command.index("--hostname") + 1] = f"{name.replace(' ', '-')}@%h"
            its_env = {**its_env, "PGAPPNAME": name}
        if several:
            command[command.index("--concurrency") + 1] = str(several)
        with self.log_of(name).open("ab") as out:
            self.processes[name] = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environ(**its_env, **env),
                pass_fds=fds,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=embedded.die_with_parent(),
            )
        return self.processes[name]

    def log_of(self, name):
        return self.state / f"{name}.log"

    def kill(self, name):
        """kill -9 of the process and its children at once."""
        process = self.processes.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def until_said(self, name, words, times):
        """Waits until a process says this so many times more in its log."""
        log, most = self.log_of(name), self.log_of(name).read_text().count(words) + times
        until(
            lambda: log.read_text().count(words) >= most, f"{name} says: {words}", story=lambda: "\n".join(_tail(log))
        )

    def stop(self, name, grace=15):
        """As `up` does at its end: SIGTERM, some time, then kill -9. Returns whether it went by itself."""
        process = self.processes[name]
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(grace)
        by_itself = process.returncode is not None
        self.kill(name)
        return by_itself

    def make_well(self):
        """Whatever an earlier test broke: all parts run, and nobody is told to wait."""
        self.forget_orders()
        if "valkey" not in self.valkey.processes:
            self.valkey.restart()
        self.valkey.thaw()
        for name in set(self.processes) - {WEB, DEFAULT, BEAT}:
            self.kill(name)
        with self.valkey.ask() as client:
            client.flushall()  # what was handed to them
        for name in (DEFAULT, BEAT):
            if name in self.processes and self.processes[name].poll() is not None:
                self.kill(name)
            if name not in self.processes:
                self.start(name)

    def stop_all(self):
        for name in list(self.processes):
            self.stop(name, grace=3 if name == WEB else 0.5)
        until(lambda: not self.family(), "everything was stopped", 20)

    def family(self):
        """Command lines of all that works in our folder, ourselves left out."""
        found, mark = [], str(self.state).encode()
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                command = (folder / "cmdline").read_bytes()
                if mark in command or mark in (folder / "environ").read_bytes():
                    found.append(command)
        return [command for command in found if b"valkey-server" not in command]

    # --- orders ----------------------------------------------------------------------------------------------

    def order(self, name, point, words="wait"):
        (self.orders / f"{name}@{point}").write_text(words)

    def pid_at(self, name, point, seconds=PATIENCE_S):
        """Waits until a worker waits there; its process id."""
        here = self.orders / f"{name}@{point}.here"
        until(lambda: here.exists() and here.read_text(), f"a worker is at {name}@{point}", seconds)
        return int(here.read_text())

    def follow(self, build):
        """Whoever waits with this build goes on."""
        for path in self.orders.glob(f"{build.zip_name}@*"):
            path.unlink()

    def forget_orders(self):
        for path in self.orders.iterdir():
            path.unlink()

    # --- what people do --------------------------------------------------------------------------------------

    def new_name(self):
        return f"{next(self._numbers)}.zip"

    def make_zip(self, name, broken=False):
        """A game that nobody has uploaded yet."""
        files = dict(_sample(samples.names()[int(name.removesuffix(".zip")) % 3]))
        files["index.html"] += f"<!-- {name} -->".encode()
        if broken:
            files["start.html"] = files.pop("index.html")
        self.expected[name] = files
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, data in files.items():
                archive.writestr(path, data)
        return file.getvalue()

    def request(self, method, path, fields=None, file=None, between=lambda: None):
        """`(status, text, seconds from the last byte sent to the answer)`; `between` runs in the middle of sending."""
        cookies = {"sessionid": self.person.cookies["sessionid"].value, "csrftoken": "x" * 32}
        headers = {"Cookie": "; ".join(f"{key}={value}" for key, value in cookies.items()), "X-CSRFToken": "x" * 32}
        body = urlencode(fields or {}, doseq=True).encode()
        if file:
            body = _multipart(fields, *file)
            headers["Content-Type"] = "multipart/form-data; boundary=xxxxx"
        elif fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if fields is not None:
            headers["Content-Length"] = str(len(body))
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.putrequest(method, path)
            for key, value in headers.items():
                connection.putheader(key, value)
            connection.endheaders()
            connection.send(body[: len(body) // 2])
            between()
            connection.send(body[len(body) // 2 :])
            began = time.monotonic()
            response = connection.getresponse()
            return response.status, response.read().decode(), time.monotonic() - began
        finally:
            connection.close()

    def upload(self, name=None, game=None, broken=False, between=lambda: None):
        """The build that becomes of it; how long the answer took is its `answered_s`."""
        name = name or self.new_name()
        about = {"game_text": game.slug} if game else {"title": f"Game {name}"}
        file = name, self.make_zip(name, broken)
        status, text, seconds = self.request("POST", "/manage/games/upload/", undo_form(**about), file, between)
        assert status == 303, (status, text)
        build = Build.objects.select_related("game").get(zip_name=name)
        build.answered_s = seconds
        return build

    def click(self, row, verb, form=None):
        """The status of the answer to a verb's form about a game or a build."""
        if form is None:
            row.refresh_from_db()
        kind = "builds/" if isinstance(row, Build) else ""
        path = f"/manage/games/{kind}{row.pk}/{verb}/"
        return self.request("POST", path, form or undo_form(version=row.version))[0]

    def send(self, job, times=1):
        """More messages about the same job, as a broker may deliver them."""
        from console.tasks import run_job

        url = self.valkey.url.replace("unix://", "redis+socket://", 1)
        options = settings.CELERY_BROKER_TRANSPORT_OPTIONS | {"global_keyprefix": f"{self.database}:celery:"}
        with Connection(url, transport_options=options) as connection:
            for _ in range(times):
                run_job.apply_async([job.pk], queue="uploads", connection=connection)

    def waiting_messages(self):
        """How many wait for a worker for uploads, or were handed to one that has not acknowledged them."""
        with self.valkey.ask() as client:
            prefix = f"{self.database}:celery:"
            handed = [json.loads(message)[2] for message in client.hvals(f"{prefix}unacked")]
            return client.llen(f"{prefix}uploads") + handed.count("uploads")

    # --- what must be ----------------------------------------------------------------------------------------

    def until_over(self, builds, seconds=PATIENCE_S, meanwhile=lambda: None):
        """Waits until none of them is processed any more; returns how long that took."""
        began, left = time.monotonic(), []

        def are_over():
            meanwhile()
            left[:] = Build.objects.filter(pk__in=[build.pk for build in builds], state__in=Build.PROCESSING)
            return not left

        until(are_over, "all builds are over", seconds, lambda: self.story(left))
        took = time.monotonic() - began
        log.info("%s: %.1f s until %d builds were over", os.environ.get("PYTEST_CURRENT_TEST"), took, len(builds))
        return took

    def assert_ready_once(self, build, tidy=True):
        """Ready, by one entry, of whole files, as the game's one current build, and `tidy`: nothing is left behind."""
        build = Build.objects.select_related("game", "job").get(pk=build.pk)
        assert (build.state, build.error) == (Build.READY, ""), self.story([build])
        assert (build.job.state, build.job.error, build.job.progress) == (Job.DONE, "", 100)
        assert Entry.objects.filter(verb="build.ready", target_type="games.build", target_id=build.pk).count() == 1
        done = build.log.filter(outcome=StageRun.DONE).order_by("pk").values_list("name", flat=True)
        assert list(done) == list(Build.STAGES), self.story([build])
        assert not build.log.filter(outcome=StageRun.RUNNING).exists()
        assert build.game.builds.filter(state=Build.READY).count() == 1
        assert build.game.current_build_id == build.pk
        assert self.stored_files(build) == self.expected[build.zip_name]
        assert (self.storage / build.thumbnail).read_bytes()[8:12] == b"WEBP"
        if tidy:  # which is the last thing its worker does, after it has said that it is done
            until(lambda: not list(self.work.glob(f"{build.prefix.hex}*")), "its folder is cleared away", 10)

    def stored_files(self, build):
        folder = self.storage / build.folder
        paths = [path for path in folder.rglob("*") if path.is_file()]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}

    def assert_pointers_are_whole(self, builds):
        """What players get of these games is complete at any moment."""
        for game in Game.objects.filter(builds__in=builds).exclude(current_build=None).select_related("current_build"):
            assert self.stored_files(game.current_build) == self.expected[game.current_build.zip_name]

    def story(self, builds):
        """What is known about these builds, for whoever reads why a test failed."""
        lines = [f"{path.name}: {line}" for path in self.state.glob("*.log") for line in _tail(path)]
        for build in builds:
            fields = Job.objects.filter(pk=build.job_id).values("state", "attempt", "error", "due_at", "lease_until")
            lines += [f"{build.zip_name} {build.state} {build.error}", json.dumps(list(fields), default=str)]
            lines += [f"  {run.name} {run.attempt} {run.outcome} {run.error}" for run in build.log.order_by("pk")]
        return "\n".join(lines)


@cache
def _sample(name):
    return samples.files(name)


def _tail(path):
    return path.read_text(errors="replace").splitlines()[-12:]


def _multipart(fields, name, data):
    parts = [
        f'--xxxxx\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields.items()
    ]
    parts += [f'--xxxxx\r\nContent-Disposition: form-data; name="zip"; filename="{name}"\r\n']
    parts += ["Content-Type: application/zip\r\n\r\n"]
    return "".join(parts).encode() + data + b"\r\n--xxxxx--\r\n"


def until(condition, what, seconds=PATIENCE_S, story=lambda: ""):
    """Waits for it to become true; an AssertionError says `what` did not happen in time."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}\n{story()}"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def shared_rig(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), Rig() as rig:
        yield rig


@pytest.fixture
def rig(shared_rig):
    """The module's rig without a worker for uploads: each test starts those it wants."""
    shared_rig.make_well()
    yield shared_rig
    shared_rig.make_well()
