"""The child: what it may take, what it is told, and how its end is told."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from games import confined
from games.confined import MIB, Confined, run
from games.tests import zips
from games.tests.hostile import PARTS
from games.tests.zips import PAGE, Item, game


@pytest.fixture
def child(tmp_path, monkeypatch):
    """Runs a few lines as the module `guest`, from a checkout whose path has a space."""
    root = tmp_path / "a checkout"
    (root / "games").mkdir(parents=True)
    for source in Path(confined.__file__).parent.glob("*.py"):
        shutil.copy(source, root / "games")
    monkeypatch.setattr(confined, "ROOT", root)

    def child(lines, *arguments, timeout_s=20, **limits):
        (root / "guest.py").write_text(textwrap.dedent(lines))
        return run("guest", *arguments, timeout_s=timeout_s, **limits)

    return child


def test_it_answers_with_what_it_printed_also_with_spaces_in_every_path(child):
    assert child("import sys; print(sys.argv[1:])", "a b.zip", "ü") == "['a b.zip', 'ü']\n".encode()


def test_it_is_told_nothing_of_our_environment(child, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "secret")
    told = json.loads(child("import json, os; print(json.dumps(dict(os.environ)))"))
    assert set(told) - {"LC_CTYPE"} == {"PATH", "LANG", "PYTHONDONTWRITEBYTECODE"}


def test_it_has_no_input_and_leads_its_own_session(child):
    said = child("import os, sys; print(repr(sys.stdin.read()), os.getsid(0) == os.getpid())")
    assert said == b"'' True\n"


def test_its_limits_are_set_before_its_module_starts(child):
    lines = """
        import resource, json
        names = ("AS", "CPU", "FSIZE", "CORE", "NOFILE")
        print(json.dumps([resource.getrlimit(getattr(resource, f"RLIMIT_{name}")) for name in names]))
    """
    limits = json.loads(child(lines, memory=200 * MIB, cpu_s=7, fsize=3 * MIB))
    assert limits == [[200 * MIB] * 2, [7, 8], [3 * MIB] * 2, [0, 0], [64, 64]]


def test_memory_ends_at_the_limit(child):
    with pytest.raises(Confined, match="more memory than 128 MiB"):
        child("x = bytearray(400 << 20)", memory=128 * MIB)


def test_processor_time_ends_at_the_limit(child):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    with pytest.raises(Confined, match="processor time"):
        child("while True: pass", cpu_s=1)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 5


def test_a_file_ends_at_the_limit(child, tmp_path):
    with pytest.raises(Confined, match="File too large"):
        child("import sys; open(sys.argv[1], 'wb').write(bytes(9 << 20))", tmp_path / "big", fsize=MIB)
    assert (tmp_path / "big").stat().st_size <= MIB


def test_what_it_prints_ends_at_the_limit_too(child, monkeypatch):
    with pytest.raises(Confined):
        child("print('x' * (9 << 20))", fsize=MIB)
    monkeypatch.setattr(confined, "ANSWER", 10)
    with pytest.raises(Confined, match="more than anybody would read"):
        child("print('x' * 99)")


def test_time_ends_for_the_whole_group(child, tmp_path):
    lines = """
        import subprocess, sys, time
        helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        print(helper.pid, file=open(sys.argv[1], "w"), flush=True)
        time.sleep(60)
    """
    with pytest.raises(Confined, match="longer than 2 seconds"):
        child(lines, tmp_path / "pid", timeout_s=2)
    gone(int((tmp_path / "pid").read_text()))


def gone(pid):
    """Waits until the process has ended; a zombie has."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return
        if state == "Z":
            return
        time.sleep(0.05)
    pytest.fail(f"{pid} still runs")


def test_it_dies_with_whoever_asked(child, tmp_path):
    script = f"""
import sys; sys.path.insert(0, {str(confined.ROOT)!r})
from games.confined import run
run("guest", {str(tmp_path / "pid")!r}, timeout_s=60)
"""
    (confined.ROOT / "guest.py").write_text(
        "import os, sys, time\nprint(os.getpid(), file=open(sys.argv[1], 'w'), flush=True)\ntime.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script])
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
        assert parent.poll() is None
        time.sleep(0.02)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    gone(int((tmp_path / "pid").read_text()))


def test_it_does_nothing_for_somebody_who_has_gone():
    command = [
        sys.executable,
        "-m",
        "games.confined",
        "1",
        *[str(99 * MIB)] * 3,
        "games.archive",
        "inspect",
        "gone.zip",
    ]
    done = subprocess.run(command, cwd=confined.ROOT, capture_output=True)
    assert (done.returncode, done.stderr) == (confined.ORPHAN, b"")


def test_a_failure_is_told_in_a_line(child):
    with pytest.raises(Confined, match=r"exit code 1\. ZeroDivisionError: division by zero") as failed:
        child("1 / 0")
    assert not failed.value.no_room


def test_a_signal_is_told_by_name(child):
    with pytest.raises(Confined, match="ended by SIGSEGV"):
        child("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")


def test_a_full_disk_is_told_apart(child):
    with pytest.raises(Confined, match="disk is full") as failed:
        child("raise SystemExit(28)")
    assert failed.value.no_room


# --- the inspector in there ------------------------------------------------------------------------------------

MEASURED = """
    import pathlib, re, resource, runpy, sys
    try:
        runpy.run_module("games.archive", run_name="__main__", alter_sys=True)
    except SystemExit:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        # not ru_maxrss, which begins with what the caller had
        memory = re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1]
        print(f"\\n{memory} {usage.ru_utime + usage.ru_stime}")
"""


def measured(child, *arguments, **limits):
    """What the inspector said, its peak memory in KiB and its processor time in seconds."""
    said, usage = child(MEASURED, *arguments, **limits).splitlines()
    memory, seconds = usage.split()
    return json.loads(said), int(memory), float(seconds)


@pytest.fixture
def report_of(child, tmp_path):
    def report_of(data):
        path, report = tmp_path / "a game.zip", tmp_path / "report.json"
        path.write_bytes(data)
        report.write_bytes(run("games.archive", "inspect", path, timeout_s=30))
        return path, report

    return report_of


def test_inspector_and_unpacker_work_from_outside(report_of, tmp_path):
    path, report = report_of(game(Item("d/a.txt", b"a" * 99)))
    (target := tmp_path / "un packed").mkdir()
    assert json.loads(run("games.archive", "unpack", path, report, target, timeout_s=30)) == {"finding": None}
    assert {each.name for each in target.rglob("*")} == {"index.html", "d", "a.txt"}


def test_limits_may_be_given(child, tmp_path):
    (tmp_path / "game.zip").write_bytes(game(Item("a.txt", b"a" * 99)))
    said = run("games.archive", "inspect", tmp_path / "game.zip", json.dumps({"files": 1}), timeout_s=30)
    assert json.loads(said)["findings"][0]["code"] == "too_many_files"


def test_a_zip_that_changed_is_told_as_a_finding(report_of, tmp_path):
    path, report = report_of(game(Item("a.dat", b"a" * 99, method=0)))
    path.write_bytes(path.read_bytes().replace(b"aaaa", b"evil"))
    (target := tmp_path / "out").mkdir()
    said = json.loads(run("games.archive", "unpack", path, report, target, timeout_s=30))
    assert (said["finding"]["code"], said["finding"]["path"]) == ("corrupt", "a.dat")


def test_what_was_refused_is_not_unpacked(report_of, tmp_path):
    path, report = report_of(game(Item("a.php", b"a")))
    (target := tmp_path / "out").mkdir()
    said = json.loads(run("games.archive", "unpack", path, report, target, timeout_s=30))
    assert said["finding"]["code"] == "file_type"
    assert list(target.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists() or os.getuid(), reason="needs root to mount a small disk")
def test_a_full_disk_has_its_own_exit_code(report_of, tmp_path):
    path, report = report_of(game(Item("a.dat", b"a" * 4 * MIB)))
    (target := tmp_path / "small").mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", target], capture_output=True).returncode:
        pytest.skip("no mounting here")
    try:
        with pytest.raises(Confined) as full:
            run("games.archive", "unpack", path, report, target, timeout_s=30)
    finally:
        subprocess.run(["umount", target], check=True)
    assert full.value.no_room


BOMBS = {
    "1 GiB of zeros": PARTS["1 GiB of zeros"][1],
    "quoted overlap": zips.quoted_overlap(500, 2),
    "lying header": PARTS["lying header"][1],
    "packs nothing": PARTS["packs nothing"][1],
    "many lies": game(*(Item(f"{n}.dat", packed=zips.zeros(100), told={"size": 5 * MIB}) for n in range(30))),
    "nested": game(Item("inner.zip", zips.by_python({"a.dat": b"\0" * 20 * MIB}))),
    "long directory": game(*(Item("d/" * 2000 + f"{n}.txt", method=0) for n in range(900))),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_take_little_memory_and_no_disk(bomb, child, tmp_path):
    (tmp_path / "bomb.zip").write_bytes(BOMBS[bomb])
    report, memory, seconds = measured(child, "inspect", tmp_path / "bomb.zip")
    assert any(finding["level"] == "error" for finding in report["findings"]) == (bomb != "nested")
    assert memory < 64 << 10
    assert seconds < 5
    assert sum(path.stat().st_size for path in tmp_path.glob("*") if path.is_file()) == len(BOMBS[bomb])


def test_a_report_that_lies_writes_no_more_than_it_says(child, tmp_path):
    path, report, target = tmp_path / "game.zip", tmp_path / "report.json", tmp_path / "out"
    path.write_bytes(game(Item("a.dat", packed=zips.zeros(1024))))
    target.mkdir()
    start = path.read_bytes().index(zips.zeros(1)[:20])
    member = {"path": "a.dat", "size": 5 * MIB, "packed": 10**9, "method": 8, "offset": start, "crc": 0}
    report.write_text(json.dumps({"members": [member], "findings": [], "unpacked": 0, "wrapped": ""}))
    said, memory, _ = measured(child, "unpack", path, report, target)
    assert said["finding"]["code"] == "corrupt"
    assert memory < 64 << 10
    assert (target / "a.dat").stat().st_size <= 5 * MIB


def test_a_real_game_stays_small(child, tmp_path):
    files = {"index.html": PAGE} | {f"a/{n}.dat": os.urandom(20_000) for n in range(300)}
    (tmp_path / "game.zip").write_bytes(zips.by_python(files))
    report, memory, _ = measured(child, "inspect", tmp_path / "game.zip")
    assert report["findings"] == []
    assert memory < 64 << 10
