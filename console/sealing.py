"""Seals entries: from time to time what was decided since goes into one more link of a chain of hashes.

Only what is final is sealed, so that entries which commit late, with lower ids than some that are sealed already,
come into a later seal. docs/ledger.md has the whole story; console.chain the hashing.
"""

from datetime import UTC

from django.db import connection, transaction

from console import chain
from console.models import Seal

LOCK = 0x5EA1  # of the advisory lock: one sealer at a time
BATCH = 10_000
MOMENT = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"

# every column of the entry but its id, which the seal binds to it, and those of its gesture; jsonb has one text form
TEXT = f"""
    jsonb_build_object(
        'xid', e.xid, 'at', {MOMENT.format("e.at")}, 'actor', e.actor_id, 'verb', e.verb,
        'target_type', e.target_type, 'target_id', e.target_id, 'target_label', e.target_label, 'reason', e.reason,
        'note', e.note, 'batch', e.batch_id, 'before', e.before, 'after', e.after, 'undoes', e.undoes_id,
        'request_id', e.request_id, 'ip', e.ip,
        'gesture', jsonb_build_object(
            'at', {MOMENT.format("g.at")}, 'actor', g.actor_id, 'verb', g.verb, 'undoes', g.undoes_id,
            'idempotency_key', g.idempotency_key, 'fingerprint', g.fingerprint
        )
    )::text
"""
DIGEST = f"encode(sha256(convert_to({TEXT}, 'UTF8')), 'hex')"
SOURCE = "console_entry e LEFT JOIN console_gesture g ON g.id = e.batch_id"
# final is what began before every transaction that is still open; and what a transaction of the future has written
# comes from another server, whose dump was restored here
_FINAL = f"""
    WITH seen AS MATERIALIZED (
        SELECT pg_snapshot_xmin(now)::text::bigint AS low, pg_snapshot_xmax(now)::text::bigint AS high
        FROM pg_current_snapshot() AS now
    )
    SELECT e.id, {DIGEST}, seen.low, seen.high, statement_timestamp()
    FROM seen CROSS JOIN {SOURCE}
    WHERE e.id > %s AND NOT e.id <@ %s::int8multirange AND (e.xid < seen.low OR e.xid >= seen.high)
    ORDER BY e.id LIMIT %s
"""


def run(batch=BATCH, progress=lambda number: None):
    """Seals everything that is final and not sealed yet. Returns how many entries that were.

    Another that is at it is left to it. `progress(number)` hears of each batch.
    """
    total = 0
    while sealed := _one_more(batch):
        total += sealed
        progress(sealed)
    return total


def _one_more(batch):
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        last = Seal.objects.defer("digests").order_by("-number").first()
        settled = last.settled if last else 0
        unsettled = _unsettled(settled)
        cursor.execute(_FINAL, [settled, _multirange(entries for *_, entries in unsettled), batch])
        rows = cursor.fetchall()
        if rows:
            ids, digests, (low, *_), (high, *_), (at, *_) = zip(*rows, strict=True)
            over = max((highest for highest, end, _ in unsettled if end <= low), default=settled)
            seal = Seal(
                number=last.number + 1 if last else 1,
                at=at,
                first_entry=ids[0],
                last_entry=ids[-1],
                count=len(ids),
                entries=chain.spans(ids),
                digests=bytes.fromhex("".join(digests)),
                xid_low=low,
                xid_high=high,
                settled=min(over, ids[-1]) if len(ids) == batch else over,
                previous=last.digest if last else chain.BEGINNING,
            )
            seal.settled = max(settled, seal.settled)
            seal.digest = chain.seal_digest(facts(seal), ids, digests)
            seal.save(force_insert=True)
        return len(rows)


def _unsettled(settled):
    """`(last entry, xid_high, entries)` of the seals below whose last entry more may come."""
    return list(Seal.objects.filter(last_entry__gt=settled).values_list("last_entry", "xid_high", "entries"))


def _multirange(several):
    spans = (f"[{first},{last}]" for entries in several for first, last in chain.bounds(entries))
    return f"{{{','.join(spans)}}}"


def facts(seal):
    """What the seal says, as its digest covers it."""
    return {name: getattr(seal, name) for name in chain.FACTS} | {"at": moment(seal.at)}


def moment(at):
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def unsealed_after(head):
    """`(settled, multirange)`: entries above the one and not in the other are in no seal up to `head`, or None."""
    settled = head.settled if head else 0
    number = head.number if head else 0
    sealed = Seal.objects.filter(last_entry__gt=settled, number__lte=number).values_list("entries", flat=True)
    return settled, _multirange(sealed)


def digests(seal):
    """`{entry id: its digest when it was sealed}`, in their order."""
    held = bytes(seal.digests).hex()
    return {pk: held[64 * n : 64 * n + 64] for n, pk in enumerate(chain.ids_of(seal.entries))}
