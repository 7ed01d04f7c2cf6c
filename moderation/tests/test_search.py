"""What a search finds, and that it does so from its indexes."""

import pytest
from django.db import connection

from moderation.filters import search_comments
from moderation.models import Comment
from moderation.testing import make_comment, make_player
from moderation.text import fold


def found(words):
    parts = search_comments(Comment.objects.all(), words)
    return set().union(*(part.values_list("body", flat=True) for part in parts))


@pytest.mark.parametrize(
    "words", ["kobyoshi02", "KOBYOSHI", "byosh", "  kobyoshi02 ", "ｋｏｂｙｏｓｈｉ", "obyoshi02 c"]
)
def test_finds_words_in_bodies_without_case_width_and_hidden_characters(db, words):
    make_comment(body="my channel: Kobyo\u200bSHI02 check it")
    make_comment(body="another")
    assert found(words) == {"my channel: Kobyo\u200bSHI02 check it"}


def test_finds_players_by_the_start_of_their_name_from_two_letters(db):
    make_comment(body="by zoe", player=make_player(username="Zoe Quick"))
    make_comment(body="by bozo", player=make_player(username="bozo"))
    assert found("zo") == {"by zoe"}
    assert found("ozo") == {"by bozo"}
    assert found("quick") == {"by zoe"}


@pytest.mark.parametrize("words", ["100%", "a_b", "a\\n", "50% off_", "'; --"])
def test_wildcards_are_plain_characters(db, words):
    make_comment(body=f"there is {words} in here")
    make_comment(body="there is 1000 axb in here")
    assert found(words) == {f"there is {words} in here"}


@pytest.mark.parametrize("text", ["İstanbul", "straße", "ﬁne", "a\u200db", "\ufeffx", "Ω"])
def test_fold_is_idempotent(text):
    assert fold(fold(text)) == fold(text)


def test_plain_text_folds_as_the_rest_does():
    text = "".join(map(chr, range(128)))
    assert fold(text) == fold(text + "\u200b") == text.lower()  # what cannot be seen forces the long way


def test_nul_and_one_letter_find_nothing_and_break_nothing(moses):
    make_comment()
    for words in ("\0", "a\0b", "x", " ", "%"):
        assert moses.get("/manage/comments/", {"q": words}).status_code == 200


@pytest.mark.parametrize(("words", "index"), [("kobyoshi", "comment_text"), ("ko", "player_name_start")])
def test_uses_its_index(db, words, index):
    with connection.cursor() as cursor:
        for way in (
            "seqscan",
            "indexscan",
            "indexonlyscan",
            "nestloop",
            "mergejoin",
        ):  # which pay on a table of nothing
            cursor.execute(f"SET LOCAL enable_{way} = off")
    plans = [part.explain() for part in search_comments(Comment.objects.all(), words)]
    assert any(index in plan for plan in plans)
