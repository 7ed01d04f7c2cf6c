"""The sample games are small, whole, and packed as several tools would pack them."""

import io
import re
import wave
import zipfile

import pytest
from PIL import Image

from games import samples

GAMES = ["bell-garden", "neon-drift", "star-hopper"]


def read(name, tool):
    return zipfile.ZipFile(io.BytesIO(samples.zipped(name, tool)))


@pytest.mark.parametrize("name", GAMES)
def test_a_game_is_small_and_misses_nothing(name):
    files = samples.files(name)
    assert sum(map(len, files.values())) < 100_000
    for path, data in files.items():
        if not path.endswith((".png", ".wav")):
            assert data.count(b"\n") < 120, path
            for link in re.findall(rb"""(?:src|href)="([^"]+)"|from "\./([^"]+)\"""", data):
                assert any(each.endswith(b"".join(link).decode()) for each in files), link


def test_they_differ_in_what_they_bring():
    assert samples.names() == GAMES
    with Image.open(io.BytesIO(samples.files("neon-drift")["cover.png"])) as cover:
        assert cover.size == (640, 400)
    with wave.open(io.BytesIO(samples.files("bell-garden")["sounds/bell.wav"])) as sound:
        assert sound.getnframes() > 10_000
    assert not [path for path in samples.files("star-hopper") if path.endswith(".png")]
    with pytest.raises(KeyError):
        samples.files("../tests")


@pytest.mark.parametrize("tool", samples.TOOLS)
@pytest.mark.parametrize("name", GAMES)
def test_a_zip_holds_the_game_and_is_the_same_each_time(name, tool):
    made = samples.zipped(name, tool)
    assert made == samples.zipped(name, tool)
    with read(name, tool) as archive:
        assert archive.testzip() is None
        contents = list(samples.files(name).values())
        assert [data for each in archive.namelist() if (data := archive.read(each)) in contents] == contents


def test_each_tool_has_its_manner():
    with read("bell-garden", "python") as archive:
        assert {each.flag_bits for each in archive.infolist()} == {0}
    with read("bell-garden", "stream") as archive:
        assert {each.flag_bits for each in archive.infolist()} == {8}
    with read("bell-garden", "finder") as archive:
        names = archive.namelist()
        assert {each.flag_bits for each in archive.infolist()} == {0, 8}
        assert {each.extra[:2] for each in archive.infolist()} == {b"UX"}
    assert {"Bell Garden/", "Bell Garden/index.html", "Bell Garden/.DS_Store", "Bell Garden/js/"} <= set(names)
    assert "__MACOSX/Bell Garden/._index.html" in names
