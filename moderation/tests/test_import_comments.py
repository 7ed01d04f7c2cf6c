"""import_comments on files as portals really write them."""

import csv

import pytest
from django.core.management import CommandError, call_command

from moderation import imports
from moderation.intake import comments
from moderation.models import Comment, CommentText, Player
from moderation.text import fold

HEADER = "COMMENT_ID,AUTHOR,DATE,CONTENT\n"
MAP = ["external_id=COMMENT_ID", "author=AUTHOR", "created_at=DATE", "body=CONTENT"]


@pytest.fixture
def run(db, tmp_path, capsys):
    def run(text, *options, mapping=MAP, name="export.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        flags = [part for pair in mapping for part in ("--map", pair)]
        call_command("import_comments", str(path), *flags, *options)
        return capsys.readouterr().out

    return run


def failure(run, *args, **kwargs):
    with pytest.raises(CommandError) as caught:
        run(*args, **kwargs)
    return caught.value


def test_keeps_bodies_exactly_as_sent(run):
    body = '<a href="x">2:19</a> best &amp; \ufeff'
    run("\ufeff" + HEADER + f'1,Ann,2013-11-07T06:20:48,"{body.replace(chr(34), chr(34) * 2)}"\n', "--game", "gangnam")
    comment = Comment.objects.select_related("player", "game").get()
    assert comment.body == body
    assert (comment.status, comment.player.username, comment.game.slug) == ("pending", "Ann", "gangnam")
    assert comment.created_at.isoformat() == "2013-11-07T06:20:48+00:00"
    assert CommentText.objects.count() == 1


def test_a_second_run_imports_nothing_twice(run):
    text = HEADER + "1,Ann,2013-11-07,hello\n2,Ann,2013-11-08,world\n"
    assert "Imported 2; 0 were there already." in run(text)
    assert "Imported 0; 2 were there already." in run(text)
    assert Player.objects.get().comment_count == 2


def test_missing_optional_is_filled_and_counted_missing_required_is_rejected(run, tmp_path):
    text = HEADER + "1,Ann,,hello\n,Ann,,no id\n3,,,no author\n4,Ann,,\n5,Ann,yesterday,odd date\n6,Ann\n"
    error = failure(run, text)
    assert error.returncode == 1
    assert "Rejected 5 rows" in str(error)
    with (tmp_path / "export.csv.rejects.csv").open() as file:
        rows = [(row["line"], row["reason"]) for row in csv.DictReader(file)]
    assert rows == [
        ("3", "external_id is missing"),
        ("4", "author is missing"),
        ("5", "body is missing"),
        ("6", "created_at is “yesterday”, not a date like 2026-01-31T12:00:00"),
        ("7", "has 2 columns, the header has 4"),
    ]
    assert Comment.objects.get().body == "hello"


def test_lines_are_counted_over_bodies_of_several_lines(run, tmp_path):
    failure(run, HEADER + '1,Ann,,"two\nlines"\n2,,,x\n')
    with (tmp_path / "export.csv.rejects.csv").open() as file:
        assert [row["line"] for row in csv.DictReader(file)] == ["4"]


def test_a_wrong_column_says_what_is_there(run):
    error = failure(run, HEADER + "1,Ann,,x\n", mapping=["external_id=COMMENT_ID", "author=AUTHOR", "body=TEXT"])
    assert error.returncode == 2
    assert "“TEXT” (for body)" in str(error)
    assert "“CONTENT”" in str(error)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (HEADER.encode() + "1,Ann,,x\n2,Zoë,,y\n".encode("latin-1"), "line 3 holds the byte 0xeb"),
        (HEADER.encode("utf-16"), "is UTF-16"),
    ],
)
def test_a_wrong_encoding_is_named_and_imports_nothing(run, data, words):
    error = failure(run, data)
    assert (error.returncode, words in str(error)) == (2, True)
    assert not Comment.objects.exists()


def test_a_dry_run_changes_nothing(run):
    assert "Would import 1" in run(HEADER + "1,Ann,,x\n", "--dry-run")
    assert not Comment.objects.exists()


def test_reads_json_lines(run):
    text = '{"external_id": 7, "author": "Ann", "body": "hi", "ip": "203.0.113.7"}\n'
    run(text, mapping=[], name="x.jsonl")
    assert Comment.objects.get(external_id="7").ip == "203.0.113.7"
    failure(run, text.replace("7,", "8,", 1) + "[1]\nnonsense\n", mapping=[], name="x.jsonl")
    assert Comment.objects.count() == 2


@pytest.mark.parametrize("options", [["--map", "x=y"], ["--map", "body"], ["--game", "no slug"]])
def test_wrong_usage_exits_with_2(run, options):
    assert failure(run, HEADER, *options).returncode == 2


def test_rejected_cells_are_no_formulas(run, tmp_path):
    failure(run, HEADER + "1,,,=cmd()\n")
    assert "'=cmd()" in (tmp_path / "export.csv.rejects.csv").read_text()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"1,{'A' * 191},,x", "author has 191 characters"),
        ("1,Ann,0001-01-01T00:00:00+05:00,x", "created_at is in the year 1"),
        ("1,Ann,9999-12-31T23:59:59-05:00,x", "created_at is in the year 9999"),
        ("1,Ann,2013-13-45,x", "not a date like"),
        ("1,Ann,,a\0b", "body holds a NUL character"),
    ],
)
def test_one_bad_row_stops_nobody_else(run, tmp_path, row, reason):
    failure(run, HEADER + row + "\n2,Zoe,,fine\n")
    assert reason in (tmp_path / "export.csv.rejects.csv").read_text()
    assert Comment.objects.get().body == "fine"


def test_half_a_character_and_no_slug_are_rejected_addresses_unwrapped(run):
    start = '{"external_id": 1, "author": "Ann", '
    lines = [r'"body": "cut \ud83d"}', '"body": "x", "game": "no slug"}', '"body": "x", "ip": "::ffff:203.0.113.7"}']
    failure(run, "".join(f"{start}{line}\n" for line in lines), mapping=[], name="x.jsonl")
    assert Comment.objects.get().ip == Player.objects.get().last_ip == "203.0.113.7"


def test_the_same_id_twice_in_one_file_is_taken_once(run):
    assert "Imported 1; 1 were there already." in run(HEADER + "1,Ann,,first\n1,Ann,,second\n")
    assert Comment.objects.get().body == "first"


BODIES = [r'"\"\\u0041 {x}', "%s %(x)s", "".join(map(chr, range(1, 161))), "\u2028 \U0001f469\u200d\U0001f467 \ufffe"]


@pytest.mark.parametrize("body", BODIES)
def test_no_character_is_lost_on_the_way_to_the_database(db, body):
    values = dict.fromkeys(imports.FIELDS) | {"external_id": body.strip(), "author": body.strip(), "body": body}
    imports.import_rows([(2, values)])
    text = CommentText.objects.select_related("comment__player").get()
    assert (text.comment.body, text.folded) == (body, fold(body))
    assert text.comment.external_id == text.comment.player.username == body.strip()


def test_players_keep_when_and_where_they_were_last_seen(run):
    header = "external_id,author,body,created_at,game,ip\n"
    run(header + "1,Ann,x,2013-02-02,old,203.0.113.1\n2,Ann,x,2013-02-01,older,203.0.113.2\n", mapping=[])
    run(header + "3,Ann,x,2013-01-01,oldest,203.0.113.3\n", mapping=[])
    player = Player.objects.get()
    assert (player.recent_game.slug, player.last_ip, player.comment_count) == ("old", "203.0.113.1", 3)
    assert (player.joined_at.isoformat()[:10], player.last_seen_at.isoformat()[:10]) == ("2013-01-01", "2013-02-02")
    run(header + "4,Ann,x,2013-03-03,new,\n", mapping=[])
    player.refresh_from_db()
    assert (player.recent_game.slug, player.last_ip, player.comment_count) == ("new", "203.0.113.1", 4)


def test_a_batch_that_fails_leaves_nothing_behind(run, monkeypatch):
    def fail(ids):
        raise RuntimeError

    monkeypatch.setattr(comments, "_keep_totals", fail)
    with pytest.raises(RuntimeError):
        run(HEADER + "1,Ann,,x\n")
    assert not Comment.objects.exists()
    assert not Player.objects.exists()


def test_a_second_run_lists_every_rejected_row_again(run, tmp_path):
    text = HEADER + "1,,,no author\n2,Ann,,x\n"
    for rows in (text, text + "3,,,none either\n"):
        failure(run, rows)
    with (tmp_path / "export.csv.rejects.csv").open() as file:
        assert [row["line"] for row in csv.DictReader(file)] == ["2", "4"]
