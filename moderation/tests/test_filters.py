"""What narrows the queue, one parameter at a time, and what is said of those that make no sense."""

from datetime import UTC, datetime

import pytest

from moderation.models import Comment
from moderation.testing import make_comment, make_game, make_player, make_report

URL = "/manage/comments/"


@pytest.fixture
def portal(db):
    moth = make_game(title="Moth & Lamp", slug="moth")
    moths = make_game(title="Moth & Lamp 2", slug="moth-2")
    kit, kitty = make_player(username="kit"), make_player(username="kitty")
    at = datetime(2026, 3, 10, 23, 59, tzinfo=UTC)
    make_report(make_comment(body="a", game=moth, player=kit, created_at=at))
    make_comment(body="b", game=moths, player=kitty, created_at=at.replace(day=11, hour=0, minute=0))
    make_comment(body="c", created_at=at.replace(day=12, hour=0, minute=0))
    return {"moth": moth, "moths": moths, "kit": kit, "kitty": kitty}


def bodies(person, **query):
    return "".join(row.body for row in person.get(URL, query).context["rows"])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"game": "Moth & Lamp"}, "a"),
        ({"game": "moth & lamp 2"}, "b"),
        ({"game": "moth"}, "a"),
        ({"game": "lamp"}, "ab"),
        ({"player": "KIT"}, "a"),
        ({"player": "itt"}, "b"),
        ({"player": "ki"}, "ab"),
        ({"reported": "yes"}, "a"),
        ({"reported": "1"}, "a"),
        ({"reported": "no"}, "bc"),
        ({"from": "2026-03-11"}, "bc"),
        ({"to": "2026-03-10"}, "a"),
        ({"from": "2026-03-11", "to": "2026-03-11"}, "b"),
        ({"to": "9999-12-31"}, "abc"),
        ({"games_text": "Moth & Lamp, moth-2"}, "ab"),
        ({"players_text": "kit,  Kitty,"}, "ab"),
        ({"game": "lamp", "player": "kit"}, "a"),
        ({"game": "nothing like it"}, ""),
    ],
)
def test_narrows(moses, portal, query, expected):
    assert bodies(moses, **query) == expected


def test_narrows_to_several_by_key(moses, portal):
    keys = [portal["moth"].pk, portal["moths"].pk]
    assert bodies(moses, games=keys) == "ab"
    assert bodies(moses, players=[portal["kitty"].pk]) == "b"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"from": "soon"}, "From: Write a day as 2026-01-31."),
        ({"from": "2026-02-31"}, "From: Write a day as 2026-01-31."),
        ({"from": "2026-02-02", "to": "2026-02-01"}, "To: The last day is before the first."),
        ({"reported": "perhaps"}, "Reported: “perhaps” is not on offer."),
        ({"order": "random"}, "Order: “random” is not on offer."),
        ({"games": "x"}, "Several games: “x” is none."),
        ({"players": "4711"}, "Several players: One of them is gone."),
        ({"players_text": "nobody"}, "Several players: No player is called “nobody”."),
        ({"players_text": ",".join("abcdefghijklmnopqrstu")}, "At most 20 names at once; these are 21."),
    ],
)
@pytest.mark.parametrize("url", [URL, "/manage/comments/panel/"])
def test_says_what_is_wrong(moses, portal, query, words, url):
    response = moses.get(url, query)
    assert response.status_code == 200
    assert words.partition(": ")[2 if url != URL else 0] in response.text


def test_a_mistake_in_the_dialog_opens_the_dialog_again(moses, portal):
    response = moses.get(URL, {"from": "2026-02-02", "to": "2026-02-01", "dialog": "1"}, htmx=True)
    assert (response.status_code, response["HX-Retarget"]) == (422, "#dialog-body")
    assert 'value="2026-02-02"' in response.text


def test_what_is_in_use_can_be_removed_one_by_one(moses, portal):
    page = moses.get(URL, {"game": "lamp", "players": portal["kit"].pk, "order": "newest"}).text
    assert f'href="?players={portal["kit"].pk}&amp;order=newest"' in page
    assert 'href="?game=lamp&amp;order=newest"' in page


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ({"player": "kittty", "status": "all"}, "kitty"),
        ({"game": "Moth and Lmap"}, "Moth &amp; Lamp"),
        ({"q": "kittyy"}, "kitty"),
        ({"q": "lovly spam"}, "lovely"),
        ({"q": "Moth & Lmap"}, "the game Moth &amp; Lamp"),
    ],
)
def test_a_typo_that_finds_nothing_gets_a_suggestion_that_finds_something(moses, portal, query, meant):
    make_comment(body="what a lovely game")
    response = moses.get(URL, query)
    assert f"<bdi>{meant}</bdi>" in response.text
    found = moses.get(URL + response.context["empty"]["meant_href"])
    assert found.context["rows"]


def test_nothing_is_suggested_when_nothing_is_like_it(moses, portal):
    assert "Did you mean" not in moses.get(URL, {"q": "xyzzyxyzzy"}).text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"game": "lam"}, ["Moth &amp; Lamp", "Moth &amp; Lamp 2"]),
        ({"player": "ki"}, ["kit", "kitty"]),
        ({"player": "k"}, []),
    ],
)
def test_names_are_offered_from_two_characters_on(moses, portal, query, names):
    page = moses.get("/manage/comments/suggest/", query, htmx=True).text
    assert page.count("<option") == len(names)
    for name in names:
        assert f'value="{name}"' in page


def test_the_next_one_is_the_next_of_the_list_one_came_from(moses, portal):
    first, last = Comment.objects.earliest("pk"), Comment.objects.latest("pk")
    page = moses.get(first.get_absolute_url(), {"next": f"{URL}?reported=yes"})
    assert page.context["following"] == ""
    page = moses.get(last.get_absolute_url(), {"next": f"{URL}?order=newest"})
    assert page.context["following"].startswith(f"/manage/comments/{last.pk - 1}/?next=")
