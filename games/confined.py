"""Runs a module of ours that reads what strangers sent, in a child process with limits on memory, time and files."""

import resource
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
MIB = 1024 * 1024


class Confined(Exception):
    """The child did not do its work; the words are for people. `no_room`: for want of disk."""

    def __init__(self, sentence, no_room=False):
        super().__init__(sentence)
        self.no_room = no_room


def run(module, *args, timeout_s, memory=512 * MIB, cpu_s=60):
    """What `python -m module args` writes to stdout, as bytes. Raises Confined."""

    def limits():
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    command = [sys.executable, "-m", module, *args]
    try:
        done = subprocess.run(
            command, cwd=_ROOT, env={}, timeout=timeout_s, preexec_fn=limits, capture_output=True, check=True
        )
    except subprocess.TimeoutExpired as error:
        raise Confined("It took too long.") from error
    except subprocess.CalledProcessError as error:
        raise Confined("It ended early.", no_room=b"No space left" in error.stderr) from error
    return done.stdout
