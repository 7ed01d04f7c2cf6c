"""Sees every change of every row, by triggers, and compares it with the ledger: what was done is on record, and what is
on record was done.
"""

from collections import defaultdict

from django.apps import apps
from django.db import connections

# what is no decision about the portal or its staff
EXCEPTED = {
    "django_session": "who is signed in",
    "usersessions_usersession": "the list of that",
    "console_signin": "a record of its own",
    "console_cache": "throttles",
    "console_limit": "throttles",
    "axes_accessattempt": "throttles",
    "axes_accessattemptexpiration": "throttles",
    "axes_accessfailurelog": "throttles",
    "axes_accesslog": "throttles",
    "console_personal": "values that entries point at",
    "console_gesture": "the ledger itself",
    "console_entry": "the ledger itself",
    "console_seal": "the ledger itself",
    "console_event": "queued with the entry, and told by it",
    "console_received": "what came, and what became of it; what that changes has entries",
    "console_idempotent": "answers to the portal, given again",
    "console_worker": "what a worker tells of itself",
    "console_trafficnote": "what is to be counted again",
    "console_rollup": "numbers of what is there",
    "console_addressrollup": "the same",
    "console_networkrollup": "the same",
    "console_addresstotal": "the same",
    "console_firstseen": "the same",
    "console_job": "work that follows from a decision; what it decides has entries",
    "console_delivery": "what a worker tells of its work; that one is to be sent again has an entry",
    "console_attempt": "the same",
    "moderation_notice": "what players were told of decisions that have entries",
    "moderation_mailing": "what of that was sent",
    "games_stagerun": "what a worker tells of its work",
    "django_admin_log": "Django's own record of emergencies",
    "django_migrations": "",
    "django_content_type": "",
    "fuzz_seen": "",
}
# columns of other tables that are somebody's own affair, or follow from others by the database's or the model's hand
LOOKS = ["player.reveal"]  # to have been shown something is on record, and changes nothing
FREE = {
    "console_export": {"job_id", "file", "size", "held", "expires_at"},  # what a worker tells of its work
    "console_user": {"theme", "density", "calm_media", "shortcuts", "last_login", "password"},
    "console_source": {"secret", "previous_secret"},
    "console_token": {"last_used_at", "first_taken_at"},
    "console_webhook": {
        *("secret", "previous_secret", "delivered_at", "failing_since", "failures", "resting_until"),
    },
    "moderation_player": {"strikes", "comment_count", "seen_or_joined_at"},
    "games_game": {"changed_at", "published_at"},
    "games_build": {"changed_at", "published_at", "job_id"},
}
_TRIGGERS = """
    CREATE TABLE fuzz_seen (
        id bigserial PRIMARY KEY, xid bigint, relation text, pk text, before jsonb, after jsonb
    );
    GRANT SELECT ON fuzz_seen TO PUBLIC;
    CREATE FUNCTION fuzz_see() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO fuzz_seen (xid, relation, pk, before, after) VALUES (
            pg_current_xact_id()::text::bigint, TG_TABLE_NAME, coalesce(to_jsonb(NEW), to_jsonb(OLD)) ->> 'id',
            to_jsonb(OLD), to_jsonb(NEW)
        );
        RETURN NULL;
    END $$;
"""


class Witness:
    """Looks from now on. `look()` raises AssertionError for what does not agree."""

    def __init__(self):
        with connections["owner"].cursor() as cursor:
            cursor.execute(_TRIGGERS)
            cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
            self.tables = {name for (name,) in cursor.fetchall()} - EXCEPTED.keys()
            for name in sorted(self.tables):
                cursor.execute(
                    f"CREATE TRIGGER fuzz_see AFTER INSERT OR UPDATE OR DELETE ON {name} "
                    "FOR EACH ROW EXECUTE FUNCTION fuzz_see()"
                )
        self.labels = {model._meta.db_table: model._meta.label_lower for model in apps.get_models()}
        self.seen, self.entry = self._last()
        self.changes = self.entries = 0

    def _last(self):
        with connections["owner"].cursor() as cursor:
            cursor.execute("SELECT (SELECT max(id) FROM fuzz_seen), (SELECT max(id) FROM console_entry)")
            return [number or 0 for number in cursor.fetchone()]

    def look(self):
        """Compares what happened since the last look."""
        seen, entry = self._last()
        if (seen, entry) == (self.seen, self.entry):
            return
        for rows, entries in self._transactions():
            _compare(rows, entries)
            self.changes += len(rows)
            self.entries += len(entries)
        self.seen, self.entry = seen, entry

    def _transactions(self):
        """Of each transaction: `{(label, pk): (first before, last after)}` and `{(label, pk): fields recorded}`."""
        rows, entries = defaultdict(dict), defaultdict(dict)
        with connections["owner"].cursor() as cursor:
            cursor.execute(
                "SELECT xid, relation, pk, before::text, after::text FROM fuzz_seen WHERE id > %s ORDER BY id",
                [self.seen],
            )
            for xid, relation, pk, before, after in cursor.fetchall():
                key = (self.labels.get(relation, relation), pk, relation)
                first = rows[xid].get(key, (before, None))[0]
                rows[xid][key] = (first, after)
            cursor.execute(
                "SELECT xid, target_type, target_id::text, before::text, after::text FROM console_entry "
                "WHERE id > %s AND NOT verb = ANY(%s)",
                [self.entry, LOOKS],
            )
            for xid, label, pk, before, after in cursor.fetchall():
                entries[xid][label, pk] = (_loaded(before), _loaded(after))
        return [(rows[xid], entries[xid]) for xid in rows.keys() | entries.keys()]


def _loaded(text):
    import json

    return None if text is None else json.loads(text)


def _compare(rows, entries):
    moved = {}
    for (label, pk, relation), (before, after) in rows.items():
        before, after = _loaded(before), _loaded(after)
        changed = _changed(before or {}, after or {})
        moved[label, pk] = changed
        kept = changed - FREE.get(relation, set()) - {"version"}
        if not kept:
            continue
        assert entries, f"{label} {pk} changed without an entry: {before} → {after}"
        if before is None or after is None:  # what a verb brought into being, or what hangs on it
            assert after is not None, f"{label} {pk} was removed: {before}"
            assert "version" not in after or (label, pk) in entries, f"{label} {pk} is new, without an entry: {after}"
            continue
        recorded = entries.get((label, pk))
        assert recorded, f"{label} {pk} changed without an entry on it: {sorted(kept)}"
        missing = {name for name in kept if name.removesuffix("_id") not in recorded[1] and name not in recorded[1]}
        assert not missing, f"{label} {pk}: the entry does not tell of {missing}"
        for name, value in recorded[1].items():
            if isinstance(value, bool | int | None) and name in after:
                assert after[name] == value, f"{label} {pk}: {name} is {after[name]}, the entry says {value}"
    for (label, pk), (_, after) in entries.items():
        told = set(after)
        done = moved.get((label, pk), set())
        assert "version" in done, f"an entry on {label} {pk}, which did not change: {after}"
        assert not [n for n in told if n not in done and f"{n}_id" not in done], (
            f"{label} {pk}: not done, but told: {after}"
        )


def _changed(before, after):
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name) or not before}
