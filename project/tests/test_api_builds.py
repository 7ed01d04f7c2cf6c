"""Builds by the API: the same way in as by hand, and how far each is."""

from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from console.models import Entry, Job
from console.testing import make_token
from games import quarantine
from games.models import Build, Game
from games.testing import make_game

URL = "/api/v1/builds/"


@pytest.fixture(autouse=True)
def quarantine_of_its_own(settings, tmp_path):
    """Others upload at the same time, and the tests here count what is left over."""
    settings.QUARANTINE_DIR = tmp_path / "quarantine"
    return settings.QUARANTINE_DIR


@pytest.fixture
def portal(db):
    return Client(headers={"Authorization": f"Bearer {make_token('builds:write', name='The portal')}"})


def zipped(content=b"PK a zip"):
    return SimpleUploadedFile("game.zip", content, "application/zip")


def left_over():
    folder = Path(settings.QUARANTINE_DIR)
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_a_build_of_a_new_game_is_on_its_way(portal):
    response = portal.post(URL, {"zip": zipped(), "title": "Neon Drift", "tags": "racing, fast"})
    assert response.status_code == 202, response.text
    build = Build.objects.get()
    said = {"game": "neon-drift", "number": 1, "state": "received", "error": None, "findings": []}
    assert response.json() == said
    assert portal.get(f"{URL}neon-drift/1/").json() == said
    assert quarantine.path_of(build.zip).exists()
    assert Job.objects.filter(pk=build.job_id).exists()
    entry = Entry.objects.filter(verb="build.receive").first()
    assert entry.actor is None
    assert set(Game.objects.get().tags.names()) == {"racing", "fast"}


def test_a_new_build_of_a_game_that_is_there(portal):
    game = make_game()
    assert portal.post(URL, {"zip": zipped(), "game": game.slug}).json()["game"] == game.slug
    assert portal.post(URL, {"zip": zipped(b"PK other"), "game": "nowhere"}).status_code == 422


def test_the_same_zip_is_told_where_it_is(portal):
    portal.post(URL, {"zip": zipped(), "title": "Neon Drift"})
    before = left_over()
    again = portal.post(URL, {"zip": zipped(), "title": "Neon Drift"})
    assert (again.status_code, again.json()["game"], again.json()["number"]) == (409, "neon-drift", 1)
    assert (Build.objects.count(), left_over()) == (1, before)


def test_the_same_request_by_key_makes_one_build(portal):
    first, second = (
        portal.post(URL, {"zip": zipped(), "title": "Neon Drift"}, headers={"Idempotency-Key": "k1"}) for _ in range(2)
    )
    assert first.text == second.text
    assert Build.objects.count() == 1


def test_what_lacks_something_is_refused_and_nothing_kept(portal):
    before = left_over()
    for fields, names in (({"zip": zipped()}, ["title"]), ({"title": "Neon"}, ["zip"])):
        response = portal.post(URL, fields)
        assert (response.status_code, list(response.json()["errors"])) == (422, names)
    assert (Build.objects.count(), left_over()) == (0, before)


def test_it_takes_its_scope(db):
    stranger = Client(headers={"Authorization": f"Bearer {make_token('bans:read')}"})
    assert stranger.post(URL, {"zip": zipped(), "title": "x"}).status_code == 403
    assert stranger.get(f"{URL}x/1/").status_code == 403
