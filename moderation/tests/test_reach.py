"""Reach: what a ban would touch is shown before, and is what it touches."""

from datetime import timedelta
from ipaddress import ip_network

import pytest
from django.utils import timezone

from console.models import Entry, SignIn
from console.testing import form
from moderation import actions, doors, reach
from moderation.models import Ban, Comment, Player, Strike
from moderation.testing import make_comment, make_game, make_network_ban, make_player

DAY = timedelta(days=1)
NETWORK = ip_network("203.0.113.0/24")


@pytest.fixture
def neighbourhood(moses):
    """Players in and around the network: in good standing, banned, with a strike, inactive, seen long ago, next door,
    in an exception; and a colleague.
    """
    good, banned, struck, idle, old, next_door, spared = (make_player(username=name) for name in "abcdefg")
    Ban.objects.create(player=banned, reason="spam")
    Strike.objects.create(player=struck, reason="spam")
    Player.objects.filter(pk=idle.pk).update(is_active=False, last_ip="203.0.113.9", last_seen_at=timezone.now())
    long_ago = timezone.now() - 31 * DAY
    for player in (good, banned, struck):
        make_comment(player=player, ip="203.0.113.7")
    make_comment(player=good, ip="203.0.113.8", status="approved")
    make_comment(player=old, ip="203.0.113.7", created_at=long_ago)
    make_comment(player=next_door, ip="203.0.112.7")
    make_comment(player=spared, ip="203.0.113.200")
    make_network_ban("203.0.113.192/26", allow=True)
    make_game(author=good)
    make_game(author=next_door)
    SignIn.objects.create(user=moses.user, ip="203.0.113.30")
    SignIn.objects.create(user=moses.user, ip="203.0.113.201")


def test_reach_counts_what_was_seen_in_thirty_days(neighbourhood):
    found = reach.of_network(NETWORK)
    assert (found.players, found.good, found.comments, found.pending, found.games) == (4, 1, 4, 4, 1)
    assert (found.sign_ins, found.staff) == (1, ["moses"])
    assert {player.username for player in found.sample} == {"a", "b", "c", "d"}
    assert found.spared == [ip_network("203.0.113.192/26")]


def test_an_exception_that_ends_before_the_ban_spares_nobody(neighbourhood):
    Ban.objects.filter(allow=True).update(expires_at=timezone.now() + DAY)
    assert reach.of_network(NETWORK, timezone.now() + DAY / 2).players == 4
    assert reach.of_network(NETWORK, timezone.now() + 2 * DAY).players == 5
    assert reach.of_network(NETWORK).players == 5


def test_reach_equals_effect(neighbourhood, lea, olga):
    """Counted both ways: by reach beforehand, and by asking at the door for everybody afterwards."""
    foretold = reach.of_network(NETWORK)
    outcome = actions.ban_network(NETWORK, by=lea.user, reason="spam", reject_pending=True, games_down=True)
    ban = outcome.done[0]
    assert ban.held
    actions.approve_ban(ban, by=olga.user)
    since = timezone.now() - 30 * DAY
    seen = {(c.player_id, c.ip, c.pk) for c in Comment.objects.filter(created_at__gt=since)}
    turned_away = {each for each in seen if doors.check(each[1])}
    last = Player.objects.filter(last_seen_at__gt=since).exclude(last_ip=None)
    players = {each[0] for each in turned_away} | {player.pk for player in last if doors.check(player.last_ip)}
    assert len(turned_away) == foretold.comments
    assert len(players) == foretold.players
    sign_ins = SignIn.objects.values_list("ip", flat=True)
    assert sum(bool(doors.check(ip)) for ip in sign_ins) == foretold.sign_ins
    rejected = Entry.objects.filter(target_type="moderation.comment", after__status="rejected")
    assert rejected.count() == foretold.pending
    taken = Entry.objects.filter(target_type="games.game")
    assert taken.count() == foretold.games


def test_the_reach_of_a_ban_of_players(neighbourhood):
    good, banned = Player.objects.get(username="a"), Player.objects.get(username="b")
    found = reach.of_players([good, banned])
    assert (found.players, found.good, found.comments, found.pending, found.games) == (2, 1, 3, 2, 1)


@pytest.mark.parametrize("path", ["", "?dialog=1"])
def test_every_form_that_bans_shows_it(neighbourhood, lea, path):
    player = Player.objects.get(username="a")
    page = lea.get(f"{player.get_absolute_url()}ban/{path}", htmx=bool(path)).text
    assert "in good standing until now" in page
    selected = [f"{c.pk}:{c.version}" for c in Comment.objects.filter(ip="203.0.113.7")]
    from waffle.testutils import override_flag

    with override_flag("bulk_actions", active=True):
        page = lea.post("/manage/comments/bulk/", {"verb": "player.ban", "selected": selected, "ask": "1"}).text
    assert "In the last 30 days" in page
    page = lea.get("/manage/bans/new/?network=203.0.113.0/24").text
    assert "Colleagues signed in from there: moses" in page
    assert "wait for another senior moderator" in page


def test_what_is_typed_is_read_out_while_one_types(neighbourhood, lea):
    page = lea.get("/manage/bans/reach/?network=203.0.113.9/24", htmx=True).text
    assert "Taken as 203.0.113.0/24" in page
    assert 'name="shown" value="203.0.113.0/24"' in page
    assert "is no address" in lea.get("/manage/bans/reach/?network=nonsense", htmx=True).text
    assert lea.get("/manage/bans/reach/?network=", htmx=True).text.strip() == ""
    assert lea.get("/manage/bans/reach/?network=203.0.113.9")["Location"] == "/manage/bans/new/?network=203.0.113.9"


def test_a_form_that_did_not_show_it_shows_it_first(neighbourhood, lea):
    row = make_network_ban()  # for a version
    data = form(row, network="203.0.112.0/24", reason="spam", expires="7d", note="typed", shown="")
    response = lea.post("/manage/bans/new/", data)
    assert response.status_code == 200
    assert "Look at it, then send the form again" in response.text
    assert "typed" in response.text
    assert not Ban.objects.filter(network=ip_network("203.0.112.0/24")).exists()
    response = lea.post("/manage/bans/new/", data | {"shown": ["", "203.0.112.0/24"]})
    assert response.status_code == 303
    assert Ban.objects.filter(network=ip_network("203.0.112.0/24")).exists()


@pytest.mark.parametrize("number", [1, 30])
def test_reach_costs_the_same_for_few_and_for_many(db, django_assert_num_queries, number):
    for place in range(number):
        make_comment(ip=f"203.0.113.{place}")
    with django_assert_num_queries(4):
        assert reach.of_network(NETWORK).players == number
