"""What is counted is what is there: after whatever happened, at once and in between, and whoever died on the way."""

import random
import threading
from collections import Counter
from datetime import UTC, timedelta
from ipaddress import ip_interface, ip_network

import pytest
from django.db import connection, transaction
from django.utils import timezone

from console import retention, verbs
from console.masking import KEPT
from console.models import AddressRollup, AddressTotal, Entry, FirstSeen, NetworkRollup, Rollup, SignIn, TrafficNote
from console.testing import make_user
from console.traffic import counting, reading
from console.traffic.forms import DAY, Span
from moderation import erasing
from moderation.models import Comment, Player, Report
from moderation.testing import make_comment, make_player, make_report

NOW = timezone.now()
COLUMNS = "external_id, player_id, body, status, created_at, ip, report_count, version"


def hour_of(at):
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def network_of(address):
    found = ip_interface(str(address))
    wide = min(found.network.prefixlen, KEPT[found.version])
    return ip_network(f"{found.ip}/{wide}", strict=False)


def is_whole(address):
    return address.network.prefixlen == address.max_prefixlen


def counted_by_hand():
    """Every number from the rows themselves: hours, days, addresses, first days, and sums of addresses."""
    rows = [("registrations", "", at, None) for at in Player.objects.values_list("joined_at", flat=True)]
    rows += [("comments", "", at, ip) for at, ip in Comment.objects.values_list("created_at", "ip")]
    rows += [("reports", "", at, None) for at in Report.objects.values_list("created_at", flat=True)]
    rows += [
        ("decisions", f"{verb} {target}", at, None)
        for verb, target, at in Entry.objects.values_list("verb", "target_type", "at")
    ]
    rows += [
        ("sign-ins" if outcome == "in" else "failed-sign-ins", "", at, ip)
        for outcome, at, ip in SignIn.objects.values_list("outcome", "at", "ip")
    ]
    hours = Counter((measure, part, hour_of(at)) for measure, part, at, _ in rows)
    days = Counter((measure, part, hour_of(at).replace(hour=0)) for measure, part, at, _ in rows)
    of_addresses = [(measure, at.astimezone(UTC).date(), ip) for measure, _, at, ip in rows if ip]
    first = {}
    for measure, day, ip in of_addresses:
        key = (measure, network_of(ip))
        first[key] = min(day, first.get(key, day))
    kept = Counter((m, day, ip_interface(str(ip))) for m, day, ip in of_addresses if day >= counting.addresses_since())
    networks = Counter((m, day, network_of(ip)) for m, day, ip in kept.elements())
    totals = Counter(ip for _, _, ip in kept.elements() if is_whole(ip))
    return hours, days, kept, first, networks, totals


def rolled_up():
    """The same from what was counted."""
    hours, days = (
        Counter({(r.measure, r.part, r.at): r.number for r in Rollup.objects.filter(span=span)})
        for span in (Rollup.HOUR, Rollup.DAY)
    )
    kept = Counter({(r.measure, r.day, ip_interface(r.address)): r.number for r in lines(AddressRollup, "address")})
    first = {(r.measure, ip_network(r.network)): r.first_day for r in lines(FirstSeen, "network")}
    networks = Counter({(r.measure, r.day, ip_network(r.network)): r.number for r in lines(NetworkRollup, "network")})
    with connection.cursor() as cursor:
        cursor.execute("SELECT address::text, number FROM console_addresstotal")
        totals = Counter({ip_interface(address): number for address, number in cursor.fetchall()})
    return hours, days, kept, first, networks, totals


def lines(model, column):
    return model.objects.raw(f"SELECT *, {column}::text AS {column} FROM {model._meta.db_table}")


def is_exact():
    counting.run()
    return rolled_up() == counted_by_hand()


@pytest.fixture
def frozen(committed_db):
    """A database of its own, in which what is there already was counted."""
    assert is_exact()


def some_time(chance):
    return NOW - timedelta(minutes=chance.randrange(60 * 24 * 50))


def some_address(chance):
    return chance.choice(
        [None, f"198.51.{chance.randrange(4)}.{chance.randrange(9)}", f"2001:db8:{chance.randrange(3)}::7"]
    )


def some_comments(chance, number, name):
    player = make_player(external_id=name, username=name, joined_at=some_time(chance))
    return [
        Comment(
            external_id=f"{name}-{place}",
            player=player,
            body="hi",
            created_at=some_time(chance),
            ip=some_address(chance),
        )
        for place in range(number)
    ]


def copied(comments):
    with connection.cursor() as cursor, cursor.copy(f"COPY moderation_comment ({COLUMNS}) FROM STDIN") as copy:
        for each in comments:
            copy.write_row((each.external_id, each.player_id, "hi", "pending", each.created_at, each.ip, 0, 0))


def one_thing(chance, name):
    """Something that happens to the portal, at random; often several in one transaction."""
    mine = Comment.objects.filter(external_id__startswith=name.partition("/")[0]).order_by("?")
    what = chance.randrange(7)
    if what == 0:
        Comment.objects.bulk_create(some_comments(chance, chance.randrange(1, 30), name))
    elif what == 1:
        copied(some_comments(chance, chance.randrange(1, 30), name))
    elif what == 2:
        Comment.objects.filter(pk__in=list(mine.values_list("pk", flat=True)[:3])).delete()
    elif what == 3:
        for comment in mine[:3]:
            Comment.objects.filter(pk=comment.pk).update(created_at=some_time(chance), ip=some_address(chance))
    elif what == 4:
        Comment.objects.filter(pk__in=list(mine.values_list("pk", flat=True)[:5])).update(ip=some_address(chance))
    elif what == 5 and (comment := mine.first()):
        make_report(comment, player=comment.player)
    elif comment := mine.first():
        erasing.erase([comment.player])


def live_on(seed, steps):
    """A portal's life: transactions, of which some are thought better of."""
    chance = random.Random(seed)
    for step in range(steps):
        with transaction.atomic():
            for number in range(chance.randrange(1, 3)):
                one_thing(chance, f"{seed}w/{step}.{number}")
            transaction.set_rollback(chance.random() < 0.2)
    connection.close()


def together(*works):
    """Runs them at once; raises what one of them raised."""
    raised = []

    def run(work):
        try:
            work()
        except BaseException as error:  # noqa: BLE001
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]


def test_rollups_equal_a_full_count_whatever_happened_meanwhile(frozen):
    over = threading.Event()

    def count():
        while not over.is_set():
            counting.run()

    def live():
        together(lambda: live_on(1, 25), lambda: live_on(2, 25))
        over.set()

    together(live, count, count)
    SignIn.objects.create(ip="203.0.113.9", outcome=SignIn.PASSWORD)
    verbs.get("player.warn")(Player.objects.first(), by=make_user("ida", is_superuser=True), reason="spam")
    assert is_exact()
    assert Rollup.objects.filter(measure="comments").count() > 50
    assert not TrafficNote.objects.exists()


def test_what_commits_late_is_counted_then(frozen):
    began, go_on = threading.Event(), threading.Event()

    def late():
        with transaction.atomic():
            make_comment(created_at=NOW - timedelta(hours=3), ip="198.51.100.1")
            began.set()
            go_on.wait(20)

    def meanwhile():
        began.wait(20)
        make_comment(created_at=NOW - timedelta(hours=3))
        assert is_exact()
        go_on.set()

    together(late, meanwhile)
    assert TrafficNote.objects.exists()
    assert is_exact()
    assert Rollup.objects.get(measure="comments", span=Rollup.HOUR).number == 2


def test_whoever_dies_while_counting_has_taken_nothing(frozen, monkeypatch):
    make_comment(ip="198.51.100.1")
    noted = TrafficNote.objects.count()
    died = dict.fromkeys(["first"], True)
    real = counting._count

    def dies(cursor, measure, hours):
        real(cursor, measure, hours)
        if measure.name == "comments" and died.pop("first", False):
            raise RuntimeError("killed")

    monkeypatch.setattr(counting, "_count", dies)
    with pytest.raises(RuntimeError):
        counting.run()
    assert TrafficNote.objects.count() == noted
    assert not Rollup.objects.filter(measure="comments").exists()
    assert is_exact()


def test_of_two_who_count_one_leaves_it_to_the_other(frozen):
    make_comment()
    took = []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [counting.LOCK])
        together(lambda: took.append(counting.run()))
    assert took == [0]
    together(*[lambda: took.append(counting.run())] * 2)
    assert sum(took) > 0
    assert is_exact()


def test_a_decision_about_a_comment_notes_nothing_of_it(db, lea):
    comment = make_comment()
    counting.run()
    verbs.get("comment.approve")(comment, by=lea.user)
    assert set(TrafficNote.objects.values_list("source", flat=True)) == {"console_entry"}


def test_a_network_is_new_on_its_first_day_until_that_goes(db):
    old = make_comment(ip="198.51.100.1", created_at=NOW - timedelta(days=9))
    make_comment(ip="198.51.100.2", created_at=NOW - timedelta(days=2))
    assert is_exact()
    assert FirstSeen.objects.get().first_day == (NOW - timedelta(days=9)).date()
    old.delete()
    assert is_exact()
    assert FirstSeen.objects.get().first_day == (NOW - timedelta(days=2)).date()


def test_an_erased_player_leaves_no_address(db):
    comment = make_comment(ip="198.51.100.1")
    assert is_exact()
    assert AddressRollup.objects.count() == 1
    verbs.get("player.erase")(comment.player, by=None)
    assert is_exact()
    assert not AddressRollup.objects.exists()
    assert not AddressTotal.objects.exists()
    assert not NetworkRollup.objects.exists()
    assert not FirstSeen.objects.exists()


def test_addresses_are_let_go_of_and_not_counted_again(db, settings):
    comment = make_comment(ip="198.51.100.1", created_at=NOW - timedelta(days=20))
    assert is_exact()
    settings.TRAFFIC_ADDRESS_DAYS = 10
    rule = next(rule for rule in retention._rules if rule.what == "addresses in traffic")
    assert rule.step() == 1
    make_comment(ip="198.51.100.1", created_at=comment.created_at)
    assert is_exact()
    assert not AddressRollup.objects.exists()
    assert not AddressTotal.objects.exists()
    assert not NetworkRollup.objects.exists()
    assert FirstSeen.objects.exists()


def most_by_hand(first, last):
    """The lines of addresses and of networks on these days, from the addresses of each day."""
    on_days = [r for r in lines(AddressRollup, "address") if first <= r.day <= last]
    several = []
    for place_of in (lambda address: address, lambda address: network_of(address)):
        numbers = Counter()
        for each in on_days:
            numbers[place_of(ip_interface(each.address))] += each.number
        most = sorted(numbers.items(), key=lambda each: (-each[1], each[0].version, each[0]))[: reading.MOST]
        several.append([(str(place).removesuffix("/32").removesuffix("/128"), number) for place, number in most])
    return several


@pytest.mark.parametrize("likely", [1, 12, 30, 1_000])
def test_who_brought_most_is_right_however_few_are_likely(db, monkeypatch, likely):
    """Some brought much on few days, others little on each: the most of all days say little about some."""
    monkeypatch.setattr(reading, "LIKELY", likely)
    chance = random.Random(likely)
    today = hour_of(NOW).replace(hour=0)
    player = make_player()
    Comment.objects.bulk_create(
        Comment(
            external_id=f"most-{number}",
            player=player,
            body="hi",
            created_at=today - timedelta(days=min(int(chance.expovariate(0.2)), 29)),
            ip=f"198.51.{int(chance.expovariate(0.1))}.{int(chance.expovariate(0.5))}",
        )
        for number in range(600)
    )
    counting.run()
    for back, days in [(0, 1), (0, 3), (0, 30), (2, 6), (9, 20), (25, 3)]:
        end = today + DAY - back * DAY
        found = reading.addresses(Span(end - days * DAY, end, DAY, ""))
        shown = [[(each.address, each.total) for each in table] for table in (found.addresses, found.networks)]
        assert shown == most_by_hand((end - days * DAY).date(), (end - DAY).date())
        assert all([each.total] == each.numbers[:1] for each in found.addresses + found.networks)


def test_of_as_many_the_lower_address_is_shown_though_it_was_not_likely(db, monkeypatch):
    monkeypatch.setattr(reading, "LIKELY", 11)
    player, today = make_player(), hour_of(NOW).replace(hour=0)

    def came(ip, number=1, days_ago=0):
        for _ in range(number):
            make_comment(player=player, ip=ip, created_at=today - days_ago * DAY)

    for number in range(9):
        came(f"198.51.100.{number}", number=3)
    came("198.51.100.200")
    came("198.51.100.200", days_ago=3)
    came("198.51.100.100", days_ago=3)
    came("198.51.100.101")
    counting.run()
    found = reading.addresses(Span(today, today + DAY, DAY, ""))
    assert found.addresses[-1].address == "198.51.100.101"


def test_counting_anew_mends_what_no_trigger_saw(db):
    make_comment(ip="198.51.100.1")
    counting.run()
    Rollup.objects.update(number=7)
    Rollup.objects.create(measure="comments", span="hour", at=hour_of(NOW) - timedelta(days=3), number=7)
    NetworkRollup.objects.update(number=7)
    AddressTotal.objects.update(number=7)
    assert not is_exact()
    counting.rebuild()
    assert is_exact()
