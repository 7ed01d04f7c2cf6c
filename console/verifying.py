"""Follows the chain of seals through the ledger, and says of the first entry that is not as it was what is wrong."""

from django.db import connection, transaction

from console import chain, sealing
from console.models import Seal

CHUNK = 10_000
_NEXT = f"""
    SELECT e.id, e.xid, {sealing.DIGEST}, e.at < now() - interval '1 minute'
    FROM {sealing.SOURCE} WHERE e.id > %s ORDER BY e.id LIMIT %s
"""


def run(progress=lambda number: None):
    """Reads all entries and all seals as of one moment. Returns `(chain.Check, how many wait for a seal for longer than
    a minute)`. `progress(number)` hears how many entries more were looked at.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return _follow(Ledger(cursor, progress))


def _follow(ledger):
    check = chain.Check()
    for seal in Seal.objects.order_by("number").iterator(chunk_size=50):
        sealed = sealing.digests(seal)
        check.seal(sealing.facts(seal), seal.digest, sealed, ledger.found(sealed, seal.last_entry))
    late = 0
    for pk, (xid, _, is_old) in ledger.rest():
        late += check.unsealed(pk, xid) and is_old
    return check, late


class Ledger:
    """Entries in the order of their ids, which is nearly that of the seals: those in between are put aside."""

    def __init__(self, cursor, progress):
        self.cursor, self.progress, self.at = cursor, progress, 0
        self.aside = {}

    def found(self, ids, last):
        """`{id: (xid, digest, whether it is old)}` of those among `ids` that are there; none is above `last`."""
        while self.at < last and self._read():
            pass
        return {pk: self.aside.pop(pk) for pk in ids if pk in self.aside}

    def rest(self):
        """What nobody asked for."""
        yield from sorted(self.aside.items())
        self.aside = {}
        while self._read():
            yield from self.aside.items()
            self.aside = {}

    def _read(self):
        self.cursor.execute(_NEXT, [self.at, CHUNK])
        rows = self.cursor.fetchall()
        self.aside |= {pk: rest for pk, *rest in rows}
        self.at = rows[-1][0] if rows else self.at
        self.progress(len(rows))
        return len(rows)
