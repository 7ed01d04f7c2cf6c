"""What an upload of 50 MB costs, and an unchanged poll: against a whole console as `up` starts it, on a state of its
own, beside `unzip` and `cp` on the same file.
"""

import http.client
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import zipfile
from pathlib import Path
from urllib.parse import urlencode

import psycopg

from bench.client import Browser
from project import embedded

ROOT = Path(__file__).resolve().parent.parent
FILES, ZIP_MIB, RUNS, POLLS = 800, 49, 3, 2000
UPLOAD = "/manage/games/upload/"


def main(say):
    """Returns lines of a report."""
    with tempfile.TemporaryDirectory(prefix="attendant-bench-") as folder:
        state = Path(folder) / "state"
        environ = {**os.environ, "DEMO": "1", "ATTENDANT_STATE": str(state), "DEMO_PASSWORD": "bench and bench"}
        command = [sys.executable, "manage.py", "up", "--port", "8790"]
        up = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True)
        try:
            ready = next(line for line in up.stdout if line.startswith("Ready:"))
            threading.Thread(target=up.stdout.read, daemon=True).start()
            console = Console(int(re.search(r":(\d+)/", ready)[1]), state, up.pid)
            console.wait_until_idle()
            uploads = []
            for run in range(RUNS):
                say(f"upload {run + 1} of {RUNS} ...")
                zip_path = make_zip(Path(folder) / "game.zip", seed=run)
                uploads.append({**console.upload(zip_path), **floor(zip_path, Path(folder))})
            say(f"{POLLS} polls ...")
            return report(uploads, console.poll())
        finally:
            up.terminate()
            up.wait(60)


def make_zip(path, seed):
    """800 files, half of them stored bytes as pictures are, half text; just below 50 MiB."""
    chance = random.Random(seed)  # noqa: S311
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("index.html", f"<!doctype html><title>{seed}</title><script src='js/1.js'></script>")
        for number in range(1, FILES // 2):
            made.writestr(f"js/{number}.js", (f"console.log({number});// {seed}\n" * 6000).encode())
        noise = ZIP_MIB * 2**20 // (FILES // 2 + 10)
        for number in range(FILES // 2):
            made.writestr(f"data/{number}.data", chance.randbytes(noise), zipfile.ZIP_STORED)
    return path


def floor(zip_path, folder):
    """Seconds of `unzip` and `cp -r`."""
    first, second = folder / "floor", folder / "copy"
    started = time.perf_counter()
    unzip = ["unzip", "-q", zip_path, "-d", first] if shutil.which("unzip") else None
    if unzip:
        subprocess.run(unzip, check=True)
    else:
        zipfile.ZipFile(zip_path).extractall(first)
    subprocess.run(["cp", "-r", first, second], check=True)
    took = time.perf_counter() - started
    shutil.rmtree(first)
    shutil.rmtree(second)
    return {"floor": took}


class Console:
    """A running console, seen as a publisher sees it, and its processes as the kernel does."""

    def __init__(self, port, state, pid):
        self.port, self.pid = port, pid
        self.database = psycopg.connect(embedded.addresses(state)["DATABASE_OWNER_URL"], autocommit=True)
        self.browser = Browser(port)
        self.browser.sign_in("/accounts/login/", "login", "publisher", "bench and bench", "/manage/")

    @property
    def cookie(self):
        return "; ".join(f"{name}={value}" for name, value in self.browser.cookies.items())

    def one(self, sql):
        return self.database.execute(sql).fetchone()[0]

    def wait_until_idle(self):
        while self.one("SELECT count(*) FROM console_job WHERE state IN ('queued', 'running')"):
            time.sleep(0.1)

    def upload(self, path):
        """Sends it byte by byte as a browser does; seconds from the last byte to the answer and to ready, MiB."""
        self.browser.ask(UPLOAD)
        fields = {"csrfmiddlewaretoken": self.browser.token, "title": path.name, "version": "0"}
        fields |= {"idempotency_key": str(uuid.uuid4())}
        part = '--bench\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
        head = "".join(part.format(*field) for field in fields.items())
        head += '--bench\r\nContent-Disposition: form-data; name="zip"; filename="game.zip"\r\n\r\n'
        body = head.encode() + path.read_bytes() + b"\r\n--bench--\r\n"
        web = self.family("gunicorn")
        before = {pid: status(pid, "VmRSS") for pid in web}
        for pid in web:
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # begins to remember its peak anew
        highest = Highest(self.family("queues uploads"))
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.putrequest("POST", UPLOAD)
        connection.putheader("Cookie", self.cookie)
        connection.putheader("Content-Type", "multipart/form-data; boundary=bench")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        for place in range(0, len(body), 65536):
            connection.send(body[place : place + 65536])
        last = time.perf_counter()
        answer = connection.getresponse()
        answer.read()
        answered = time.perf_counter() - last
        assert answer.status == 303, answer.status
        while self.one("SELECT state FROM games_build ORDER BY id DESC LIMIT 1") not in ("ready", "failed"):
            time.sleep(0.01)
        ready = time.perf_counter() - last
        assert self.one("SELECT state FROM games_build ORDER BY id DESC LIMIT 1") == "ready"
        growth = max(status(pid, "VmHWM") - before[pid] for pid in web)
        return {"answer": answered, "ready": ready, "web": growth, "worker": highest.end()}

    def poll(self):
        """CPU of the web processes per unchanged poll, and how many a second they answer to one client."""
        tag = re.search(r'name="v" value="([^"]+)"', self.browser.ask("/manage/games/").text)[1]
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        web = self.family("gunicorn")
        statuses, before, started = [], sum(map(cpu_seconds, web)), time.perf_counter()
        for _ in range(POLLS):
            headers = {"HX-Request": "true", "Cookie": self.cookie}
            connection.request("GET", f"/manage/live/?{urlencode({'v': tag})}", headers=headers)
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
        took, cpu = time.perf_counter() - started, sum(map(cpu_seconds, web)) - before
        return {"cpu": 1000 * cpu / POLLS, "rate": POLLS / took, "unchanged": statuses.count(204) / POLLS}

    def family(self, words):
        """Ids of our processes whose command line holds these words."""
        return [pid for pid in descendants(self.pid) if words in command_of(pid)]


class Highest:
    """Watches how much memory these processes and all they start have together, a hundred times a second."""

    def __init__(self, pids):
        self.pids, self.peak, self.over = pids, 0, threading.Event()
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()

    def _watch(self):
        while not self.over.wait(0.01):
            each = [sum(status(each, "VmRSS") for each in [pid, *descendants(pid)]) for pid in self.pids[1:]]
            self.peak = max([self.peak, *each])

    def end(self):
        self.over.set()
        self.thread.join()
        return self.peak


def descendants(pid):
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found


def command_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def status(pid, name):
    """A line of the kernel's status of a process, in MiB; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:")), 0)


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def report(uploads, polls):
    def median(name):
        return statistics.median(run[name] for run in uploads)

    times = median("ready") / median("floor")
    return [
        f"Upload of {ZIP_MIB} MiB with {FILES} files, median of {len(uploads)}:",
        f"  last byte to answer   {1000 * median('answer'):8.0f} ms",
        f"  last byte to ready    {median('ready'):8.2f} s",
        f"  unzip and cp          {median('floor'):8.2f} s   (ready takes {times:.1f} times as long)",
        f"  web process grew by   {median('web'):8.0f} MiB  (asked: below 60)",
        f"  worker and children   {median('worker'):8.0f} MiB  (asked: below 300)",
        f"Unchanged poll, {POLLS} in a row on one connection ({polls['unchanged']:.0%} answered 204, no SQL):",
        f"  CPU                   {polls['cpu']:8.2f} ms  (one worker could answer {1000 / polls['cpu']:.0f} a second)",
        f"  answered to a client  {polls['rate']:8.0f} a second",
    ]
