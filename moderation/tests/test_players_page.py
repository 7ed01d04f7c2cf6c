"""The list of players: what it finds, in which order, and that its cost does not grow with its rows."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.keyset import Order
from console.models import Entry
from console.testing import form, steady
from moderation import playerlist
from moderation.finding import network_of
from moderation.models import Ban, Player, Strike
from moderation.testing import make_game, make_player

URL = "/manage/players/"


def day(number):
    return datetime(2026, 10, number, 12, tzinfo=UTC)


def names(person, query=""):
    given = dict(part.split("=", 1) for part in query.split("&") if part)
    return [row.username for row in person.get(URL, given).context["rows"]]


@pytest.fixture
def crowd(db):
    neon = make_game(title="Neon Drift", slug="neon")
    rows = [
        {"username": "Ada", "email": "ada@mail.example", "last_ip": "203.0.113.7", "last_seen_at": day(9)},
        {"username": "Kit%", "email": "Kit@Players.example", "last_ip": "203.0.113.70", "recent_game": neon},
        {"username": "moss", "email": "", "last_ip": "2001:db8::7", "last_seen_at": day(8), "is_active": False},
        {"username": "zap", "email": "zap@mail.example", "last_ip": None, "comment_count": 5, "strikes": 2},
    ]
    players = [make_player(joined_at=day(number), **row) for number, row in enumerate(rows, 1)]
    Ban.objects.create(player=players[0], reason="spam", starts_at=day(1))
    Ban.objects.create(player=players[1], reason="spam", starts_at=day(1), expires_at=day(2))
    return players


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["zap", "moss", "Kit%", "Ada"]),
        ("order=oldest", ["Ada", "Kit%", "moss", "zap"]),
        ("order=seen", ["Ada", "moss", "zap", "Kit%"]),
        ("order=unseen", ["Kit%", "zap", "moss", "Ada"]),
        ("order=comments", ["zap", "moss", "Kit%", "Ada"]),
        ("order=strikes", ["zap", "moss", "Kit%", "Ada"]),
        ("status=active", ["zap", "Kit%"]),
        ("status=banned", ["Ada"]),
        ("status=inactive", ["moss"]),
        ("struck=yes", ["zap"]),
        ("struck=no", ["moss", "Kit%", "Ada"]),
        ("game=neon", ["Kit%"]),
        ("game=drif", ["Kit%"]),
        ("joined_from=2026-10-03", ["zap", "moss"]),
        ("joined_to=2026-10-01", ["Ada"]),
        ("seen_from=2026-10-09", ["Ada"]),
        ("seen_to=2026-10-08", ["moss"]),
        ("q=ad", ["Ada"]),
        ("q=KIT", ["Kit%"]),
        ("q=t%25", []),
        ("q=it%", ["Kit%"]),
        ("q=players.ex", ["Kit%"]),
        ("q=ZAP@mail.example", ["zap"]),
        ("q=mail.example&status=banned", ["Ada"]),
        ("q=203.0.113.7", ["Ada"]),
        ("q=203.0.113.", ["Kit%", "Ada"]),
        ("q=203.0.113.0/26", ["Ada"]),
        ("q=::ffff:203.0.113.7", ["Ada"]),
        ("q=2001:db8::/48", ["moss"]),
        ("q=2001:DB8:", ["moss"]),
        ("q=2001:db8:0:0:0:0:0:7", ["moss"]),
        ("q=nobody", []),
        ("q=%", []),
    ],
)
def test_the_list_is_searched_narrowed_and_sorted(lea, crowd, query, found):
    assert names(lea, query) == found


def test_an_id_finds_its_player_ours_and_the_portals(moses, db):
    first, second = make_player(external_id="portal-9", username="ada"), make_player(username="kit")
    assert names(moses, f"q={first.pk}") == ["ada"]
    assert names(moses, f"q=#{second.pk}") == ["kit"]
    assert names(moses, "q=portal-9") == ["ada"]
    assert names(moses, f"q=#{'9' * 30}") == []


@pytest.mark.parametrize(
    ("words", "network"),
    [
        ("203.0.113.7", "203.0.113.7/32"),
        ("203.0", "203.0.0.0/16"),
        ("203.", "203.0.0.0/8"),
        ("203.0.113.9/24", "203.0.113.0/24"),
        ("2001:db8::", "2001:db8::/32"),
        ("2001:db8:0:1", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::1/128"),
        ("17", None),
        ("999.1.", None),
        ("1.2.3.4/40", None),
        ("kit", None),
        ("bee", None),
    ],
)
def test_networks_are_read_as_people_write_them(words, network):
    assert (str(network_of(words)) if network else network_of(words)) == network


@pytest.mark.parametrize(
    "query", ["status=odd", "order=odd", "joined_from=soon", "seen_from=2026-02-02&seen_to=2026-02-01"]
)
def test_a_filter_without_sense_is_told_and_shows_nothing(moses, crowd, query):
    page = moses.get(f"{URL}?{query}")
    assert page.context["filter"].form.errors
    assert page.context["rows"] == []
    assert "This filter makes no sense" in page.text


@pytest.mark.parametrize("order", ["joined", "oldest", "seen", "unseen", "comments", "strikes"])
def test_pages_follow_each_other_without_gaps_also_among_equals(moses, db, order):
    for number in range(30):
        make_player(joined_at=day(1 + number % 3), last_seen_at=day(4) if number % 2 else None, strikes=number % 2)
    first = moses.get(f"{URL}?order={order}").context
    rest = moses.get(f"{URL}?{first['more']}").context
    shown = [row.pk for row in [*first["rows"], *rest["rows"]]]
    assert sorted(shown) == sorted(Player.objects.values_list("pk", flat=True))
    assert len(shown) == 30


def test_a_cursor_is_where_an_index_starts(db):
    """Compared as rows: with `OR` PostgreSQL would walk through all that share the first value."""
    order = Order("strikes", "Strikes", "most strikes first", ("strikes", "id"), descending=True)
    sql = str(order.after(Player.objects.all(), "0~17").query)
    assert 'ROW("moderation_player"."strikes", "moderation_player"."id") < (ROW(0, 17))' in sql


def test_a_page_takes_few_queries_and_the_same_for_25_and_for_100_rows(lea, db):
    def queries(number, query=""):
        while Player.objects.count() < number:
            player = make_player(recent_game=make_game(), email="x@mail.example")
            Strike.objects.create(player=player, reason="spam")
        with CaptureQueriesContext(connection) as asked:
            page = lea.get(f"{URL}?per={number}{query}")
        assert len(page.context["rows"]) == number
        return len(asked)

    lea.get(URL)
    assert queries(25) == queries(100) <= 6
    assert queries(25, "&q=mail.example&order=seen") == queries(100, "&q=mail.example&order=seen") <= 6


def test_a_row_says_how_the_player_stands(moses, db):
    now = timezone.now()
    player = make_player(username="kit", recent_game=make_game(title="Neon Drift"), comment_count=1234, strikes=3)
    Strike.objects.create(player=player, reason="spam", weight=3)
    Strike.objects.create(player=player, reason="spam", weight=2, expires_at=now)
    Strike.objects.create(player=player, reason="spam", weight=2, withdrawn_at=now)
    Ban.objects.create(player=player, reason="spam", expires_at=datetime(2099, 1, 31, 12, tzinfo=UTC))
    page = moses.get(URL).text
    for words in ("kit", "Neon Drift", "1,234 comments", "3 strikes ever", "Strikes weigh 3", "never seen"):
        assert words in page
    assert 'Banned until <time datetime="2099-01-31T12:00:00+00:00">' in page
    assert f'data-item="player-{player.pk}" data-state="banned"' in page


def test_what_is_loaded_for_rows_is_what_the_models_say(db):
    for number in range(3):
        player = make_player(is_active=number != 1, last_seen_at=day(3) if number else None, last_ip="203.0.113.7")
        Strike.objects.create(player=player, reason="spam", weight=number + 1)
    Ban.objects.create(player=player, reason="spam", expires_at=timezone.now() + timedelta(days=1))
    slow = list(Player.objects.with_standing())
    for quick, player in zip(playerlist.load([player.pk for player in slow]), slow, strict=True):
        for name in (
            "pk",
            "version",
            "username",
            "email",
            "last_ip",
            "is_active",
            "joined_at",
            "last_seen_at",
            "state",
        ):
            assert getattr(quick, name) == getattr(player, name), name
        for name in (
            "joined_at",
            "last_seen_at",
            "comment_count",
            "strikes",
            "active_strikes",
            "ban_in_force",
            "banned_until",
        ):
            assert getattr(quick, name) == getattr(player, name), name


def test_addresses_are_shown_only_where_they_were_searched(lea, crowd):
    assert "203.0.113.7" not in lea.get(URL).text
    assert "ada@mail.example" not in lea.get(URL).text
    found = lea.get(f"{URL}?q=203.0.113.7").text
    assert "ada@mail.example" in found


def test_a_ban_from_the_list_brings_its_row_up_to_date(moses, db):
    player = make_player(username="kit")
    data = form(player, reason="spam", expires="1d", next=URL)
    response = moses.post(f"{URL}{player.pk}/ban/", data, htmx=True)
    assert response["HX-Retarget"] == f"#player-{player.pk}"
    assert "Banned until" in response.text
    other = make_player()
    data = form(other, reason="spam", expires="1d", next=f"{URL}?status=active")
    assert moses.post(f"{URL}{other.pk}/ban/", data, htmx=True)["HX-Reswap"] in ("delete", "outerHTML")


def test_the_fragment_is_part_of_the_page_and_live_searches_replace_the_address(moses, crowd):
    fragment = moses.get(f"{URL}?q=ada&live=1", htmx=True)
    assert fragment["HX-Replace-Url"] == f"{URL}?q=ada"
    assert steady(fragment.text).strip() in steady(moses.get(f"{URL}?q=ada").text)


@pytest.mark.parametrize("who", ["rita", "sam", "nora"])
def test_refuses_without_permission(request, who):
    assert request.getfixturevalue(who).get(URL).status_code == 403


def test_auditor_reads_and_is_offered_no_verb(ann, crowd):
    page = ann.get(URL).text
    assert "Ada" in page
    assert "Ban player" not in page


def test_hostile_names_stay_text(lea, db):
    make_player(username="<script>x</script>", email='"><b>@x.example')
    page = lea.get(f"{URL}?q=x.example").text
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page
    assert '"><b>' not in page


def exported(person, query="", **data):
    response = person.post(f"{URL}export/?{query}", form(Player(version=0), **data))
    assert response.status_code == 200
    return b"".join(response.streaming_content).decode("utf-8-sig").splitlines()


def test_what_the_list_shows_can_be_taken_along_in_its_order_and_that_is_on_record(lea, crowd):
    lines = exported(lea, "order=oldest&q=mail.example", format="csv")
    assert lines[0].startswith("Player,Portal's id,Username,E-mail,State")
    assert [line.split(",")[2] for line in lines[1:]] == ["Ada", "zap"]
    assert "for good" in lines[1]
    entry = Entry.objects.get(verb="export.hand_out")
    assert (entry.actor, entry.after["what"], entry.after["number"]) == (lea.user, "players", 2)
    assert "mail.example" not in f"{entry.after}"


def test_a_name_that_is_a_formula_is_none_in_the_file(lea, db):
    make_player(username="=1+1")
    assert any("'=1+1" in line for line in exported(lea, format="csv"))


def test_moderators_are_not_offered_the_export(moses, lea, db):
    assert f"{URL}export/" in lea.get(URL).text
    assert f"{URL}export/" not in moses.get(URL).text
