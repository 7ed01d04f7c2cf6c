"""Sends a message to an endpoint: to the very address that was checked, by TLS for the name, within ten seconds.

No redirect is followed, no proxy of the environment is asked, and no more is read of an answer than is needed.
"""

import os
import re
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http.client import HTTPException, HTTPResponse, parse_headers
from threading import Timer

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from console.webhooks import guard

TOTAL_S = 10  # for all of it: looking up, connecting, sending, reading
READ, KEPT = 64 * 1024, 4 * 1024  # bytes of an answer: read, and kept
WAIT_MOST_S = 60 * 60  # of what an endpoint may ask for by Retry-After
TOO_LONG = f"There was no answer within {TOTAL_S} seconds."


@dataclass(frozen=True)
class Answer:
    """What came of a try. `code` is None when there was no answer; then `error` says why, in words."""

    code: int | None = None
    text: str = ""
    error: str = ""
    took_ms: int = 0
    retry_after: int | None = None

    @property
    def is_good(self):
        return self.code is not None and 200 <= self.code < 300


class Line:
    """A connection to one endpoint, opened when something is sent and kept for what comes next.

    Use as a context manager. Opened anew, it is looked up and checked anew.
    """

    def __init__(self, url):
        self.url, self._connection = url, None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        if self._connection:
            self._connection.close()
            self._connection.let_go()
        self._connection = None

    def post(self, body, headers):
        """An Answer; never raises for what an endpoint does."""
        began = time.monotonic()
        deadline = Deadline(began + TOTAL_S)
        try:
            answer = self._post(body, headers, deadline)
        except guard.Refused as refused:
            answer = {"error": str(refused)}
        except (OSError, HTTPError, HTTPException, ValueError) as error:
            answer = {"error": TOO_LONG if deadline.is_over() else in_words(error)}
        finally:
            deadline.stop()
        if "code" not in answer:
            self.close()
        return Answer(**answer, took_ms=round((time.monotonic() - began) * 1000))

    def _post(self, body, headers, deadline):
        if self._connection and self._connection.is_connected:
            try:
                return self._exchange(body, headers, deadline)
            except ConnectionError:
                if deadline.is_over():
                    raise  # else it was closed while idle, and nothing was read: once more afresh
        self.close()
        return self._exchange(body, headers, deadline)

    def _exchange(self, body, headers, deadline):
        target = guard.parse(self.url)
        if self._connection is None:
            kind = Checked if target.scheme == "http" else CheckedTLS
            self._connection = kind(target.host, target.port, **kind.OPTIONS())
            self._connection.target = target
        connection = self._connection
        connection.deadline = deadline
        deadline.guards(connection.wire)
        headers = {"User-Agent": "Attendant", "Content-Type": "application/json", "Accept": "*/*", **headers}
        connection.request("POST", target.path, body, headers, preload_content=False, decode_content=False)
        response = connection.getresponse()
        text = response.read(READ)
        if deadline.is_over():
            raise TimeoutError
        if not response.closed or response.status < 200 or response.headers.get("Connection", "").lower() == "close":
            self.close()  # there may be more of it than anybody wants to read
        return {
            "code": response.status,
            "text": readable(text[:KEPT]),
            "retry_after": seconds(response.headers.get("Retry-After", "")),
        }


class Deadline:
    """Ends whatever a connection waits for when the time is over, however slowly it trickles."""

    def __init__(self, at):
        self.at, self._wire = at, None
        self._timer = Timer(max(0, at - time.monotonic()), self._end)
        self._timer.daemon = True
        self._timer.start()

    @property
    def left(self):
        return max(0.001, self.at - time.monotonic())

    def is_over(self):
        return time.monotonic() >= self.at

    def guards(self, wire):
        self._wire = wire
        if self.is_over():
            self._end()

    def stop(self):
        self._timer.cancel()

    def _end(self):
        if self._wire:
            with suppress(OSError):
                self._wire.shutdown(socket.SHUT_RDWR)


class Final(HTTPResponse):
    """An answer, and not what is said ahead of it (1xx): that would be taken for the answer to what is sent next."""

    def _read_status(self):
        found = super()._read_status()
        while 101 < found[1] < 200:
            parse_headers(self.fp)
            found = super()._read_status()
        return found

    def _read_next_chunk_size(self):
        size = super()._read_next_chunk_size()
        if size < 0:
            raise ValueError("a chunk of less than nothing is all there is")
        return size


class _Pinned:
    """Opens its socket to an address that was just checked, whatever its name means to anybody else."""

    target, deadline, wire = None, None, None
    response_class = Final
    OPTIONS = dict

    def _new_conn(self):
        error = None
        for address in guard.checked(self.target):
            try:
                opened = socket.create_connection((address, self.target.port), timeout=self.deadline.left)
            except OSError as failed:
                error = failed
                continue
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # a second handle on the same connection: TLS takes the first away, from this one it can be ended
            self.wire = socket.socket(fileno=os.dup(opened.fileno()))
            self.deadline.guards(self.wire)
            return opened
        raise error

    def let_go(self):
        """Not by `close`: that is called when the last answer has begun, and its end has to be waited for."""
        if self.wire:
            self.wire.close()
        self.wire = None


@cache
def context():
    """Whom we trust by TLS: whoever the system does."""
    return ssl.create_default_context()


class Checked(_Pinned, HTTPConnection):
    pass


class CheckedTLS(_Pinned, HTTPSConnection):
    @staticmethod
    def OPTIONS():
        return {"ssl_context": context()}


def in_words(error):
    """What went wrong, without an address or a name of ours in it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"Its certificate is not good: {error.verify_message}."[:200]
    if isinstance(error, ssl.SSLError) or "SSL" in type(error).__name__:
        return "No TLS connection could be made."
    if isinstance(error, TimeoutError):
        return TOO_LONG
    if isinstance(error, ConnectionRefusedError):
        return "The connection was refused."
    if isinstance(error, ConnectionError):
        return "The connection was closed before there was an answer."
    if isinstance(error, OSError):
        return "No connection could be made."
    return "What came back is no HTTP."


def readable(data):
    """Bytes of an answer as text that can be stored."""
    return data.decode("utf-8", "replace").replace("\0", "\ufffd")


def seconds(retry_after):
    """What an endpoint asked to wait, in seconds, no longer than WAIT_MOST_S; None when it said nothing of use."""
    text = retry_after.strip()
    if re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        wanted = int(text)
    else:
        try:
            at = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return None
        wanted = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()
    return round(min(WAIT_MOST_S, max(0, wanted)))
