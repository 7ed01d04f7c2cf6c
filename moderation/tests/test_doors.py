"""Who is turned away: the ban that decides, at intake and at sign-in."""

import json
import queue
import threading
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from console.models import SignIn
from console.testing import PASSWORD, undo_form
from moderation import actions, doors
from moderation.models import Ban, Comment
from moderation.testing import make_network_ban, make_player

HOUR = timedelta(hours=1)


def test_the_most_specific_entry_decides(db):
    wide = make_network_ban("203.0.113.0/24")
    make_network_ban("203.0.113.64/26", allow=True)
    narrow = make_network_ban("203.0.113.70/32")
    assert doors.check("203.0.113.7") == wide
    assert doors.check("203.0.113.65") is None
    assert doors.check("203.0.113.70") == narrow
    assert doors.check("198.51.100.1") is None


def test_at_equal_width_the_exception_decides(db):
    make_network_ban("203.0.113.0/24")
    make_network_ban("203.0.113.0/24", allow=True)
    assert doors.check("203.0.113.7") is None


def test_a_ban_of_the_player_comes_before_any_exception(db):
    player = make_player()
    ban = Ban.objects.create(player=player, reason="spam")
    make_network_ban("203.0.113.0/24", allow=True)
    assert doors.check("203.0.113.7", player.pk) == ban
    assert doors.check("203.0.113.7") is None


NOT_IN_FORCE = [
    {"lifted_at": timezone.now()},
    {"held": True},
    {"starts_at": timezone.now() + HOUR},
    {"expires_at": timezone.now() - HOUR},
]


@pytest.mark.parametrize("fields", NOT_IN_FORCE, ids=lambda fields: next(iter(fields)))
def test_what_is_not_in_force_turns_nobody_away(db, fields):
    player = make_player()
    Ban.objects.create(player=player, reason="spam", **fields)
    make_network_ban("203.0.113.0/24", **fields)
    assert doors.check("203.0.113.7", player.pk) is None


@pytest.mark.parametrize("address", ["::ffff:203.0.113.7", "203.0.113.7%1", " 203.0.113.7"])
def test_an_address_in_other_clothes_is_the_same_address(db, address):
    assert doors.check(address) is None
    make_network_ban("203.0.113.0/24")
    assert doors.check(address)


@pytest.mark.parametrize("address", ["", None, "nonsense", "203.0.113"])
def test_what_is_no_address_is_nobodys(db, address):
    make_network_ban("0.0.0.0/0")
    assert doors.check(address) is None


def test_asking_is_one_statement(db, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert doors.check("203.0.113.7", 1) is None


def test_intake_rejects_what_banned_people_write(db, moses, tmp_path, capsys):
    player = make_player(external_id="author:troll", username="troll")
    actions.ban(player, by=moses.user, reason="spam")
    make_network_ban("203.0.113.0/24", starts_at=timezone.now() - HOUR)
    make_network_ban("203.0.113.8/32", allow=True)
    now, before = timezone.now().isoformat(), (timezone.now() - 2 * HOUR).isoformat()
    given = [("1", "troll", "", now), ("2", "ada", "203.0.113.7", now), ("3", "ada", "203.0.113.8", now)]
    given += [("4", "ada", "203.0.113.7", before), ("5", "ada", "198.51.100.1", now)]
    path = tmp_path / "new.jsonl"
    names = ("external_id", "author", "ip", "created_at")
    path.write_text(
        "".join(json.dumps({**dict(zip(names, row, strict=True)), "body": "hello"}) + "\n" for row in given)
    )
    call_command("import_comments", str(path))
    assert "2 came from banned players or networks" in capsys.readouterr().out
    assert dict(Comment.objects.values_list("external_id", "status")) == {
        "1": "rejected",
        "2": "rejected",
        "3": "pending",
        "4": "pending",
        "5": "pending",
    }
    blocked = Comment.objects.exclude(blocked_by=None).order_by("external_id")
    assert [comment.blocked_by.whom for comment in blocked] == ["troll", "203.0.113.0/24"]
    assert "turned away when it came in" in moses.get(blocked[0].get_absolute_url()).text


def test_nobody_signs_in_from_a_banned_network(moses, client):
    make_network_ban("198.51.100.0/24")
    data = {"login": "moses", "password": PASSWORD}
    refused = client.post("/accounts/login/", data, REMOTE_ADDR="198.51.100.9")
    assert "this network, because it is banned" in refused.text
    assert [row.outcome for row in SignIn.objects.exclude(ip=None)] == [SignIn.REFUSED]
    wrong = client.post("/accounts/login/", data | {"password": "wrong"}, REMOTE_ADDR="198.51.100.9")
    assert wrong.text.count("because it is banned") == refused.text.count("because it is banned")
    assert client.post("/accounts/login/", data, REMOTE_ADDR="203.0.113.9").status_code == 302
    came_in = SignIn.objects.filter(outcome=SignIn.IN, user=moses.user)
    assert [row.ip for row in came_in.exclude(ip=None)] == ["203.0.113.9"]


def test_a_refusal_is_one_statement_too(db, django_assert_num_queries):
    ban = make_network_ban("203.0.113.0/24", expires_at=timezone.now() + HOUR, note="why")
    with django_assert_num_queries(1):
        found = doors.check("203.0.113.7", 1)
        assert (found, found.network, found.note, found.expires_at) == (ban, ban.network, "why", ban.expires_at)


def test_a_ban_of_all_ipv4_says_nothing_of_ipv6(db):
    make_network_ban("0.0.0.0/0")
    assert doors.check("203.0.113.7")
    assert doors.check("2001:db8::1") is None


def test_a_ban_and_its_lifting_work_at_once_everywhere(committed_db):
    """Nothing is remembered between two questions, in whatever thread or process they are asked."""
    questions, answers = queue.Queue(), queue.Queue()

    def stand_at_the_door():
        while questions.get():
            answers.put(doors.check("203.0.113.7") is not None)
        connection.close()

    def asked():
        questions.put(True)
        return answers.get(timeout=30)

    door = threading.Thread(target=stand_at_the_door)
    door.start()
    seen = [asked()]
    ban = make_network_ban("203.0.113.0/24")
    seen.append(asked())
    Ban.objects.filter(pk=ban.pk).update(lifted_at=timezone.now())
    seen.append(asked())
    questions.put(False)
    door.join()
    assert seen == [False, True, False]


def test_who_is_at_work_goes_on_when_a_colleague_bans_their_network(moses):
    """Sign-in alone is refused: a ban that is too wide must not throw colleagues out in the middle of it."""
    make_network_ban("198.51.100.0/24")
    assert moses.get("/manage/comments/", REMOTE_ADDR="198.51.100.9").status_code == 200


def test_behind_our_proxy_it_is_the_clients_address_that_counts(moses, client, settings):
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    make_network_ban("198.51.100.0/24")
    data = {"login": "moses", "password": PASSWORD}
    for forwarded, status in (("203.0.113.9, 198.51.100.9", 200), ("198.51.100.9, 203.0.113.9", 302)):
        headers = {"X-Forwarded-For": forwarded}
        response = client.post("/accounts/login/", data, REMOTE_ADDR="10.0.0.1", headers=headers)
        assert response.status_code == status


def test_a_ban_of_a_network_lasts_a_week_unless_somebody_says_otherwise(lea):
    assert lea.get("/manage/bans/new/").context["form"]["expires"].value() == "7d"


def test_a_ban_for_good_takes_a_reason(lea):
    data = undo_form(network="203.0.113.0/24", expires="never")
    assert lea.post("/manage/bans/new/", data).status_code == 422
    assert lea.post("/manage/bans/new/", data | {"reason": "spam"}).status_code == 303
    assert Ban.objects.get().expires_at is None


@pytest.mark.parametrize("typed", ["2001:db8::1", "fe80::1%eth0", "::ffff:198.51.100.7", "198.51.100.7"])
def test_whoever_types_their_own_address_is_told(lea, typed):
    own = {"2001:db8::1": "2001:db8::99", "fe80::1%eth0": "fe80::2%eth1"}.get(typed, "198.51.100.7")
    data = undo_form(network=typed, reason="spam", expires="7d")
    response = lea.post("/manage/bans/new/", data, REMOTE_ADDR=own)
    assert response.status_code == 422
    assert "Your own address" in response.text or "private, loopback or reserved" in response.text
    assert not Ban.objects.exists()
