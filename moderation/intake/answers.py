"""What comes of each row, and the transaction around a batch."""

from collections import Counter
from dataclasses import dataclass
from functools import wraps

from django.db import OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected

from console import live
from moderation.intake import cleaning

CREATED, UPDATED, UNCHANGED, DELETED = "created", "updated", "unchanged", "deleted"
BANNED, INVALID = "banned", "invalid"  # kept, but to be shown to nobody; not kept
STATUSES = (CREATED, UPDATED, UNCHANGED, DELETED, BANNED, INVALID)
TRIES = 3


@dataclass
class Answer:
    """What came of a row: `status` is one of the words above, `error` a sentence when it is `invalid`."""

    external_id: str | None
    status: str = ""
    error: str | None = None

    def settle(self, status, error=None):
        self.status, self.error = status, error


@dataclass
class Row:
    """A row that could be read, and the answer it will get."""

    fields: dict
    answer: Answer

    @property
    def id(self):
        return self.fields["external_id"]


def read(rows, clean):
    """`(the answer of every row, the Rows that can be taken)`; `clean(values)` gives fields or raises BadRow."""
    answers, good = [], []
    for values in rows:
        answer = Answer(cleaning.id_of(values))
        answers.append(answer)
        try:
            fields = clean(cleaning.row_of(values))
        except cleaning.BadRow as error:
            answer.settle(INVALID, str(error))
        else:
            answer.external_id = fields["external_id"]
            good.append(Row(fields, answer))
    return answers, good


def rounds(rows):
    """The rows in as many lists as the most frequent id comes: none twice in a list, and in the order they came."""
    seen, lists = Counter(), []
    for row in rows:
        if seen[row.id] == len(lists):
            lists.append([])
        lists[seen[row.id]].append(row)
        seen[row.id] += 1
    return lists


def batch(function):
    """Makes `function(rows)` one transaction; what verbs elsewhere lock the other way round is tried again."""

    @wraps(function)
    def taken(rows, *args, **kwargs):
        for left in reversed(range(TRIES)):
            try:
                with transaction.atomic():
                    with connection.cursor() as cursor:
                        cursor.execute("SET LOCAL lock_timeout = '60s'")  # nobody sits in front of it, as of a page
                    transaction.on_commit(live.bump, robust=True)
                    return function(rows, *args, **kwargs)
            except OperationalError as error:
                deadlock = isinstance(error.__cause__, DeadlockDetected)
                if not deadlock or not left or connection.in_atomic_block:
                    raise
        return None

    return taken
