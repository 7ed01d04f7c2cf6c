"""How long we wait for PostgreSQL. It ends statements that take too long by itself; but a server that is frozen, or
behind a network that swallows everything, ends nothing, so there is a limit on our side of each wait, too.
"""

import select
import time

import psycopg

CHECK_S = 1  # for the pool's question whether a connection is alive
FRESH_S = 0.25  # one that answered so lately need not be asked: that question is a third of a short request


class NoAnswer(psycopg.OperationalError):
    """PostgreSQL did not answer in time; whether it did what it was asked to is not known."""


def _has_something_to_say(line):
    """Whether something came by this socket that nobody asked for: its end, mostly."""
    waiting = select.poll()
    waiting.register(line, select.POLLIN)
    return bool(waiting.poll(0))


def connection_class(seconds):
    """A psycopg connection that is given up after an answer took so long; with 0 it waits for as long as it takes."""

    class Patient(psycopg.Connection):
        limit, answered_at = seconds or None, 0.0

        def execute(self, *args, **kwargs):
            """The pool's question whether the connection is alive, before it hands it out; all else goes by cursors.

            One that answered just now need not be asked: a server that ended it since has said so by then.
            """
            if time.monotonic() - self.answered_at < FRESH_S and not _has_something_to_say(self.pgconn.socket):
                return None
            self.limit = CHECK_S
            try:
                return super().execute(*args, **kwargs)
            except NoAnswer:
                raise
            except psycopg.OperationalError:
                if self._pool:  # after a restart all are dead: one attempt must not meet them one after the other
                    self._pool.check()
                raise
            finally:
                del self.limit

        def wait(self, gen, interval=0.1, timeout=None):
            limit, began = self.limit if timeout is None else timeout, time.monotonic()
            try:
                answer = super().wait(gen, interval, limit)
            except psycopg.OperationalError as error:
                if timeout is not None or limit is None or time.monotonic() - began < limit:
                    raise
                self.pgconn.finish()  # what may still come would be taken for the answer to something else
                raise NoAnswer("the server did not answer in time") from error
            self.answered_at = time.monotonic()
            return answer

    return Patient
