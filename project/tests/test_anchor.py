"""Heads of the ledger in a bucket: one object each, and a cut tail is found by them."""

import json

import pytest
from django.core.files.storage import storages
from django.core.files.storage.handler import StorageHandler

from console import anchor, sealing
from console.models import Seal
from console.tests.seals import act, owner, verify
from project.settings import _storage
from project.tests.test_storage import amazon, s3  # noqa: F401


@pytest.fixture
def bucket(request, settings, monkeypatch):
    request.getfixturevalue("amazon")
    settings.LEDGER_ANCHOR = "s3://portal/heads"
    handler = StorageHandler({"anchor": _storage("s3://portal/heads")})
    monkeypatch.setattr(anchor, "storages", handler)
    return handler["anchor"]


def names(bucket):
    return sorted(bucket.listdir("")[1])


def test_each_head_is_an_object(bucket, twelve):
    anchor.write()
    anchor.write()
    act(1)
    sealing.run()
    anchor.write()
    assert names(bucket) == ["000000000004.json", "000000000005.json", "latest.json"]
    with bucket.open("latest.json") as file:
        assert json.loads(file.read())["digest"] == Seal.objects.latest("number").digest
    assert verify()[0] == 0


def test_a_cut_tail_is_found_by_the_first_head_that_does_not_agree(bucket, committed_db):
    for _ in range(6):
        act(2)
        sealing.run()
        anchor.write()
    owner("DELETE FROM console_entry WHERE id > 6", "DELETE FROM console_seal WHERE number > 3")
    code, said = verify()
    assert code == 1
    assert said.startswith("Entry 7 is missing: the anchor knows seal 4 up to entry 8")
    act(2)
    sealing.run()
    anchor.write()
    assert len(names(bucket)) == 7, "the evidence stays"
    code, said = verify()
    assert (code, said.partition(",")[0]) == (1, "Entry 13 is in doubt: seal 4")


def test_a_bucket_that_is_not_there_holds_nothing_up(bucket, committed_db, caplog, monkeypatch):
    monkeypatch.setattr(anchor, "storages", StorageHandler({"anchor": _storage("s3://missing/heads")}))
    act(1)
    sealing.run()
    anchor.write()
    assert Seal.objects.count() == 1
    assert "was not written to LEDGER_ANCHOR" in caplog.text


def test_nothing_is_asked_of_a_bucket_unless_it_is_set(settings):
    settings.LEDGER_ANCHOR = ""
    assert "anchor" not in storages.backends
    anchor.write()
