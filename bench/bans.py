"""How many ban checks a second one worker process answers: the console beside a bare WSGI function that asks the
database the same, both under gunicorn as `up` starts it, but with one worker.
"""

import random
import socket
import statistics
import subprocess
import sys
import threading
import time

from bench import data
from project.processes import Group

NAME, SIZE = "bans", 20_000
SECONDS, ROUNDS, CLIENTS = 2, 5, 8
MODULES = {"console": "project.wsgi", "floor": "bench.bansfloor"}
NETWORKS = 100_000
FILL = f"""
    INSERT INTO moderation_ban (network, reason, starts_at, version)
    SELECT ('11.' || n / 65536 || '.' || n / 256 % 256 || '.' || n % 256)::inet, 'spam', now(), 0
    FROM generate_series(1, {NETWORKS}) n;
    INSERT INTO moderation_ban (player_id, reason, starts_at, version)
    SELECT id, 'abuse', now(), 0 FROM moderation_player WHERE id % 50 = 0;
"""


def main(say):
    """Returns lines of a report."""
    data.ensure_people(NAME, SIZE, FILL, say)
    secret = _make_token()
    paths = _paths()
    with Group() as group:
        ports = {kind: _serve(group, kind) for kind in MODULES}
        rates = {kind: [] for kind in MODULES}
        for number in range(ROUNDS + 1):
            say(f"round {number} of {ROUNDS} ...")
            for kind, port in ports.items():
                rates[kind].append(_ask(port, paths, secret))
    medians = {kind: statistics.median(found[1:]) for kind, found in rates.items()}  # the first warms up
    spread = {kind: (min(found[1:]), max(found[1:])) for kind, found in rates.items()}
    lines = [f"Ban checks a second of one worker process, {CLIENTS} connections, {NETWORKS:,} banned networks:"]
    lines += [f"  {kind:8} {medians[kind]:7,.0f}  ({low:,.0f} to {high:,.0f})" for kind, (low, high) in spread.items()]
    return [*lines, f"  ratio    {medians['floor'] / medians['console']:7.2f}"]


def _make_token():
    command = [sys.executable, "manage.py", "make_token", "Bench", "--scope", "bans:read"]
    done = subprocess.run(
        command, env=data.environment(NAME), cwd=data.ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _paths():
    """Questions by players and addresses, one in four of them banned."""
    chance = random.Random(1)  # noqa: S311
    with data.connect(NAME) as connection:
        players = [
            row[0] for row in connection.execute("SELECT external_id FROM moderation_player ORDER BY id LIMIT 2000")
        ]
    addresses = [
        f"{chance.choice((11, 93, 94, 95))}.0.{chance.randrange(256)}.{chance.randrange(256)}" for _ in players
    ]
    return [f"/api/v1/bans/check/?ip={ip}&player={player}" for ip, player in zip(addresses, players, strict=True)]


def _serve(group, kind):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        listener.set_inheritable(True)
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            MODULES[kind],
            "--bind",
            f"fd://{listener.fileno()}",
            "--workers",
            "1",
        ]
        command += ["--worker-class", "gthread", "--threads", "8", "--no-control-socket", "--log-level", "warning"]
        quietly = ["sh", "-c", 'exec "$@" 2>>"$0"', str(data.STATE / "servers.log")]
        group.start(kind, [*quietly, *command], env=data.environment(NAME), pass_fds=[listener.fileno()])
        return listener.getsockname()[1]


def _ask(port, paths, secret):
    """Answers a second. Raises RuntimeError for any that is no answer."""
    counts, until = [0] * CLIENTS, time.monotonic() + SECONDS
    threads = [
        threading.Thread(target=_client, args=(port, paths[n::CLIENTS], secret, until, counts, n))
        for n in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if 0 in counts:
        raise RuntimeError(f"A connection to port {port} got no answer.")
    return sum(counts) / SECONDS


def _client(port, paths, secret, until, counts, number):
    """Asks by one connection that stays open. By bare sockets: the client takes from the same processors."""
    head = f" HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {secret}\r\n\r\n"
    requests = [f"GET {path}{head}".encode() for path in paths]
    done = 0
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        while time.monotonic() < until:
            line.sendall(requests[done % len(requests)])
            if not _read(line).startswith(b"HTTP/1.1 200"):
                return
            done += 1
    counts[number] = done


def _read(line):
    """One answer, whole."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += line.recv(65536)
    head, _, body = got.partition(b"\r\n\r\n")
    if b"chunked" in head.lower():
        while not body.endswith(b"0\r\n\r\n"):
            body += line.recv(65536)
        return got
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
    while len(body) < length:
        body += line.recv(65536)
    return got
