"""`manage.py up` as a person uses it: starts, serves, and leaves nothing behind however it is ended."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from project import embedded

ROOT = Path(__file__).resolve().parents[2]
# starts whole consoles: one after the other, in one worker
pytestmark = pytest.mark.xdist_group("up")


class Console:
    """A running `up` in a folder of its own."""

    def __init__(self, state, *options):
        hidden = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "DEMO", "DJANGO_SETTINGS_MODULE")
        environ = {name: value for name, value in os.environ.items() if name not in hidden}
        environ |= {"ATTENDANT_STATE": str(state), "DEMO_PASSWORD": "a long password"}
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "manage.py", "up", "--port", "8700", *options],
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=embedded.die_with_parent(),
        )
        self.said = ""
        for line in self.process.stdout:
            self.said += line
            if line.startswith("Ready:"):
                break
        found = re.search(r"^Ready: (\S+)", self.said, re.MULTILINE)
        assert found, self.said
        self.url = found[1]

    def get(self, path):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return opener.open(self.url + path, timeout=10)

    def children(self):
        """Process ids of what it started itself, which live as long as it does."""
        return [pid for pid, parent in parents().items() if parent == self.process.pid]

    def family(self):
        """Process ids of everything it started, and they in turn, `up` itself left out."""
        family, found = {self.process.pid}, True
        while found:
            found = {pid for pid, parent in parents().items() if parent in family} - family
            family |= found
        return family - {self.process.pid}

    def end(self, number):
        """Sends the signal and waits; returns the ids of what is still there."""
        family = self.family()
        self.process.send_signal(number)
        self.rest()
        return left(family)

    def rest(self):
        """Waits for its end and returns what it says until then: nobody gets on with a pipe that is full."""
        return self.process.communicate(timeout=60)[0]


def parents():
    """`{process id: its parent's}` of all that run; one may end at any time."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            found[int(status.parent.name)] = int(re.search(r"PPid:\t(\d+)", status.read_text())[1])
    return found


def command_of(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().replace("\0", " ")


def left(pids):
    deadline = time.monotonic() + 10
    while (there := [pid for pid in pids if running(pid)]) and time.monotonic() < deadline:
        os.sched_yield()
    return there


def running(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The folder of a console that was started before: the first start takes longest."""
    folder = tmp_path_factory.mktemp("prepared") / "state"
    assert Console(folder).end(signal.SIGINT) == []
    return folder


@pytest.fixture
def state(prepared, tmp_path):
    folder = tmp_path / "a folder with spaces"
    subprocess.run(["cp", "-a", prepared, folder], check=True)
    yield folder
    shutil.rmtree(embedded.socket_dir(folder), ignore_errors=True)  # what a killed console could not tidy up


def test_up_serves_names_accounts_and_ends_without_a_trace(tmp_path):
    state = tmp_path / "a folder with spaces"
    console = Console(state)
    for login in ("moderator", "senior", "publisher", "auditor", "operator", "beta"):
        assert f"{login}  a long password" in console.said
    assert console.get("readyz").status == 200
    assert len(console.family()) >= 9  # PostgreSQL and its own, Valkey, gunicorn and two, worker and two, beat
    assert console.end(signal.SIGINT) == []
    assert console.process.returncode == 0
    assert oct((state / "demo.txt").stat().st_mode)[-3:] == "600"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_every_other_way_to_end_leaves_nothing_either(state, number):
    console = Console(state)
    assert console.end(number) == []


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["gunicorn", "celery", "beat", "postgres", "valkey"])
def test_when_one_dies_all_end(state, victim):
    console = Console(state)
    family = console.family()
    os.kill(next(pid for pid in console.children() if victim in command_of(pid)), signal.SIGKILL)
    assert "ended by itself" in console.rest()
    assert console.process.returncode == 1
    assert left(family) == []


@pytest.mark.slow
def test_two_at_once_take_two_ports(state, tmp_path):
    subprocess.run(["cp", "-a", state, tmp_path / "two"], check=True)
    one, two = Console(state), Console(tmp_path / "two")
    assert one.url != two.url
    assert one.end(signal.SIGINT) == two.end(signal.SIGINT) == []


@pytest.mark.slow
def test_a_second_start_is_quick_and_keeps_the_data(state):
    console = Console(state, "--no-demo")
    for words in ("Making a small demo", "Collecting static files", "password"):  # what takes its time the first time
        assert words not in console.said
    browser = Browser(console.url)
    browser.post("accounts/login/", browser.get("accounts/login/"), login="moderator", password="a long password")
    assert 'class="card' in browser.get("manage/comments/")
    assert console.end(signal.SIGINT) == []


@pytest.mark.slow
def test_with_redis_frozen_people_sign_in_read_and_decide_within_3_seconds_each(state):
    console = Console(state)
    valkey = next(pid for pid in console.children() if "valkey" in command_of(pid))
    os.kill(valkey, signal.SIGSTOP)
    browser = Browser(console.url)
    browser.post("accounts/login/", browser.get("accounts/login/"), login="moderator", password="a long password")
    page = browser.get("manage/comments/")
    assert 'data-badge="comments">–<' in page
    action = re.search(r'action="/(manage/comments/\d+/approve/)"', page)[1]
    answer = browser.post(action, page.split(f'action="/{action}"')[1])
    assert "was approved." in answer
    assert max(browser.seconds) < 3
    os.kill(valkey, signal.SIGCONT)
    assert console.end(signal.SIGINT) == []


class Browser:
    """As little of a browser as it takes: cookies, forms, and how long each answer took."""

    def __init__(self, url):
        self.url, self.seconds = url, []
        cookies = urllib.request.HTTPCookieProcessor()
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies)

    def get(self, path, data=None):
        started = time.monotonic()
        text = self.opener.open(self.url + path, data=data, timeout=30).read().decode()
        self.seconds.append(time.monotonic() - started)
        return text

    def post(self, path, page, **fields):
        for name in ("csrfmiddlewaretoken", "version", "idempotency_key"):
            found = re.search(rf'name="{name}" value="([^"]*)"', page)
            fields.setdefault(name, found[1] if found else "")
        return self.get(path, urllib.parse.urlencode(fields).encode())
