"""The whole ledger as JSON Lines that can be checked anywhere, without this console and without its database."""

import json

from django.db import connection

from console import chain, sealing
from console.models import Seal

CHUNK = 2_000  # entries held in memory, or one seal's

_SEALED = f"SELECT e.id, {sealing.TEXT} FROM {sealing.SOURCE} WHERE e.id = ANY(%s)"
_UNSEALED = (
    f"SELECT e.id, {sealing.TEXT} FROM {sealing.SOURCE} "
    "WHERE e.id > %s AND NOT e.id <@ %s::int8multirange ORDER BY e.id LIMIT %s"
)


def lines():
    """Yields the export as lines of JSON, each with its line break, to be streamed as `application/x-ndjson`.

    First `{"ledger": format}`; then for each seal its entries `{"entry": id, "sealed": true, "digest": …, "text": …}`
    followed by the seal itself `{"seal": {…}}`; `{"end": digest of the last seal}`; last the newest entries, which no
    seal holds yet, `{"entry": id, "sealed": false, "text": …}`. `text` is exactly what was hashed: JSON with every
    column of the entry and of its gesture. There is no personal value in it, only references.

    Many short queries and no transaction of its own: it may take as long as whoever reads it likes, and holds some
    thousands of lines in memory at most. Check a file of it with `manage.py verify_ledger --export FILE`.
    """
    head = Seal.objects.defer("digests").order_by("-number").first()
    yield _line(ledger=chain.FORMAT)
    number = 0
    while head and number < head.number:
        seals = _next_seals(number, head.number)
        yield from _sealed(seals)
        number = seals[-1].number
    yield _line(end=head.digest if head else chain.BEGINNING)
    yield from _unsealed(head)


def _line(**said):
    return json.dumps(said, ensure_ascii=False) + "\n"


def _next_seals(number, last):
    """At least one, and no more than hold some thousand entries together."""
    counted = Seal.objects.filter(number__gt=number, number__lte=last).order_by("number")
    total = 0
    for last, count in counted.values_list("number", "count")[:CHUNK]:  # noqa: B007  it is where the loop ends
        total += count
        if total >= CHUNK:
            break
    return list(counted.filter(number__lte=last))


def _sealed(seals):
    texts = dict(_rows(_SEALED, [[pk for seal in seals for pk in chain.ids_of(seal.entries)]]))
    for seal in seals:
        for pk, digest in sealing.digests(seal).items():
            if pk in texts:  # one that is gone is gone here, too
                yield _line(entry=pk, sealed=True, digest=digest, text=texts[pk])
        yield _line(seal=sealing.facts(seal) | {"digest": seal.digest})


def _unsealed(head):
    after, sealed = sealing.unsealed_after(head)
    while rows := _rows(_UNSEALED, [after, sealed, CHUNK]):
        for after, text in rows:
            yield _line(entry=after, sealed=False, text=text)


def _rows(sql, params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()
