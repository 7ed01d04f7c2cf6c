"""A build that can be played, and how a browser asks for its files."""

import pytest

from games.tests.builds import FILES, make_playable, signed


@pytest.fixture(autouse=True)
def _origin(settings):
    settings.PREVIEW_ORIGIN = "http://{build}.play.localhost:8000"


@pytest.fixture
def build(db):
    return make_playable(FILES)


@pytest.fixture
def ask(client, build):
    """`ask("js/game.js")` asks for a file of the build with a fresh ticket."""

    def ask(path="index.html", method="get", *args, host=f"{build.prefix.hex}.play.localhost", ticket="", **headers):
        url = f"/{ticket or signed(build)}/{path}"
        return getattr(client, method)(url, *args, headers={"host": host, **headers})

    return ask
