"""What builds stand on goes away and comes back: Redis, the disk of the workers, the storage. Nobody has to help."""

import json
import socket
import subprocess
import threading
from contextlib import contextmanager

import boto3
import pytest
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from console.models import Job
from games.models import Build, Game
from project.tests.disks import fill, small_disk
from project.tests.rig import BEAT, DEFAULT, UPLOADS, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]
NO_ROOM = "The work folder is full. It goes on when there is room again."
NO_STORAGE = "The storage cannot be reached. It is tried again until it can."


def all_become_ready(rig, builds):
    rig.until_over(builds, meanwhile=lambda: rig.assert_pointers_are_whole(builds))
    for build in builds:
        rig.assert_ready_once(build)


def held_at(rig, point, **about):
    """A build that waits there, with a worker."""
    name = rig.new_name()
    rig.order(name, point)
    build = rig.upload(name, **about)
    rig.pid_at(name, point)
    return build


def until_put_off(rig, build, words):
    """It waits for better times; that costs no attempt."""
    jobs = Job.objects.filter(pk=build.job_id, state=Job.QUEUED, error=words, attempt=0)
    until(jobs.exists, words, story=lambda: rig.story([build]))
    assert Build.objects.get(pk=build.pk).is_processing


# --- Redis -------------------------------------------------------------------------------------------------------


def test_ten_builds_wait_and_redis_forgets_all_of_it(rig):
    builds = [rig.upload() for _ in range(10)]
    until(lambda: rig.waiting_messages() >= 10, "ten messages wait")
    rig.valkey.ask().flushall()
    rig.start(UPLOADS)
    all_become_ready(rig, builds)


@contextmanager
def gone(rig):
    """Begins in the middle of an upload; what was on it is lost. It is away until all have looked for it in vain."""
    yield rig.valkey.kill
    for name in (UPLOADS, DEFAULT):
        rig.until_said(name, "Trying again in", times=2)
    rig.until_said(BEAT, "Connection refused", times=1)  # in other words, when it was just about to send something
    rig.valkey.restart()


@contextmanager
def frozen(rig):
    """Its socket is there, and it answers nobody."""
    yield rig.valkey.freeze
    rig.until_said(BEAT, "Timeout reading from socket", times=2)
    rig.valkey.thaw()


@pytest.mark.parametrize("fault", [gone, frozen])
def test_redis_goes_away_during_an_upload_and_comes_back(rig, fault):
    rig.start(UPLOADS)
    at_work = held_at(rig, "unpacked-before")
    with fault(rig) as begin:
        builds = [rig.upload(between=begin)]
        builds += [rig.upload() for _ in range(2)]
        assert max(build.answered_s for build in builds) < 3
        for path in ("/manage/games/", "/manage/games/?status=all", f"/manage/games/builds/{builds[0].pk}/"):
            status, text, seconds = rig.request("GET", path)
            assert (status, "Processing is delayed" in text) == (200, True)
            assert seconds < 3
        assert json.loads(rig.request("GET", "/readyz")[1])["status"] == "degraded"
        rig.forget_orders()
        rig.until_over([at_work])
        rig.assert_ready_once(at_work)
    all_become_ready(rig, builds)
    for name in (UPLOADS, DEFAULT, BEAT):
        assert rig.processes[name].poll() is None, "it found Redis again by itself"
    all_become_ready(rig, [rig.upload()])


# --- disks -------------------------------------------------------------------------------------------------------


def test_the_work_folder_is_full_for_a_while(rig):
    with small_disk(rig.work):
        rig.start(UPLOADS, several=4)
        *builds, last = [held_at(rig, f"{stage}-before") for stage in Build.STAGES[:4]]
        fill(rig.work)
        rig.follow(last)  # it has all it needs
        all_become_ready(rig, [last])
        for build in reversed(builds):
            filler = fill(rig.work)  # those that were put off have left room
            rig.follow(build)
            until_put_off(rig, build, NO_ROOM)
        status, text, _ = rig.request("GET", f"/manage/games/builds/{builds[0].pk}/")
        assert (status, NO_ROOM in text) == (200, True)
        filler.unlink()
        all_become_ready(rig, builds)


@contextmanager
def full(storage):
    filler = fill(storage, leave=8192)
    yield
    filler.unlink()


@contextmanager
def read_only(storage):
    subprocess.run(["mount", "-o", "remount,ro", storage], check=True)
    yield
    subprocess.run(["mount", "-o", "remount,rw", storage], check=True)


@pytest.mark.parametrize("fault", [full, read_only])
def test_the_disk_of_the_storage_takes_nothing_for_a_while(rig, fault):
    with small_disk(rig.storage):
        rig.start(UPLOADS)
        build = held_at(rig, "stored-before")
        with fault(rig.storage):
            rig.forget_orders()
            until_put_off(rig, build, NO_STORAGE)
            assert Game.objects.get(pk=build.game_id).current_build is None
        all_become_ready(rig, [build])


def test_the_folder_of_the_storage_is_gone_for_a_while(rig):
    """The published build stays what is played, whatever becomes of the next."""
    rig.start(UPLOADS)
    first = rig.upload()
    all_become_ready(rig, [first])
    assert rig.click(first.game, "publish") == 303
    second = held_at(rig, "put", game=first.game)
    away = rig.storage.rename(rig.state / "away")
    rig.storage.write_text("not a folder")
    rig.forget_orders()
    until_put_off(rig, second, NO_STORAGE)
    stays_published(first)
    rig.storage.unlink()
    away.rename(rig.storage)
    rig.until_over([second], meanwhile=lambda: stays_published(first))
    assert rig.click(first.game, "publish") == 303
    rig.assert_ready_once(second)


def stays_published(build):
    game = Game.objects.get(pk=build.game_id)
    assert (game.status, game.current_build_id) == (Game.PUBLISHED, build.pk)


# --- S3 ----------------------------------------------------------------------------------------------------------


class Amazon:
    """S3 as moto plays it, which can go away: no more connections, or no more answers. It forgets nothing."""

    keys = {"AWS_ACCESS_KEY_ID": "ada", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}

    def __init__(self):
        self.port, self.mute = 0, None
        self.serve()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = {**self.keys, "AWS_ENDPOINT_URL": self.url, "NO_PROXY": "127.0.0.1", "STORAGE": "s3://portal/games"}
        keys = {name.lower(): value for name, value in self.keys.items() if "KEY" in name}
        self.bucket = boto3.resource("s3", endpoint_url=self.url, region_name="us-east-1", **keys).Bucket("portal")
        self.bucket.create()

    def serve(self):
        if self.mute:
            self.mute.close()
            self.mute = None
        app = DomainDispatcherApplication(create_backend_app)
        self.server = make_server("127.0.0.1", self.port, app, threaded=True)
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def refuse(self):
        self.server.shutdown()
        self.thread.join()

    def hang(self):
        self.refuse()
        self.mute = socket.create_server(("127.0.0.1", self.port))

    def files(self, build):
        folder = f"games/{build.folder}"
        found = self.bucket.objects.filter(Prefix=folder)
        return {each.key.removeprefix(folder): each.get()["Body"].read() for each in found}


@pytest.fixture(scope="module")
def amazon():
    amazon = Amazon()
    yield amazon
    amazon.refuse()


@pytest.mark.parametrize("fault", [Amazon.refuse, Amazon.hang])
def test_s3_goes_away_in_the_middle_and_what_is_published_stays(rig, amazon, fault):
    rig.start(UPLOADS, **amazon.env)
    first = rig.upload()
    rig.until_over([first])
    assert rig.click(first.game, "publish") == 303
    second = held_at(rig, "put", game=first.game)
    fault(amazon)
    rig.forget_orders()
    until_put_off(rig, second, NO_STORAGE)
    stays_published(first)
    amazon.serve()
    assert amazon.files(first) == rig.expected[first.zip_name]
    rig.until_over([second], meanwhile=lambda: stays_published(first))
    assert amazon.files(second) == rig.expected[second.zip_name]
    assert rig.click(first.game, "publish") == 303
    second.refresh_from_db()
    stays_published(second)
    assert second.state == Build.READY
