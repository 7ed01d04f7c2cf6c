"""What is refused, each kind for its own reason; nothing of it reaches the disk, and what is said of it is harmless."""

from pathlib import Path

import pytest

from games import archive, filetypes
from games.archive import Broken, Limits, Member, Report, inspect, unpack
from games.tests.hostile import CASES, GAME, PARTS, TOO, A, damaged
from games.tests.zips import MIB, PAGE, PNG, Item, game, pack


@pytest.fixture
def look(tmp_path):
    def look(data, limits=None):
        path = tmp_path / "game.zip"
        path.write_bytes(data)
        return inspect(path, limits)

    return look


def errors(report):
    return {finding.code for finding in report.findings if finding.level == "error"}


@pytest.mark.parametrize(("name", "codes", "data"), CASES, ids=[name for name, _, _ in CASES])
def test_each_is_refused_for_its_own_reason(name, codes, data, look, tmp_path):
    report = look(data)
    assert errors(report) == codes | TOO.get(name, set())
    assert (report.ok, report.members) == (False, ())
    for finding in report.findings:
        assert finding.sentence.endswith(".")
        assert f"{finding.path}{finding.sentence}".isprintable(), "one line, nothing hidden"
        assert len(finding.path) <= 120
    assert [path.name for path in tmp_path.iterdir()] == ["game.zip"]
    assert Report.from_json(report.to_json()) == report


def test_many_files_are_refused_by_their_number_alone(look, monkeypatch):
    monkeypatch.setattr(archive.zipread, "_walk", None)
    report = look(game(*(Item(f"{number}.txt", method=0) for number in range(20_000))))
    assert [(each.code, each.sentence[:6]) for each in report.findings] == [("too_many_files", "20,001")]


def test_nothing_is_inflated_when_the_headers_say_enough(look, monkeypatch):
    monkeypatch.setattr(archive, "_contents", None)
    for name in ("1 GiB of zeros", "60 x 40 MiB", "ratio", "quoted overlap of 20 MiB", "1,001 files", "hidden file"):
        assert not look(PARTS[name][1]).ok


def test_a_stream_that_makes_nothing_is_given_up_early(look, monkeypatch):
    fed = []
    whole = archive._stored
    monkeypatch.setattr(archive, "_stored", lambda *given: (fed.append(len(piece)) or piece for piece in whole(*given)))
    assert not look(PARTS["packs nothing"][1]).ok
    assert sum(fed) < 300_000


def test_what_promises_too_little_is_stopped_there(look, monkeypatch):
    made = []
    whole = archive._inflated
    monkeypatch.setattr(archive, "_inflated", lambda *it: (made.append(len(piece)) or piece for piece in whole(*it)))
    assert not look(PARTS["lying header"][1]).ok
    assert sum(made) <= 2 * MIB + archive.CHUNK + len(PAGE)


def test_after_many_damaged_files_the_rest_is_left(look, monkeypatch):
    seen = []
    whole = archive._contents
    monkeypatch.setattr(archive, "_contents", lambda file, member: seen.append(member) or whole(file, member))
    report = look(game(*(Item(f"{number}.dat", packed=b"\xff" * 99, told={"size": 99}) for number in range(500))))
    assert len(seen) == 21
    assert "the rest was not looked into" in report.findings[-1].sentence


def test_all_that_is_wrong_is_said_at_once(look):
    report = look(pack(Item("../a.txt"), Item("a.php"), Item("b.png", PAGE), Item("c.txt", mode=0o120777), A, A))
    assert errors(report) == {"path_traversal", "file_type", "link", "duplicate"}
    assert {each.path for each in report.findings} == {"../a.txt", "a.php", "b.png", "c.txt", "a.txt"}


def test_a_hundred_findings_are_kept_and_the_rest_is_counted(look):
    report = look(game(*(Item(f"{number}.php") for number in range(130))))
    assert len(report.findings) == 101
    assert (report.findings[-1].code, report.findings[-1].level) == ("more", "error")
    assert "30 more" in report.findings[-1].sentence


def test_warnings_never_crowd_out_an_error(look):
    report = look(game(*(Item(f"{number}.zip") for number in range(130)), Item("evil.php")))
    assert report.findings[0].code == "file_type"
    assert report.findings[-1].level == "warning"


def test_sentences_give_the_numbers_and_the_way_out(look):
    def said(name):
        return " ".join(finding.sentence for finding in look(PARTS[name][1]).findings)

    assert "1,001 files; at most 1,000 are allowed" in said("1,001 files")
    assert "1,024 MiB; at most 100 MiB" in said("1 GiB of zeros")
    assert "Rename it to index.html" in said("index in capitals")
    assert "a/index.html, b/index.html" in said("two indexes")
    assert "lies in a/b" in said("index two folders down")
    assert "RAR" in said("a RAR")
    assert "password" in said("AES")


def test_backslashes_and_hidden_folders_are_told_once(look):
    report = look(game(*(Item(f"Build\\{number}.js") for number in range(50)), *(Item(f".git/{n}") for n in range(50))))
    assert [each.code for each in report.findings] == ["backslash", "file_type"]
    assert "49 other names" in report.findings[0].sentence
    assert "7-Zip" in report.findings[0].sentence


def test_both_names_of_a_collision_are_shown(look):
    (finding,) = look(game(Item("a/Tile.txt"), Item("a/tile.txt"))).findings
    assert finding.path == "a/tile.txt"
    assert "a/Tile.txt" in finding.sentence


def test_hostile_names_are_shown_escaped_and_short(look):
    report = look(game(Item("a\x1b\r\n\u202e" + "x" * 500 + ".txt")))
    assert report.findings[0].path.startswith("a\\x1b\\r\\n\\u202ex")
    assert len(report.findings[0].path) == 120


def test_only_what_is_in_the_report_is_written_and_nowhere_else(look, tmp_path):
    report = look(GAME)
    (target := tmp_path / "out").mkdir()
    for path in ("../evil.txt", "/evil.txt", "a\\b.txt", "a/../../b.txt", "a\0.txt", ""):
        with pytest.raises(Broken):
            unpack(tmp_path / "game.zip", [Member(**{**_fields(report.members[1]), "path": path})], target)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["game.zip", "out"]


def _fields(member):
    return {name: getattr(member, name) for name in Member.__slots__}


def test_a_zip_that_changed_after_the_report_is_broken(look, tmp_path):
    report = look(game(Item("a.dat", b"a" * 999, method=0)))
    path = tmp_path / "game.zip"
    path.write_bytes(damaged(path.read_bytes(), b"aaaa", b"evil"))
    (target := tmp_path / "out").mkdir()
    with pytest.raises(Broken) as broken:
        unpack(path, report.members, target)
    assert (broken.value.finding.code, broken.value.finding.path) == ("corrupt", "a.dat")


@pytest.mark.parametrize("size", [0, 60])
def test_a_zip_that_was_cut_after_the_report_is_broken(size, look, tmp_path):
    report = look(GAME)
    (tmp_path / "game.zip").write_bytes(GAME[:size])
    (target := tmp_path / "out").mkdir()
    with pytest.raises(Broken):
        unpack(tmp_path / "game.zip", report.members, target)


def test_what_lies_in_the_target_is_not_touched(look, tmp_path):
    report = look(GAME)
    (target := tmp_path / "out").mkdir()
    (tmp_path / "kept.html").write_text("kept")
    (target / "index.html").symlink_to(tmp_path / "kept.html")
    with pytest.raises(FileExistsError):
        unpack(tmp_path / "game.zip", report.members, target)
    assert (tmp_path / "kept.html").read_text() == "kept"


def test_a_zip_over_the_limit_is_not_opened_up(look):
    (finding,) = look(GAME, Limits(zip=100)).findings
    assert finding.code == "size"


def test_a_missing_file_is_the_caller_s_trouble(tmp_path):
    with pytest.raises(FileNotFoundError):
        inspect(tmp_path / "gone.zip")


def test_every_ending_belongs_to_one_kind():
    endings = " ".join(filetypes._TABLE.values()).split()
    assert len(endings) == len(set(endings))
    assert not {"php", "exe", "sh", "bat", "cmd", "ps1", "hta", "lnk", "dll", "msi", "jsp", "py"} & set(endings)


def test_the_inspector_does_not_know_django():
    for module in ("archive", "confined", "filetypes", "findings", "zipnames", "zipread"):
        text = Path(archive.__file__).with_name(f"{module}.py").read_text()
        assert "import django" not in text
        assert "from django" not in text
        assert "import zipfile" not in text


def test_a_picture_is_known_by_its_first_bytes(look):
    assert look(game(Item("a.png", PNG))).ok
