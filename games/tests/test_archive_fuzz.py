"""Zips damaged at random: there is always an answer, it costs little, and what is accepted reads the same elsewhere."""

import io
import shutil
import tempfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from games import archive
from games.archive import Limits, inspect, unpack
from games.tests import hostile, zips

SEEDS = [data for data in zips.valid().values() if len(data) < 5000]
SEEDS += [data for _, _, data in hostile.CASES if len(data) < 1000][::5]
LIMITS = Limits(zip=1 << 20, unpacked=1 << 20, file=1 << 20, files=50)
BUDGET = 2 << 20  # bytes read and made; ten times what any of these holds
MEMORY = 4 << 20
MARKS = [b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\7\x08", b"\0\0\0\0", b"\xff\xff\xff\xff"]
MARKS += [b"\1\0\x08\0", b"\x75\x70", b"../", b"\x08\0", b"\0", b"\\"]


@st.composite
def damaged(draw):
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        how = draw(st.sampled_from(["flip", "write", "cut", "drop", "repeat", "splice"]))
        size = draw(st.integers(1, 64))
        if how == "flip" and at < len(data):
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif how == "write":
            mark = draw(st.sampled_from(MARKS) | st.binary(min_size=1, max_size=8))
            data[at : at + len(mark)] = mark
        elif how == "cut":
            del data[at:]
        elif how == "drop":
            del data[at : at + size]
        elif how == "repeat":
            data[at:at] = data[at : at + size]
        elif how == "splice":
            other = draw(st.sampled_from(SEEDS))
            data[at:] = other[draw(st.integers(0, len(other))) :]
    return bytes(data)


class Counted:
    """Counts the bytes that pass through the inspector's hands."""

    def __init__(self, monkeypatch):
        self.bytes = 0
        for name in ("_stored", "_inflated"):
            monkeypatch.setattr(archive, name, self._count(getattr(archive, name)))

    def _count(self, whole):
        def counted(*given):
            for piece in whole(*given):
                self.bytes += len(piece)
                yield piece

        return counted


@pytest.fixture(scope="module")
def counted():
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield Counted(monkeypatch)


@pytest.fixture(scope="module")
def room():
    folder = Path(tempfile.mkdtemp(prefix="attendant-fuzz-"))
    yield folder
    shutil.rmtree(folder)


@settings(max_examples=1500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=damaged())
@example(data=b"PK\5\6")
@example(data=b"PK\5\6" + b"\0" * 18)
@example(data=b"PK\5\6" + b"\xff" * 18)
def test_there_is_an_answer_whatever_the_bytes(data, counted, room):
    (room / "game.zip").write_bytes(data)
    counted.bytes = 0
    tracemalloc.start()
    report = inspect(room / "game.zip", LIMITS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEMORY
    assert counted.bytes < BUDGET
    assert bool(report.findings) or report.ok
    assert all(f"{each.path}{each.sentence}".isprintable() for each in report.findings)
    if report.ok:
        unpacks_alike(report, data, room)
    assert {path.name for path in room.iterdir()} <= {"game.zip", "out"}


def unpacks_alike(report, data, room):
    target = room / "out"
    shutil.rmtree(target, ignore_errors=True)  # what a failed example left
    target.mkdir()
    unpack(room / "game.zip", report.members, target)
    assert sum(path.stat().st_size for path in target.rglob("*") if path.is_file()) == report.unpacked
    with zipfile.ZipFile(io.BytesIO(data)) as other:
        theirs = {(each.file_size, each.compress_size, each.CRC) for each in other.infolist()}
    assert {(each.size, each.packed, each.crc) for each in report.members} <= theirs
    shutil.rmtree(target)
