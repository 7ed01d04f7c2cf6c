"""PostgreSQL and Valkey of a test's own, to be broken."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import redis

from project import embedded


class Valkey(embedded.Services):
    """One of our own, without the database, for tests that break it. What it held is gone when it is killed."""

    def _start_postgres(self):
        pass

    @property
    def pid(self):
        return self.processes["valkey"].pid

    @property
    def url(self):
        return f"unix://{self.sockets}/valkey.sock"

    def kill(self):
        process = self.processes.pop("valkey")
        process.kill()
        process.wait()

    def restart(self):
        self._start_valkey()

    def freeze(self):
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.pid, signal.SIGCONT)

    def ask(self):
        return redis.Redis(unix_socket_path=str(self.sockets / "valkey.sock"), retry=None)


class Postgres(embedded.Services):
    """One of our own, without Valkey. Loses nothing when it is restarted."""

    def _start_valkey(self):
        pass

    def end(self):
        """Whoever is connected is thrown out; returns when it is gone."""
        process = self.processes.pop("postgres")
        process.send_signal(signal.SIGINT)
        process.wait()

    def begin(self):
        self._start_postgres()

    def freeze(self):
        self._signal(signal.SIGSTOP)

    def thaw(self):
        self._signal(signal.SIGCONT)

    def _signal(self, number):
        """To it and all its backends, which are sessions of their own."""
        pid = self.processes["postgres"].pid
        os.kill(pid, number)
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError, IndexError):
                if (folder / "stat").read_text().rpartition(")")[2].split()[1] == str(pid):
                    os.kill(int(folder.name), number)

    def ask(self, *statement):
        """The rows of a statement, as the superuser."""
        with self.connect() as connection:
            found = connection.execute(*statement)
            return found.fetchall() if found.description else []

    def connect(self):
        return self._connect(database=embedded.DATABASE)
