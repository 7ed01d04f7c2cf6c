"""Runs a module of ours on untrusted bytes, in a child that cannot take much with it. No Django in here.

The child limits itself before it looks at anything: this module, started with `-m`, is its first half.
"""

import ctypes
import os
import resource
import runpy
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MIB = 1 << 20
ANSWER = 16 * MIB  # more than the longest report; read into the caller's memory
NO_ROOM, NO_MEMORY, ORPHAN = 28, 12, 10  # exit codes, the first two named like the errors
_FILES = 64  # open at once


class Confined(RuntimeError):
    """The child did not answer; `str()` is a sentence that says why. `no_room` is when it was the disk."""

    def __init__(self, reason, code=None):
        super().__init__(reason)
        self.code = code

    @property
    def no_room(self):
        return self.code == NO_ROOM


def run(module, *arguments, timeout_s, memory=512 * MIB, cpu_s=60, fsize=100 * MIB) -> bytes:
    """What `python -m module arguments` prints. Raises Confined when it fails, dies, or takes too long.

    `memory` limits its address space, `fsize` each file it writes, what it prints among them.
    """
    limits = [str(int(number)) for number in (os.getpid(), memory, cpu_s, fsize)]
    command = [sys.executable, "-m", "games.confined", *limits, module, *map(str, arguments)]
    environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    # files and not pipes: the limit holds for them too, and nobody has to read while waiting
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise Confined(f"It took longer than {timeout_s:g} seconds.") from None
        finally:
            _end(process)
        if code:
            raise Confined(_reason(code, _tail(err), memory, cpu_s), code)
        out.seek(0)
        answer = out.read(ANSWER + 1)
        if len(answer) > ANSWER:
            raise Confined("It printed more than anybody would read.")
        return answer


def _end(process):
    """The child and all it may have started, if it still runs; also when it is the caller who is interrupted."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _tail(err):
    err.seek(0, os.SEEK_END)
    err.seek(max(0, err.tell() - 4096))
    lines = err.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:300] if lines else ""


def _reason(code, said, memory, cpu_s):
    if code == NO_ROOM:
        return "The disk is full."
    if code == NO_MEMORY:
        return f"It needed more memory than {memory // MIB:,} MiB."
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"It used more than {cpu_s:g} seconds of processor time, or was killed."
    if code < 0:
        return f"It was ended by {signal.Signals(-code).name}."
    return f"It failed with exit code {code}. {said}".rstrip()


# --- in the child --------------------------------------------------------------------------------------------


def _limit(what, soft, hard=None):
    hard = soft if hard is None else hard
    ceiling = resource.getrlimit(what)[1]
    if ceiling != resource.RLIM_INFINITY:  # whoever started us may have been stricter
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    resource.setrlimit(what, (soft, hard))


def confine(parent, memory, cpu_s, fsize):
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: even when the parent is gone by kill -9
        _limit(resource.RLIMIT_AS, memory)  # elsewhere the kernel does not know how
    if os.getppid() != parent:  # it went before we had asked
        os._exit(ORPHAN)
    _limit(resource.RLIMIT_CPU, cpu_s, cpu_s + 1)
    _limit(resource.RLIMIT_FSIZE, fsize)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, _FILES)


def main(parent, memory, cpu_s, fsize, module, *arguments):
    confine(int(parent), int(memory), int(cpu_s), int(fsize))
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except MemoryError:
        os._exit(NO_MEMORY)  # nothing may be left to end in an orderly way


if __name__ == "__main__":
    main(*sys.argv[1:])
