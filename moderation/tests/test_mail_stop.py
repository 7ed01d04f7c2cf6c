"""The link by which a player asks for no more mails: a button, and the POST that mail programs send."""

import pytest
from django.test import Client

from console.models import Entry
from moderation.mails import drawing
from moderation.mails.topics import Part
from moderation.models import Player
from moderation.testing import make_player


@pytest.fixture
def ada(db, settings):
    settings.CONSOLE_URL, settings.PORTAL_NAME = "https://console.example", "Neon <Arcade>"
    return make_player(username="ada", email="ada@mail.example")


@pytest.fixture
def path(ada):
    return drawing.stop_url(ada).removeprefix("https://console.example")


def stopped():
    return Player.objects.get().mail_stopped_at is not None


def test_looking_at_the_link_changes_nothing(nobody, path):
    response = nobody.get(path)
    assert response.status_code == 200
    assert "Do not write to me again" in response.text
    assert "Neon &lt;Arcade&gt;" in response.text
    assert "ada" not in response.text, "whoever has the link need not know whose it is"
    assert not stopped()


def test_the_button_does_it_once_and_on_record(nobody, path):
    for _ in range(2):
        response = nobody.post(path)
        assert response.status_code == 200
        assert "You get no more mails" in response.text
    assert stopped()
    entry = Entry.objects.get()
    assert (entry.verb, entry.actor) == ("player.stop_mail", None)


def test_a_mail_program_does_it_without_a_cookie(db, path):
    sent = {"List-Unsubscribe": "One-Click"}
    assert Client(enforce_csrf_checks=True).post(path, sent).status_code == 200
    assert stopped()


@pytest.mark.parametrize("broken", ["x", "Mjg:1xV2Do:4uOMbwvW3HMwriClM3Wi9jfY7vYkFLdNCgx7v2V5hVg"])
def test_a_link_that_is_none_of_ours_opens_nothing(nobody, ada, path, broken):
    for method in (nobody.get, nobody.post):
        assert method(f"/mail/stop/{broken}/").status_code == 404
    assert nobody.get(path.replace("stop/", "stop/1")).status_code == 404
    assert not stopped()


def test_where_the_console_is_reached_has_to_be_known(ada, settings):
    settings.CONSOLE_URL = ""
    assert drawing.stop_url(ada) == ""
    _, text, html = drawing.draw("ada", [Part("unbanned")])
    assert "write to me" not in text + html
