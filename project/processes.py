"""Runs a few long processes side by side and ends all of them together.

honcho was the first choice; it orphans children on SIGHUP, kills after 5 seconds and cannot hand a bound socket
to a child, which two consoles started at once need.
"""

import os
import signal
import subprocess
import time
from contextlib import suppress

from project.embedded import die_with_parent

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE_S = 15  # a web request may take 10 s, a worker finishes its stage


class Stopped(BaseException):
    """A signal asked us to end; carries its number."""


def stop_on_signals():
    """From here on the first SIGINT, SIGTERM or SIGHUP raises Stopped; an impatient second one orphans nobody."""

    def interrupt(number, frame):
        ignore_signals()
        raise Stopped(number)

    for number in ENDING:
        signal.signal(number, interrupt)


def ignore_signals():
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


class Group:
    """Processes that live and die together. Use as a context manager; leaving it ends them all."""

    def __init__(self):
        self.processes = {}

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        ignore_signals()
        self.stop()

    def start(self, name, command, *, env=None, pass_fds=()):
        """Starts `command` (a list) in a session of its own, so that the terminal's Ctrl-C reaches only us."""
        self.processes[name] = subprocess.Popen(
            command,
            env={**os.environ, **(env or {})},
            pass_fds=pass_fds,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent(),
        )

    def dead(self):
        """Name of a process that ended by itself, or None."""
        return next((name for name, process in self.processes.items() if process.poll() is not None), None)

    def stop(self):
        """SIGTERM to each, GRACE_S to finish, then SIGKILL to their whole process groups."""
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + GRACE_S
        for process in self.processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # pool children of a worker that died early
            process.wait()
        self.processes.clear()
