"""A zip on its way in: counted, hashed and written to quarantine while it arrives, stopped where the limit is.

What arrived well but came with a form that has to be mended is held for a while, so that nobody sends it twice.
"""

import errno
import hashlib
import logging
import os
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from io import BytesIO

from django.core import signing
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from django.core.handlers.wsgi import LimitedStream
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from games import quarantine
from games.archive import Limits

log = logging.getLogger("attendant.uploads")
LIMITS = Limits()
REST = 1024 * 1024  # what the form's other fields may take
MOST = LIMITS.zip + REST
HELD_S = 24 * 3600
DRAIN_S, DRAIN_MOST = 20, 8 * LIMITS.zip
_SYNC = 8 * 1024 * 1024
_SALT = "games.intake"

TOO_BIG = (
    f"The zip is larger than {LIMITS.zip // 2**20} MiB, the most that is taken. Make it smaller, then choose it again."
)
NO_ROOM = "There is no room for uploads just now. Nothing of the zip was kept; tell an operator, and try again later."
NO_DISK = "Uploads cannot be kept just now. Nothing of the zip was kept; tell an operator, and try again later."


class TooBig(Exception):
    """The request says itself that it is larger than anything that is taken."""


@dataclass(frozen=True)
class Received:
    """A zip in quarantine: its name there, what the uploader called it, its hash and size."""

    name: str
    zip_name: str
    sha256: str
    size: int

    def token(self, user):
        """Lets this person refer to it from a form."""
        return signing.dumps([user.pk, asdict(self)], salt=_SALT)

    @classmethod
    def of_token(cls, token, user):
        """The Received a form refers to, or None when it is none of this person's or gone."""
        try:
            pk, fields = signing.loads(token, salt=_SALT, max_age=HELD_S)
        except signing.BadSignature:
            return None
        received = cls(**fields)
        return received if pk == user.pk and quarantine.path_of(received.name).exists() else None


def keep(zip_name, content):
    """The Received of a zip that is here already, as bytes."""
    name = quarantine.new_name()
    path = quarantine.path_of(name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(content)
    return Received(name, zip_name, hashlib.sha256(content).hexdigest(), len(content))


class ZipFile(UploadedFile):
    """What a form finds in its file field: the bytes are in quarantine already."""

    def __init__(self, received):
        super().__init__(BytesIO(), received.zip_name, "application/zip", received.size)
        self.received = received


class Handler(FileUploadHandler):
    """Takes one file, from the field `zip`. `problem` says in words why it did not."""

    problem, _file, taken = "", None, None

    def new_file(self, *args, **kwargs):
        super().new_file(*args, **kwargs)
        if self.field_name != "zip" or self.taken:
            raise SkipFile
        self.taken = quarantine.new_name()
        path = quarantine.path_of(self.taken)
        with self._writing():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self.size, self.synced, self.hash = 0, 0, hashlib.sha256()

    def receive_data_chunk(self, raw_data, start):
        self.size += len(raw_data)
        if self.size > LIMITS.zip:
            self._stop(TOO_BIG)
        self.hash.update(raw_data)
        with self._writing():
            self._file.write(raw_data)
            if self.size - self.synced > _SYNC:  # little is left to be written when the last byte is here
                self._sync()

    def file_complete(self, file_size):
        if self._file is None:
            return None
        with self._writing():  # the last bytes may be those there is no room for
            self._sync()
            self._file.close()
        self._file = None
        return ZipFile(Received(self.taken, self.file_name[:200], self.hash.hexdigest(), self.size))

    def upload_interrupted(self):
        if self._file:  # Django says so, too, when it is another field's file that was passed over
            self.throw_away()

    def throw_away(self):
        """Nothing of it is kept."""
        with suppress(OSError):  # of a full disk, to which closing writes what is left
            if self._file:
                self._file.close()
        self._file = None
        if self.taken:
            with suppress(OSError):
                quarantine.remove(self.taken)

    @contextmanager
    def _writing(self):
        """A disk that is full or broken is no fault of the zip's."""
        try:
            yield
        except OSError as error:
            log.error("an upload could not be kept: %r", error)
            self._stop(NO_ROOM if error.errno in (errno.ENOSPC, errno.EDQUOT) else NO_DISK)

    def _sync(self):
        self._file.flush()
        os.fdatasync(self._file.fileno())
        self.synced = self.size

    def _stop(self, words):
        self.problem = words
        self.throw_away()
        raise StopUpload(connection_reset=False)  # reads on, so that the browser listens to the answer


def begin(request):
    """To be called before anything reads the body. Returns the Handler; raises TooBig."""
    meta = request.META
    if "chunked" in meta.get("HTTP_TRANSFER_ENCODING", "").lower() and meta.get("wsgi.input_terminated"):
        meta["CONTENT_LENGTH"] = str(MOST)  # it does not say how much comes: no more than this is read
        request._stream = LimitedStream(meta["wsgi.input"], MOST)
    length = meta.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > MOST:
        raise TooBig
    handler = Handler(request)
    request.upload_handlers = [handler]
    return handler


def drain(request):
    """Reads what a browser insists on sending, within reason, so that it listens to the answer; the form is empty."""
    request._post, request._files = QueryDict(), MultiValueDict()
    until, left = time.monotonic() + DRAIN_S, DRAIN_MOST
    while left > 0 and time.monotonic() < until:
        chunk = request.read(64 * 1024)
        if not chunk:
            return
        left -= len(chunk)
