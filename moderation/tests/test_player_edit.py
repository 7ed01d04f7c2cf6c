"""Editing a player: what is sent, what is kept of it, and what becomes of two who edit at once."""

import pytest

from console.models import Entry, Gesture
from console.testing import form, undo_form
from moderation.models import Player
from moderation.testing import make_player

STORED = {"username": "kit", "email": "kit@mail.example", "bio": "I like\nsnails", "is_active": True}


@pytest.fixture
def kit(db):
    return make_player(**STORED)


def url(player):
    return f"/manage/players/{player.pk}/edit/"


def sent(player, **fields):
    """What a browser sends: every field, and beside each what it was drawn with."""
    drawn = {name: str(getattr(player, name)) for name in STORED}
    shown = drawn | {"bio": drawn["bio"].replace("\n", "\r\n"), "is_active": ["off", "on"]}
    return form(player, **shown | {f"initial-{name}": value for name, value in drawn.items()} | fields)


def kept(player):
    return Player.objects.values(*STORED).get(pk=player.pk)


def test_the_form_holds_what_is_stored(lea, kit):
    page = lea.get(url(kit)).text
    for words in ('value="kit"', 'value="kit@mail.example"', "I like\nsnails", "checked"):
        assert words in page


def test_an_edit_is_on_record_by_reference_and_undone(lea, kit):
    response = lea.post(url(kit), sent(kit, email="new@mail.example", is_active="off"), follow=True)
    assert "kit was edited." in response.text
    assert kept(kit) == STORED | {"email": "new@mail.example", "is_active": False}
    entry = Entry.objects.get()
    assert set(entry.before) == set(entry.after) == {"email", "is_active"}
    assert set(entry.after["email"]) == {"$ref"}
    assert "mail.example" not in f"{entry.before}{entry.after}"
    lea.post(entry.get_undo_url(), undo_form(next="/manage/players/"))
    assert kept(kit) == STORED


def test_only_what_was_touched_is_on_record(lea, kit):
    lea.post(url(kit), sent(kit, bio="I like\r\nsnails, still"))
    assert kept(kit) == STORED | {"bio": "I like\nsnails, still"}
    assert list(Entry.objects.get().after) == ["bio"]


@pytest.mark.parametrize("htmx", [False, True])
def test_an_edit_that_changes_nothing_is_answered_kindly_and_leaves_no_trace(lea, kit, htmx):
    response = lea.post(url(kit), sent(kit, next="/manage/players/"), htmx=htmx, follow=not htmx)
    assert response.status_code == 200
    assert "Nothing was changed: kit was like that already." in response.text
    assert not Gesture.objects.exists()
    kit.refresh_from_db()
    assert kit.version == 0


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"username": "   "}, "Write a name; a player needs one."),
        ({"username": "k" * 201}, "A name has at most 200 characters."),
        ({"email": "kit at mail"}, "Write an e-mail address as name@example.com, or none."),
        ({"email": f"{'k' * 250}@mail.example"}, "An e-mail address has at most 254 characters."),
        ({"bio": "k" * 20_001}, "A bio has at most 20,000 characters."),
    ],
)
def test_what_cannot_be_is_refused_in_words_and_nothing_typed_is_lost(lea, kit, fields, words):
    typed = {"bio": "typed with care"} | fields
    response = lea.post(url(kit), sent(kit, **typed))
    assert response.status_code == 422
    assert words in response.text
    assert "typed with care" in response.text or "bio" in fields
    assert kept(kit) == STORED


def test_what_the_portal_sent_need_not_be_mended_to_edit_something_else(lea):
    odd = make_player(username=" kit ", email="none", bio="")
    assert lea.post(url(odd), sent(odd, bio="new")).status_code == 303
    assert kept(odd) == {"username": " kit ", "email": "none", "bio": "new", "is_active": True}


def test_a_field_that_a_script_does_not_send_stays(lea):
    off = make_player(**STORED | {"is_active": False})
    assert lea.post(url(off), form(off, username="kat")).status_code == 303
    assert kept(off) == STORED | {"username": "kat", "is_active": False}


def test_somebody_quicker_leaves_what_was_typed_and_what_was_not_touched_follows(lea, olga, kit):
    mine = sent(kit, bio="typed with care")
    olga.post(url(kit), sent(kit, email="olga@mail.example"))
    response = lea.post(url(kit), mine)
    assert response.status_code == 409
    assert "olga edited this player" in response.text
    form_again = response.context["form"]
    assert form_again["bio"].value() == "typed with care"
    assert form_again["email"].value() == "olga@mail.example"
    again = {name: form_again[name].value() for name in ("username", "email", "bio", "version", "idempotency_key")}
    again |= {f"initial-{name}": form_again.data[f"initial-{name}"] for name in STORED}
    assert lea.post(url(kit), again).status_code == 303
    assert kept(kit) == STORED | {"bio": "typed with care", "email": "olga@mail.example"}


def test_the_same_click_twice_is_one_edit(lea, kit):
    data = sent(kit, bio="new")
    for _ in range(2):
        page = lea.post(url(kit), data, follow=True).text
    assert "kit was already edited." in page
    assert Entry.objects.count() == 1


@pytest.mark.parametrize("who", ["moses", "ann", "rita"])
def test_only_those_who_may_edit_do(request, kit, who):
    person = request.getfixturevalue(who)
    assert person.get(url(kit)).status_code == 403
    assert person.post(url(kit), sent(kit, bio="new")).status_code == 403
    assert kept(kit) == STORED
