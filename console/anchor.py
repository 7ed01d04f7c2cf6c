"""The head of the ledger in a second place: a chain alone does not show that its end was cut off.

LEDGER_ANCHOR is a file, which grows by one line of JSON per seal, or s3://bucket/prefix, which gets one object per
head. An anchor that tells of another ledger than ours is left as it is, so that the first difference stays findable.
"""

import json
import logging
import os
from bisect import bisect_left
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection, transaction

from console import sealing
from console.models import Seal

log = logging.getLogger("attendant.ledger")
LOCK = sealing.LOCK + 1
TAIL = 4096  # more than a line
LATEST = "latest.json"


class Diverged(Exception):
    """The anchor tells of another ledger; the message says since when."""


def write():
    """Brings the anchor up to date. Never raises: what could not be written now is written next time, and logged."""
    if not settings.LEDGER_ANCHOR:
        return
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
            if cursor.fetchone()[0]:
                _continue(place(settings.LEDGER_ANCHOR))
    except Diverged as diverged:
        log.error("%s Run manage.py verify_ledger.", diverged)
    except Exception as error:  # noqa: BLE001  each kind of storage has errors of its own, and sealing goes on
        log.warning("The head of the ledger was not written to LEDGER_ANCHOR: %s", error)


def _continue(anchor):
    last = anchor.last()
    number = last["number"] if last else 0
    if last and not Seal.objects.filter(number=number, digest=last["digest"]).exists():
        raise Diverged(f"The ledger does not hold seal {number} as LEDGER_ANCHOR knows it.")
    anchor.add(Seal.objects.filter(number__gt=number).defer("digests", "entries").order_by("number"))


def place(where):
    """The anchor at a path, or the one of settings when that is s3://."""
    return Bucket(storages["anchor"]) if where.startswith("s3://") else File(where)


def head_of(seal):
    said = {name: getattr(seal, name) for name in ("number", "first_entry", "last_entry", "count", "digest")}
    return json.dumps(said | {"at": sealing.moment(seal.at)})


class File:
    def __init__(self, path):
        self.path = Path(path)

    def last(self):
        """The last head that can be read, or None: a disk may fill up in the middle of a line."""
        with suppress(FileNotFoundError), self.path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            for line in reversed(file.read().splitlines()):
                if head := _read(line):
                    return head
        return None

    def add(self, seals):
        with self.path.open("a+b") as file:
            if file.tell() and (file.seek(-1, os.SEEK_END), file.read())[1] != b"\n":
                file.write(b"\n")
            for seal in seals.iterator():
                file.write(f"{head_of(seal)}\n".encode())
            file.flush()
            os.fsync(file.fileno())

    def first_wrong(self, agrees):
        """The first head of which `agrees(head)` is false, or None. Raises FileNotFoundError."""
        with self.path.open("rb") as file:
            return next((head for line in file if (head := _read(line)) and not agrees(head)), None)


class Bucket:
    """One object per head, and the latest under a name of its own."""

    def __init__(self, storage):
        self.storage = storage

    def last(self):
        return self._load(LATEST) if self.storage.exists(LATEST) else None

    def add(self, seals):
        if seal := seals.last():
            for name in (f"{seal.number:012}.json", LATEST):
                self.storage.save(name, ContentFile(head_of(seal).encode()))

    def first_wrong(self, agrees):
        """As of a file. All heads follow from each other, so if the latest agrees, they all do."""
        last = self.last()
        if last is None:
            raise FileNotFoundError("no head in it")
        if agrees(last):
            return None
        names = sorted(name for name in self.storage.listdir("")[1] if name != LATEST)
        at = bisect_left(names, True, key=lambda name: not agrees(self._load(name)))
        return self._load(names[at]) if at < len(names) else last

    def _load(self, name):
        with self.storage.open(name) as file:
            return json.loads(file.read())


def _read(line):
    """The head in a line, or None."""
    with suppress(ValueError, TypeError):
        head = json.loads(line)
        if isinstance(head["number"], int) and isinstance(head["first_entry"], int) and head["digest"]:
            return head
    return None
