"""Games lie in a folder or in S3: with the options that settings make of STORAGE, both behave alike."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.exceptions import BotoCoreError
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.files.storage.handler import StorageHandler
from moto.server import ThreadedMotoServer

from games import pipeline
from project.settings import _storage

NAMES = [
    "builds/0a/index.html",
    "builds/0a/art/the big one.png",
    "builds/0a/музыка/été 100% #1?.ogg",
    "builds/0b/a+b.js",
]


@pytest.fixture(scope="module")
def s3():
    """The address of an S3 that moto plays."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def amazon(s3, monkeypatch):
    at(monkeypatch, s3)
    boto3.resource("s3", endpoint_url=s3).create_bucket(Bucket="portal")
    yield
    bucket = boto3.resource("s3", endpoint_url=s3).Bucket("portal")
    bucket.objects.delete()
    bucket.delete()


def at(monkeypatch, address):
    keys = {"AWS_ACCESS_KEY_ID": "ada", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in (keys | {"AWS_ENDPOINT_URL": address, "NO_PROXY": "127.0.0.1,localhost"}).items():
        monkeypatch.setenv(name, value)


def made(where):
    return StorageHandler({"default": _storage(str(where))})["default"]


@pytest.fixture(params=["folder", "s3"])
def storage(request, tmp_path):
    if request.param == "folder":
        return made(tmp_path)
    request.getfixturevalue("amazon")
    return made("s3://portal/games/")


def put(storage, name, data):
    return storage.save(name, ContentFile(data))


def content(storage, name):
    with storage.open(name) as file:
        return file.read()


@pytest.mark.parametrize("name", NAMES)
def test_a_file_lies_under_exactly_its_name(storage, name):
    assert not storage.exists(name)
    assert put(storage, name, b"first") == name
    assert put(storage, name, b"once more") == name, "overwritten, not renamed"
    assert storage.exists(name)
    assert storage.size(name) == 9
    assert content(storage, name) == b"once more"


def test_an_empty_file_is_a_file(storage):
    put(storage, "builds/0a/empty.txt", b"")
    assert storage.size("builds/0a/empty.txt") == 0
    assert content(storage, "builds/0a/empty.txt") == b""


def test_what_is_missing_is_a_missing_file(storage):
    with pytest.raises(FileNotFoundError):
        content(storage, "builds/0a/nothing.js")
    storage.delete("builds/0a/nothing.js")


def test_a_folder_is_listed_and_emptied(storage):
    for name in NAMES:
        put(storage, name, b"x")
    folders, files = storage.listdir("builds/0a")
    assert (sorted(folders), files) == (["art", "музыка"], ["index.html"])
    assert storage.listdir("builds/0a/музыка") == ([], ["été 100% #1?.ogg"])
    assert sorted(storage.listdir("builds")[0]) == ["0a", "0b"]
    for name in NAMES[:3]:
        storage.delete(name)
    assert not storage.exists(NAMES[0])
    assert storage.exists(NAMES[3])


def test_large_files_are_read_in_pieces(storage):
    data = bytes(range(256)) * 40_000  # more than one part of an upload
    put(storage, "builds/0a/large.wasm", data)
    with storage.open("builds/0a/large.wasm") as file:
        assert b"".join(file.chunks()) == data
        file.seek(1_000)
        assert file.read(256) == data[1_000:1_256]


def test_large_files_of_s3_are_read_by_way_of_the_disk(amazon):
    storage = made("s3://portal/games")
    put(storage, "large.wasm", bytes(5 * 1024 * 1024))
    with storage.open("large.wasm") as file:
        assert len(file.read()) == 5 * 1024 * 1024
        assert isinstance(file.file.name, int), "a file without a name"


@pytest.mark.parametrize("name", ["../outside.txt", "builds/../../outside.txt", "/etc/outside.txt"])
def test_nothing_is_written_outside_of_it(storage, tmp_path, name):
    before = set(tmp_path.parent.iterdir())
    with pytest.raises(Exception, match=r"(?i)path|outside|denied|absolute"):
        put(storage, name, b"x")
    assert set(tmp_path.parent.iterdir()) == before


def test_the_prefix_is_all_that_a_storage_sees(amazon):
    games, others = made("s3://portal/games/"), made("s3://portal/others")
    put(games, "a.txt", b"x")
    assert not others.exists("a.txt")
    assert made("s3://portal").listdir("") == (["games"], [])


def test_threads_may_share_one(storage):
    def work(number):
        name = f"builds/0a/{number}.txt"
        put(storage, name, b"%d" % number)
        return content(storage, name) == b"%d" % number and storage.size(name) == len(str(number))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(64)))


def test_the_pipeline_puts_files_under_their_names(storage, monkeypatch, tmp_path_factory):
    monkeypatch.setattr(pipeline, "default_storage", storage)
    path = tmp_path_factory.mktemp("work") / "index.html"
    for text in ("half", "the whole"):
        path.write_text(text)
        pipeline._put(NAMES[2], path)
    assert content(storage, NAMES[2]) == b"the whole"


def test_another_s3_is_asked_by_path_not_by_a_name_of_the_bucket(monkeypatch):
    at(monkeypatch, "https://minio.example.net:9000")
    client = made("s3://portal/games").connection.meta.client
    link = client.generate_presigned_url("get_object", {"Bucket": "portal", "Key": "a.txt"})
    assert link.startswith("https://minio.example.net:9000/portal/a.txt")


def test_a_bucket_that_is_not_there_is_an_error(amazon):
    with pytest.raises(Exception, match="NoSuchBucket"):
        put(made("s3://missing/games"), "a.txt", b"x")


def test_where_nothing_listens_it_gives_up_soon(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = f"http://127.0.0.1:{gone.getsockname()[1]}"
    at(monkeypatch, address)
    gives_up(made("s3://portal/games"), within=5)


@pytest.mark.slow
def test_where_nobody_answers_it_gives_up_within_seconds(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        at(monkeypatch, f"http://127.0.0.1:{mute.getsockname()[1]}")
        gives_up(made("s3://portal/games"), within=15)


def gives_up(storage, within):
    began = time.monotonic()
    with pytest.raises(BotoCoreError):
        put(storage, "a.txt", b"x")
    assert time.monotonic() - began < within


def test_the_console_itself_works_on_what_settings_say(settings):
    assert storages.backends["default"]["OPTIONS"] == _storage(settings.STORAGE)["OPTIONS"]
