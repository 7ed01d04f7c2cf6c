"""What bench.people adds to the data set, and which addresses it asks for."""

from itertools import product
from urllib.parse import urlencode

from bench import data

PLAYERS, BANS, LEDGER, STAFF, REASONS = (
    f"/manage/{name}/" for name in ("players", "bans", "ledger", "staff", "reasons")
)
FOUND_BY = {"joined": "joined_at", "oldest": "joined_at", "seen": "seen_or_joined_at", "unseen": "seen_or_joined_at"}
FOUND_BY |= {"comments": "comment_count", "strikes": "strikes"}
ASCENDING = ("oldest", "unseen", "ending")
TABS = ("", "comments", "addresses", "timeline")
ENDING = "(SELECT * FROM moderation_ban WHERE expires_at IS NOT NULL) AS b"
RARE = """
    SELECT part FROM (SELECT substr(username, 2, 3) AS part FROM moderation_player LIMIT 200000) AS parts
    WHERE part ~ '^[a-z]+$' GROUP BY part ORDER BY count(*), part LIMIT 1
"""

FILL = """
    SELECT setseed(0.5);
    INSERT INTO moderation_ban (network, allow, held, reason, note, reject_pending, games_down, starts_at, expires_at,
        lifted_at, version)
    SELECT network(set_masklen(address, length)), n % 50 = 7, n % 200 = 2, 'spam', '', false, false, began,
        CASE WHEN n % 10 = 1 THEN began + interval '1 day' WHEN n % 300 = 3 THEN now() + random() * interval '1 day'
            WHEN n % 3 = 0 THEN now() + (1 + 60 * random()) * interval '1 day' END,
        CASE WHEN n % 10 = 0 THEN began + interval '1 hour' END, 1
    FROM (
        SELECT n, now() - (2 + 900 * random()) * interval '1 day' AS began,
            CASE WHEN n % 13 = 0 THEN 64 WHEN n % 7 = 0 THEN 32 WHEN n % 20 = 1 THEN 16 WHEN n % 20 = 2 THEN 20
                WHEN n % 5 = 3 THEN 24 ELSE 32 END AS length,
            CASE WHEN n % 13 = 0 THEN format('2001:db8:%s::', to_hex(n % 65536))::inet
                WHEN n % 7 = 0 THEN '198.18.0.0'::inet + floor(random() * 131072)::bigint  -- where players come from
                ELSE '1.0.0.0'::inet + floor(random() * 3690000000)::bigint END AS address
        FROM generate_series(1, 100000) AS n
    ) AS drawn;
    INSERT INTO moderation_strike (player_id, reason, weight, created_at, expires_at, version)
    SELECT p.id, 'spam', 1 + n % 3, at, at + interval '90 days', 1
    FROM (SELECT n, now() - 400 * random() * interval '1 day' AS at FROM generate_series(1, 40000) AS n) AS drawn
    JOIN (SELECT id, row_number() OVER (ORDER BY comment_count DESC, id) AS place FROM moderation_player) AS p
        ON p.place = 1 + n * n::bigint % 30011;
    UPDATE moderation_player AS p SET strikes = given.number
    FROM (SELECT player_id, count(*) AS number FROM moderation_strike GROUP BY 1) AS given WHERE given.player_id = p.id;
    INSERT INTO console_signin (user_id, at, ip)
    SELECT u.id, now() - random() * interval '400 days', '192.0.2.0'::inet + (n % 8)
    FROM generate_series(1, 2000) AS n CROSS JOIN console_user AS u;
    INSERT INTO console_personal (ref, subject, kind, value)
    SELECT md5(u.id || ':' || n), 'console.user:' || u.id, 'address', host('192.0.2.0'::inet + 8 * u.id + n)
    FROM console_user AS u CROSS JOIN generate_series(0, 7) AS n;
    ALTER TABLE console_entry DISABLE TRIGGER USER;  -- as if they had been written with it
    UPDATE console_entry SET ip = md5(actor_id || ':' || id % 8) WHERE actor_id IS NOT NULL;
    ALTER TABLE console_entry ENABLE TRIGGER USER;
    ALTER TABLE console_seal DISABLE TRIGGER USER;  -- what they sealed was something else
    TRUNCATE console_seal;
    ALTER TABLE console_seal ENABLE TRIGGER USER
"""


def cases(name):
    """`{case: path}` for the database of this name."""
    with data.connect(name) as connection:

        def one(sql, *args):
            return connection.execute(sql, args).fetchone()

        return dict([*players(one), *bans(one), *ledger(one)])


def pages(one, case, path, table, *fields, order, **query):
    """The first page and one half way down, of 25 rows and of 100."""
    by = ", ".join(f"{field} {'' if order in ASCENDING else 'DESC'}" for field in fields)
    half = f"(SELECT count(*) / 2 FROM {table})"
    row = one(f"SELECT {', '.join(fields)} FROM {table} ORDER BY {by} OFFSET {half} LIMIT 1")
    after = "~".join(value.isoformat() if hasattr(value, "isoformat") else str(value) for value in row)
    for (place, cursor), per in product((("first", {}), ("far", {"after": after})), (25, 100)):
        yield f"{case}, {place}, {per}", f"{path}?{urlencode({**query, 'order': order, 'per': per, **cursor})}"


def several(case, path, **queries):
    """The first page of each query, of 25 rows and of 100."""
    for (words, query), per in product(queries.items(), (25, 100)):
        yield f"{case} {words.replace('_', ' ')}, {per}", f"{path}?{urlencode({**query, 'per': per})}"


def players(one):
    for order, field in FOUND_BY.items():
        yield from pages(one, f"players by {order}", PLAYERS, "moderation_player", field, "id", order=order)
    most, mail = one("SELECT id, email FROM moderation_player ORDER BY comment_count DESC, id LIMIT 1")
    (some,) = one("SELECT id FROM moderation_player WHERE comment_count BETWEEN 3 AND 5 OFFSET 5000 LIMIT 1")
    (banned,) = one("SELECT player_id FROM moderation_ban WHERE player_id IS NOT NULL AND lifted_at IS NULL LIMIT 1")
    words = {"name_common": "fox", "name_rare": one(RARE)[0], "name_of_two_letters": "ki", "nobody": "xqzv"}
    words |= {"mail": mail, "address": "198.18.7.7", "part_of_an_address": "198.18.7.", "/24": "198.18.7.0/24"}
    words |= {"/16": "198.18.0.0/16", "number": f"#{some}"}
    yield from several("players for", PLAYERS, **{said: {"q": q} for said, q in words.items()})
    narrow = {status: {"status": status} for status in ("active", "banned", "inactive")}
    narrow |= {"banned_fox": {"status": "banned", "q": "fox"}, "struck": {"struck": "yes"}}
    narrow |= {"struck_by_strikes": {"struck": "yes", "order": "strikes"}}
    narrow |= {"of_a_month": {"seen_from": "2024-06-01", "seen_to": "2024-07-01"}}
    yield from several("players", PLAYERS, **narrow)
    who = {"ordinary": some, "most comments": most, "banned": banned}
    for (said, pk), tab in product(who.items(), TABS):
        yield f"player, {said}, {tab or 'overview'}", f"{PLAYERS}{pk}/?{urlencode({'tab': tab})}"


def bans(one):
    for status in ("all", "active"):
        case = f"bans, {status},"
        yield from pages(
            one, f"{case} newest", BANS, "moderation_ban", "starts_at", "id", order="newest", status=status
        )
        yield from pages(one, f"{case} ending", BANS, ENDING, "expires_at", "id", order="ending", status=status)
    narrow = {status: {"status": status} for status in ("ending", "waiting", "lifted", "expired")}
    narrow |= {"of_networks": {"kind": "network"}, "exceptions": {"kind": "exception"}, "spam": {"reason": "spam"}}
    yield from several("bans", BANS, **narrow)
    words = {"name": "fox", "address": "198.18.7.7", "/16": "198.18.0.0/16", "nobody": "xqzv"}
    yield from several("bans for", BANS, **{said: {"q": q, "status": "all"} for said, q in words.items()})
    for what, condition in (("network", "network <<= '198.18.0.0/15'"), ("player", "player_id IS NOT NULL")):
        (pk,) = one(f"SELECT id FROM moderation_ban WHERE {condition} AND lifted_at IS NULL LIMIT 1")
        yield f"ban of a {what}", f"{BANS}{pk}/"
    for length in (32, 24, 16):
        yield f"reach of a /{length}", f"{BANS}new/?network=198.18.7.7/{length}"


def ledger(one):
    for order in ("newest", "oldest"):
        yield from pages(one, f"ledger, {order}", LEDGER, "console_gesture", "at", "id", order=order)
    (target,) = one("SELECT target_id FROM console_entry WHERE verb = 'comment.reject' OFFSET 50000 LIMIT 1")
    narrow = {"actor": {"actor": "senior"}, "verb": {"verb": "comment.approve"}, "verb_bans": {"verb": "player.ban"}}
    narrow |= {"target": {"target": f"comment {target}"}, "name": {"target": "topazviper"}}
    narrow |= {"reason": {"reason": "spam"}, "reason_of_few": {"reason": "personal"}}
    narrow |= {"network": {"network": "192.0.2.0/24"}, "address": {"network": "192.0.2.17"}}
    narrow |= {"no_address": {"network": "203.0.113.9"}, "dates": {"from": "2024-06-01", "to": "2024-07-01"}}
    narrow |= {"undone": {"status": "undone"}, "stands": {"status": "stands"}}
    narrow |= {"all_at_once": {"actor": "senior", "reason": "abuse", "verb": "comment.reject"}}
    narrow |= {f"for_{q}": {"q": q} for q in ("senior", "topazviper", "ban", "192.0.2.17")}
    yield from several("ledger", LEDGER, **narrow)
    entry, batch = one("SELECT min(id), batch_id FROM console_entry GROUP BY 2 ORDER BY count(*) DESC LIMIT 1")
    (person,) = one("SELECT id FROM console_user WHERE username = 'beta'")
    yield from (("entry", f"{LEDGER}{entry}/"), ("ledger, gesture", f"{LEDGER}?batch={batch}"))
    yield from (("staff", STAFF), ("staff, person", f"{STAFF}{person}/"), ("reasons", REASONS))
