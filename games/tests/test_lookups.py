"""What fields look up while somebody types: for whom it may be, from two characters on, at most 20, names alone."""

import json

import pytest
from django.core import signing

from console.testing import make_user
from games.testing import make_game
from games.upload import UploadForm
from moderation.filters import CommentFilter
from moderation.testing import make_player
from moderation.widgets import SALT, let_ask

OPTIONS = {
    "players": "/manage/comments/options/",
    "games": "/manage/comments/options/",
    "game": "/manage/games/options/",
}
NAMES = {"author": "/manage/games/authors/", "player": "/manage/comments/suggest/", "game": "/manage/comments/suggest/"}


def field_id(name, user):
    """What the field says when it is drawn for this person (None: for nobody)."""
    form = UploadForm(by=user) if name == "game" else CommentFilter({}, whole=True).form
    if user and name != "game":
        let_ask(form, user)
    str(form[name])
    return form.fields[name].widget.field_id


def ask(person, name, term, key=None):
    return person.get(OPTIONS[name], {"term": term, "field_id": key or field_id(name, person.user)})


@pytest.fixture
def many(db):
    for number in range(25):
        make_player(username=f"nelly{number:02}", email=f"nelly{number}@secret.example", last_ip="203.0.113.77")
        make_game(title=f"Neon {number:02}")


@pytest.mark.parametrize("name", OPTIONS)
def test_twenty_at_most_are_offered_and_names_alone(olga, many, name):
    said = ask(olga, name, "ne").json()
    assert len(said["results"]) == 20
    assert {tuple(sorted(each)) for each in said["results"]} == {("id", "text")}
    assert all(each["text"].startswith(("nelly", "Neon")) for each in said["results"])


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("term", ["", "n", " n ", "\0n", "\0\0\0"])
def test_less_than_two_characters_look_nothing_up(olga, many, name, term):
    assert ask(olga, name, term).json() == {"results": [], "more": False}


@pytest.mark.parametrize("term", ["", "n", " n "])
@pytest.mark.parametrize("name", NAMES)
def test_names_are_offered_from_two_characters_on_and_ten_at_most(olga, many, name, term):
    assert "<option" not in olga.get(NAMES[name], {name: term}, htmx=True).text
    offered = olga.get(NAMES[name], {name: "ne"}, htmx=True).text
    assert offered.count("<option") == 10
    assert "secret" not in offered
    assert "203.0.113.77" not in offered


@pytest.mark.parametrize("name", OPTIONS)
def test_nobody_is_found_by_what_is_not_shown(olga, many, name):
    for term in ("secret", "nelly1@", "203.0"):
        assert ask(olga, name, term).json()["results"] == []


@pytest.mark.parametrize("name", OPTIONS)
def test_a_field_is_of_no_use_to_anybody_else(olga, lea, many, name):
    assert ask(olga, name, "ne").status_code == 200
    assert ask(lea, name, "ne", field_id(name, olga.user)).status_code == 404
    assert ask(lea, name, "ne", field_id(name, None)).status_code == 404
    assert ask(lea, name, "ne", field_id(name, lea.user)).status_code == 200


@pytest.mark.parametrize("name", OPTIONS)
def test_a_forged_field_is_not_found(olga, name):
    good = field_id(name, olga.user)
    uuid, _ = signing.loads(good, salt=SALT)
    forged = ["", "x", good[:-1] + ("A" if good[-1] != "A" else "B"), signing.dumps(uuid)]
    forged += [signing.dumps(uuid, salt=SALT), signing.dumps(["gone", olga.user.pk], salt=SALT), json.dumps(uuid)]
    for key in forged:
        assert olga.get(OPTIONS[name], {"term": "ne", "field_id": key}).status_code == 404, key
        assert olga.get(OPTIONS[name], {"term": "n", "field_id": key}).status_code == 404, key


def test_a_field_of_one_page_asks_nothing_of_another(olga, many):
    key = field_id("players", olga.user)
    assert olga.get(OPTIONS["game"], {"term": "ne", "field_id": key}).status_code == 404


@pytest.mark.parametrize(
    ("who", "name"), [("rita", "players"), ("rita", "games"), ("sam", "game"), ("sam", "players"), ("nora", "game")]
)
def test_who_may_not_read_them_looks_nothing_up(request, many, who, name):
    person = request.getfixturevalue(who)
    assert ask(person, name, "ne").status_code == 403


def test_the_library_has_no_door_of_its_own(olga, db):
    key = field_id("players", make_user("kit"))
    for path in ("/select2/fields/auto.json", "/manage/select2/fields/auto.json"):
        assert olga.get(path, {"term": "ne", "field_id": key}).status_code == 404
