"""What real tools make is welcome, and comes out of the zip as it went in."""

import os
import shutil
import stat
import subprocess

import pytest

from games.archive import CHUNK, Limits, Report, inspect, unpack
from games.tests import zips
from games.tests.zips import PAGE, PNG, Item, game, pack

VALID = zips.valid()


@pytest.fixture
def put(tmp_path):
    def write(data):
        (tmp_path / "game.zip").write_bytes(data)
        return tmp_path / "game.zip"

    return write


def tree(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("shape", VALID)
def test_what_tools_make_is_welcome_and_unpacks(shape, put, tmp_path):
    path, target = put(VALID[shape]), tmp_path / "out"
    report = inspect(path)
    assert [finding.code for finding in report.findings if finding.level == "error"] == []
    target.mkdir()
    unpack(path, report.members, target)
    files = tree(target)
    assert files["index.html"] == PAGE
    assert {member.path: member.size for member in report.members} == {name: len(data) for name, data in files.items()}
    assert report.unpacked == sum(map(len, files.values()))


def test_a_report_survives_being_told_as_json(put):
    report = inspect(put(VALID["finder"]))
    assert Report.from_json(report.to_json()) == report


def test_what_the_finder_adds_is_left_out_and_its_names_are_read_as_utf8(put):
    report = inspect(put(VALID["finder"]))
    assert [member.path for member in report.members] == ["index.html", "музыка/тема.mp3"]
    assert report.wrapped == "Blocks"
    (note,) = report.findings
    assert (note.code, note.level) == ("dropped", "note")
    assert "1 other name" in note.sentence


def test_only_one_folder_is_taken_off(put):
    report = inspect(put(zips.by_python({"a/index.html": PAGE, "a/b/index.html": PAGE})))
    assert [member.path for member in report.members] == ["index.html", "b/index.html"]


def test_archives_inside_are_kept_and_flagged(put):
    report = inspect(put(VALID["nested"]))
    assert [(each.code, each.level, each.path) for each in report.findings] == [
        ("nested_archive", "warning", "mods.zip"),
        ("nested_archive", "warning", "game.data"),
    ]
    assert len(report.members) == 3


def test_a_guessed_name_is_told(put):
    report = inspect(put(VALID["code page 437"]))
    assert report.members[1].path == "größe.txt"
    assert [each.code for each in report.findings] == ["name_guessed"]


@pytest.mark.parametrize(
    ("limits", "files"),
    [
        (Limits(files=3), {"index.html": PAGE, "a.txt": b"", "b.txt": b""}),
        (Limits(file=1000, unpacked=1000 + len(PAGE)), {"index.html": PAGE, "a.dat": b"x" * 1000}),
        (Limits(path=240), {"index.html": PAGE, "a" * 236 + ".txt": b""}),
        (Limits(path=240), {"index.html": PAGE, "é" * 118 + ".txt": b""}),
        (Limits(depth=16), {"index.html": PAGE, "d/" * 15 + "a.txt": b""}),
        (Limits(ratio_from=1 << 20), {"index.html": PAGE, "a.dat": b"\0" * 900_000}),
    ],
    ids=["files", "sizes", "path", "path in bytes", "depth", "ratio below its floor"],
)
def test_what_just_fits_is_welcome(limits, files, put):
    assert inspect(put(zips.by_python(files)), limits).ok


def test_a_zip_of_exactly_the_limit_is_welcome(put):
    data = game(Item("a.bin", b"a"))
    assert inspect(put(data), Limits(zip=len(data))).ok
    assert not inspect(put(data), Limits(zip=len(data) - 1)).ok


def test_folders_and_what_is_left_out_do_not_count_as_files(put):
    files = {"index.html": PAGE} | {f"__MACOSX/._{number}": b"" for number in range(5)} | {"d/": b"", "e/": b""}
    assert inspect(put(zips.by_python(files)), Limits(files=1)).ok


@pytest.mark.parametrize(
    "name", ["a b.txt", "ünï.txt", "می‌خواهم.txt", "👩‍🚀.png", "(1) [2] {3}+&=@!#$%^~'`,;.txt", "LICENSE"]
)
def test_unusual_names_are_welcome(name, put):
    assert inspect(put(game(Item(name, PNG if name.endswith("png") else b"x")))).ok


def test_an_empty_file_of_any_kind_is_welcome(put):
    assert inspect(put(game(Item("a.png"), Item("b.mp3", method=0)))).ok


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.png", b"\xff\xd8\xff\xe0"),
        ("a.svg", b"<?xml version='1.0'?>\n<svg onload='x()'>"),
        ("a.data", b"<html>"),
        ("a.js", b"#!/usr/bin/env node\n"),
        ("a.bin", b"MZ is not always a program"),
        ("a.wasm", b"\x1f\x8b\x08"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_content_that_only_looks_odd_is_welcome(name, head, put):
    assert inspect(put(game(Item(name, head)))).findings == ()


def test_files_and_folders_are_plain_whatever_the_zip_says(put, tmp_path):
    path = put(pack(Item("index.html", PAGE, mode=0o100777), Item("d/a.txt", b"a", mode=0o100000)))
    (target := tmp_path / "out").mkdir()
    mask = os.umask(0o077)
    try:
        unpack(path, inspect(path).members, target)
    finally:
        os.umask(mask)
    assert {stat.S_IMODE(each.stat().st_mode) for each in target.rglob("*") if each.is_file()} == {0o644}
    assert stat.S_IMODE((target / "d").stat().st_mode) == 0o755


@pytest.mark.parametrize(
    "command", [["zip", "-qr", "-", "."], ["zip", "-qr", "-0", "-", "."], ["7z", "a", "-tzip", "-so", "-an", "."]]
)
def test_what_the_tools_of_this_machine_make_is_welcome(command, put, tmp_path):
    if not shutil.which(command[0]):
        pytest.skip(f"no {command[0]} here")
    source = tmp_path / "source"
    (source / "музыка").mkdir(parents=True)
    (source / "index.html").write_bytes(PAGE)
    (source / "музыка" / "a.txt").write_bytes(b"a" * 999)
    made = subprocess.run(command, cwd=source, capture_output=True, check=True).stdout
    report = inspect(put(made))
    assert report.findings == ()
    assert {member.path for member in report.members} == {"index.html", "музыка/a.txt"}


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, CHUNK + 200, 2 * CHUNK, 5 * CHUNK + 257])
def test_files_of_any_length_are_read_to_their_end(size, put):
    assert inspect(put(game(Item("a.dat", b"\0" * size), Item("b.dat", os.urandom(size))))).findings == ()
