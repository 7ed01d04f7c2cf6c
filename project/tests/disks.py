"""Disks that are full, for real: small ones, mounted in place of a folder."""

import subprocess
from contextlib import contextmanager, suppress

import pytest


@contextmanager
def small_disk(folder, size="1m"):
    """A disk of so many bytes in place of this folder."""
    folder.mkdir(exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"only who may mount can fill a disk: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder, leave=0):
    """Until there are so many bytes left; returns the file that takes the rest."""
    filler = folder / "filler"
    with filler.open("ab", buffering=0) as file:
        with suppress(OSError):
            while True:
                file.write(bytes(4096))
        file.truncate(filler.stat().st_size - leave)
    return filler
