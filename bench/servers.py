"""The servers that are measured, each under gunicorn as `up` starts the console."""

import socket
import sys
import time

from bench import data
from bench.client import Browser

MODULES = {
    "console": "bench.console",
    "admin": "bench.peers.wsgi",
    "admin+": "bench.peers.wsgi",
    "unfold": "bench.peers.wsgi",
    "floor": "bench.floor",
}


class Target:
    """A server on a data set, with a browser that is signed in; `operator` is another, at the console. `kind` is one of
    MODULES.
    """

    def __init__(self, group, kind, name, sought):
        self.kind, self.name, self.sought = kind, name, sought
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(128)
            listener.set_inheritable(True)
            self.port = listener.getsockname()[1]
            command = [sys.executable, "-m", "gunicorn", MODULES[kind], "--bind", f"fd://{listener.fileno()}"]
            command += ["--workers", "2", "--no-control-socket", "--graceful-timeout", "10", "--log-level", "warning"]
            quietly = ["sh", "-c", 'exec "$@" 2>>"$0"', str(data.STATE / "servers.log")]
            env = data.environment(name)
            if kind not in ("console", "floor"):
                env["BENCH_PEER"] = kind.rstrip("+")
            if kind == "admin+":
                env["BENCH_INDEXES"] = "ours"
            group.start(f"{kind} on {name}", [*quietly, *command], env=env, pass_fds=[listener.fileno()])
        self.browser, self.operator = Browser(self.port), Browser(self.port)

    def sign_in(self):
        if self.kind == "console":
            self.browser.sign_in("/accounts/login/", "login", "beta", data.PASSWORD, "/manage/")
            self.operator.sign_in("/accounts/login/", "login", "operator", data.PASSWORD, "/manage/")
        elif self.kind != "floor":
            self.browser.sign_in("/admin/login/", "username", "operator", data.PASSWORD, "/admin/")
        else:
            self.wait()

    def wait(self):
        deadline = time.monotonic() + 30
        while True:
            try:
                return self.browser.ask("/")
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
