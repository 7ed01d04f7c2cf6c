"""Players as they come in: only fields that were sent change. A player who is deleted at the portal is erased here.

Name, e-mail and bio go on record when they change, as when staff edit them; when and where somebody was last seen, and
when they joined, is kept up to date as intake of comments does.
"""

import json

from django.db import connection

from moderation.actions.players import erase
from moderation.actions.portal import RECORDED, update_player
from moderation.intake import cleaning
from moderation.intake.answers import CREATED, DELETED, UNCHANGED, UPDATED, batch, read, rounds
from moderation.models import Player

SEEN = {"joined_at": "joined_at", "last_seen_at": "last_seen_at", "ip": "last_ip"}  # the row's field: the player's
# what was seen later stays
_SEEN = """
    UPDATE moderation_player AS player SET
        joined_at = coalesce(given.joined_at, player.joined_at),
        last_seen_at = greatest(given.last_seen_at, player.last_seen_at),
        last_ip = CASE WHEN given.last_seen_at < player.last_seen_at THEN player.last_ip
            ELSE coalesce(given.last_ip, player.last_ip) END
    FROM json_to_recordset(%s) AS given (id bigint, joined_at timestamptz, last_seen_at timestamptz, last_ip inet)
    WHERE player.id = given.id
"""


def clean(values):
    """The fields that were sent."""
    read_as = {
        "username": lambda: cleaning.needed(values, "username"),
        "email": lambda: cleaning.email(values),
        "bio": lambda: cleaning.text(values, "bio", strip=False),
        "joined_at": lambda: cleaning.past(values, "joined_at", cleaning.AT_MOST),
        "last_seen_at": lambda: cleaning.past(values, "last_seen_at"),
        "ip": lambda: cleaning.address(values),
    }
    fields = {"external_id": cleaning.needed(values, "external_id"), "deleted": cleaning.yes(values, "deleted")}
    if fields["deleted"]:
        return fields
    return fields | {name: read() for name, read in read_as.items() if values.get(name) is not None}


def take(rows):
    """Takes rows as they were sent. Returns an Answer for each."""
    answers, good = read(rows, clean)
    settle(good)
    return answers


def settle(rows):
    """Takes Rows, and settles their answers. One whose fields have `only_new` leaves alone who is there."""
    while rows:
        rows = _take(rows)


@batch
def _take(rows):
    """Returns the rows that have to come once more."""
    again = []
    for each in rounds(rows):
        again += _round(each)
    return again


def _round(rows):
    """Rows of which none is about the same player as another."""
    there = Player.objects.filter(external_id__in=[row.id for row in rows])
    there = {player.external_id: player for player in there.select_for_update(no_key=True).order_by("pk")}
    again = _new([row for row in rows if row.id not in there])
    known = [(row, there[row.id]) for row in rows if row.id in there]
    _erase([each for each in known if each[0].fields["deleted"]])
    _update([each for each in known if not each[0].fields["deleted"]])
    return again


def _new(rows):
    for row in rows:
        row.answer.settle(UNCHANGED if row.fields["deleted"] else CREATED)
    rows = sorted((row for row in rows if row.answer.status == CREATED), key=lambda row: row.id)
    players = [Player(**{"username": row.id} | _own(row.fields), external_id=row.id) for row in rows]
    if not players:
        return []
    made = _insert(players)
    return [row for row in rows if row.id not in made]


def _own(fields):
    sent = {name: fields[name] for name in RECORDED if name in fields}
    return sent | {name: fields[key] for key, name in SEEN.items() if fields.get(key)}


def _insert(players):
    """Stores those that are new, and returns their ids at the portal: somebody else may bring the same just now."""
    names = ("external_id", *RECORDED, "joined_at", "last_seen_at", "last_ip")
    given = [{name: getattr(player, name) for name in names} for player in players]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [json.dumps(given, default=str)])
        return {external_id for (external_id,) in cursor.fetchall()}


_INSERT = """
    INSERT INTO moderation_player (external_id, username, email, bio, joined_at, last_seen_at, last_ip, is_active,
        comment_count, strikes, version)
    SELECT external_id, username, email, bio, joined_at, last_seen_at, last_ip, true, 0, 0, 0
    FROM json_to_recordset(%s) AS row (
        external_id text, username text, email text, bio text, joined_at timestamptz, last_seen_at timestamptz,
        last_ip inet
    ) ORDER BY external_id
    ON CONFLICT (external_id) DO NOTHING RETURNING external_id
"""


def _erase(known):
    for row, _ in known:
        row.answer.settle(DELETED)
    if known:
        erase([player for _, player in known], by=None)


def _update(known):
    changed, seen = [], []
    for row, player in known:
        own = {} if row.fields.get("only_new") else _own(row.fields)
        own = {name: value for name, value in own.items() if getattr(player, name) != value}
        row.answer.settle(UPDATED if own else UNCHANGED)
        if set(own) & set(RECORDED):
            changed.append((player, {name: own[name] for name in own if name in RECORDED}))
        if set(own) - set(RECORDED):
            seen.append({"id": player.pk} | {name: own.get(name) for name in SEEN.values()})
    if seen:
        with connection.cursor() as cursor:
            cursor.execute(_SEEN, [json.dumps(seen, default=str)])
    if changed:
        told = {player.external_id: own for player, own in changed}
        update_player([player for player, _ in changed], by=None, told=told)
