"""The page about one player: what each tab tells, what it lets do, and that its cost does not grow."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.models import Entry
from console.testing import form
from moderation import actions, profile
from moderation.models import Ban, Comment, Player, Strike
from moderation.testing import make_comment, make_game, make_player, make_report

TABS = ["", "comments", "addresses", "timeline"]


def url(player, tab="", **params):
    query = "&".join(f"{name}={value}" for name, value in {"tab": tab, **params}.items() if value)
    return f"/manage/players/{player.pk}/{f'?{query}' if query else ''}"


def fresh(player):
    return Player.objects.get(pk=player.pk)


def test_the_summary_tells_who_it_is(lea):
    player = make_player(
        username="kit", email="kit@mail.example", bio="I like snails", last_ip="203.0.113.7", external_id="portal-9"
    )
    for tab in TABS:
        page = lea.get(url(player, tab)).text
        for words in ("kit", "kit@mail.example", "I like snails", "portal-9", f'data-item="player-{player.pk}"'):
            assert words in page


def test_nothing_yet_is_said_in_words(moses):
    player = make_player()
    said = {
        "": ("Never banned.", "No warning, no strike.", "Nobody has left a note.", "Joined the portal"),
        "comments": ("They have not written anything.",),
        "addresses": ("No address of theirs is known.", "Nobody else was seen there."),
    }
    for tab, sentences in said.items():
        page = moses.get(url(player, tab)).text
        for words in sentences:
            assert words in page


def test_bans_and_strikes_are_told_with_how_they_stand(lea):
    player, now = make_player(), timezone.now()
    Ban.objects.create(player=player, reason="spam", lifted_at=now)
    Ban.objects.create(player=player, reason="abuse", expires_at=now + timedelta(days=1))
    Strike.objects.create(player=player, reason="spam", weight=3)
    Strike.objects.create(player=player, reason="spam", weight=2, expires_at=now)
    Strike.objects.create(player=player, reason="spam", weight=1, withdrawn_at=now)
    page = lea.get(url(player)).text
    for words in ("Lifted", "Active", "Abuse or bullying", "Weighs 3", "Expired, weighed 2", "Withdrawn, weighed 1"):
        assert words in page
    assert "Strikes weigh 3" in page


def test_comments_are_decided_on_from_here(moses):
    comment = make_comment(body="hello there")
    here = url(comment.player, "comments")
    page = moses.get(here).text
    assert "hello there" in page
    assert f"/manage/comments/{comment.pk}/approve/" in page
    assert f"status=all&amp;order=newest&amp;players={comment.player_id}" in page
    response = moses.post(f"/manage/comments/{comment.pk}/approve/", form(comment, next=here), htmx=True)
    assert response["HX-Retarget"] == "#item"
    assert 'aria-current="page">Comments' in response.text
    assert Comment.objects.get().status == "approved"


def test_pictures_count_what_was_written_and_decided_each_day(moses):
    player = make_player()
    for status in ("approved", "approved", "rejected"):
        make_comment(player=player, status=status)
    make_comment(player=player, created_at=timezone.now() - timedelta(days=40))
    actions.reject(make_comment(player=player), by=moses.user, reason="spam")
    actions.warn(fresh(player), by=moses.user, reason="spam")
    written, decided = profile.record(player)["charts"]
    assert written["rows"][-1] == {
        "label": f"{timezone.now().astimezone(UTC):%d %b}",
        "numbers": [2, 0, 2, 0],
        "total": 4,
        "href": "",
    }
    assert written["says"].startswith("Comments per day: 4 in all")
    assert {each.label: each.numbers[-1] for each in decided["series"]} == {"Reject": 1, "Warn": 1}


def test_one_timeline_tells_of_everything(moses, lea):
    player = make_player(username="kit", joined_at=datetime(2026, 1, 1, tzinfo=UTC))
    game = make_game(author=player)
    first, second = make_comment(player=player), make_comment(player=player)
    make_report(first, words="spam again")
    make_report(make_comment(), player=player, words="he is rude")
    actions.reject(first, by=moses.user, reason="spam", note="the third time")
    actions.ban(fresh(player), by=lea.user, reason="abuse", games_down=True)
    page = moses.get(url(player, "timeline")).text
    for words in (
        "Joined the portal",
        "spam again",
        "he is rude",
        "moses rejected",
        "the third time",
        "lea banned this player and 2 of their comments or games for <strong>Abuse or bullying</strong>",
    ):
        assert words in page, words
    assert page.count("lea banned") == 1, "one line for each gesture"
    taken = set(Entry.objects.filter(verb="player.ban").values_list("target_type", "target_id"))
    assert {("moderation.comment", second.pk), ("games.game", game.pk)} <= taken


def test_undo_is_offered_to_those_who_may_and_only_once(moses, lea, ann):
    comment = make_comment()
    actions.reject(comment, by=moses.user, reason="spam")
    offer = f"{Entry.objects.get().get_undo_url()}?next="
    here = url(comment.player, "timeline")
    assert [offer in person.get(here).text for person in (moses, lea, ann)] == [True, True, False]
    lea.post(Entry.objects.get().get_undo_url(), form(comment, version=0, next=here))
    page = lea.get(here).text
    assert offer not in page
    assert "lea undid a decision on" in page


def test_the_timeline_goes_on_with_what_is_earlier(moses):
    comment = make_comment(player=make_player(joined_at=datetime(2026, 1, 1, tzinfo=UTC)))
    for number in range(60):
        make_report(comment, words=f"number {number};")
    here = moses.get(url(comment.player, "timeline"))
    rest = moses.get(f"/manage/players/{comment.player_id}/{here.context['earlier']}")
    told = [event.words for page in (here, rest) for event in page.context["events"]]
    assert len(told) == len(set(told)) == 61
    assert not rest.context["earlier"]
    assert moses.get(url(comment.player, "timeline", before="yesterday")).status_code == 404


def test_addresses_are_told_with_how_often_and_where_to_ban_them(moses, lea):
    player = make_player(last_ip="203.0.113.9")
    for _ in range(3):
        make_comment(player=player, ip="203.0.113.7")
    page = lea.get(url(player, "addresses")).text
    assert "3 comments" in page
    assert "203.0.113.9" in page
    assert "/manage/bans/new/?network=203.0.113.7&amp;next=%2Fmanage%2Fplayers" in page
    assert "Ban this network" not in moses.get(url(player, "addresses")).text


def test_others_on_the_same_networks_are_found_by_comments_and_by_where_they_were_last(moses):
    player = make_player(last_ip="2001:db8:0:1::7")
    make_comment(player=player, ip="203.0.113.7")
    make_comment(player=make_player(username="same"), ip="203.0.113.7")
    make_comment(player=make_player(username="longago"), ip="203.0.113.7", created_at=datetime(2020, 1, 1, tzinfo=UTC))
    make_comment(player=make_player(username="nextdoor"), ip="203.0.113.8")
    make_comment(player=make_player(username="sixtyfour"), ip="2001:db8:0:1::99")
    make_player(username="lastseen", last_ip="2001:db8:0:1:8::1")
    make_player(username="otherhouse", last_ip="2001:db8:0:2::1")
    found = moses.get(url(player, "addresses")).context["others"]
    assert {other["player"].username for other in found} == {"same", "sixtyfour", "lastseen"}


def test_of_an_address_that_many_share_only_so_many_are_looked_at(moses, monkeypatch):
    monkeypatch.setattr(profile, "BOUND", 5)
    player = make_comment(ip="203.0.113.7").player
    others = [make_comment(player=make_player(), ip="203.0.113.7").player for _ in range(12)]
    found = moses.get(url(player, "addresses")).context["others"]
    assert [other["player"].pk for other in found] == [other.pk for other in reversed(others)][:5]


@pytest.mark.parametrize("tab", TABS)
def test_each_tab_takes_at_most_eight_queries_however_much_there_is(moses, tab):
    player = make_player(last_ip="203.0.113.1")

    def queries(number):
        for each in range(number):
            comment = make_comment(player=player, ip=f"203.0.113.{each % 20 + 1}", game=make_game(author=player))
            make_report(comment)
            make_comment(ip=f"203.0.113.{each % 20 + 1}")
            actions.reject(comment, by=moses.user, reason="spam", note=f"note {each}")
            actions.note(fresh(player), by=moses.user, note=f"note {each}")
            actions.strike(fresh(player), by=moses.user, reason="spam")
        with CaptureQueriesContext(connection) as asked:
            moses.get(url(player, tab))
        return len(asked)

    moses.get(url(player, tab))
    assert queries(3) == queries(22) <= 8


@pytest.mark.parametrize("tab", TABS)
def test_what_people_type_stays_text(moses, tab):
    hostile = '<script>alert(1)</script>" onx="1" {{ 7*7 }}'
    player = make_player(username=hostile, bio=hostile, email=hostile, external_id=hostile)
    make_report(make_comment(player=player, body=hostile, game=make_game(title=hostile)), words=hostile)
    actions.note(player, by=moses.user, note=hostile)
    page = moses.get(url(player, tab)).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_name_that_hides_is_laid_open(moses):
    page = moses.get(url(make_player(username="k\u202eit"))).text
    assert "U+202E" in page
    assert "\u202e" not in page.partition("item-h")[2].partition("</h1>")[0]


def test_the_way_back_leads_where_the_person_came_from(moses):
    player = make_player()
    assert '<a href="/manage/comments/?status=all">' in moses.get(url(player, next="/manage/comments/?status=all")).text
    page = moses.get(url(player, "timeline", next="/manage/players/?q=kit")).text
    assert '<a href="/manage/players/?q=kit">' in page
    assert "?tab=comments&amp;next=%2Fmanage%2Fplayers%2F%3Fq%3Dkit" in page
