"""The queue: what it shows, how it narrows, and that its cost does not grow with its rows."""

import gzip
import random
import string
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from console import flags
from console.testing import steady
from moderation.testing import make_comment, make_game, make_player, make_report

URL = "/manage/comments/"


def titles(response):
    return [row.body for row in response.context["rows"]]


def test_shows_what_is_pending_oldest_first(moses):
    now = timezone.now()
    for body, days, status in [("new", 1, "pending"), ("old", 3, "pending"), ("done", 2, "approved")]:
        make_comment(body=body, created_at=now - timedelta(days=days), status=status)
    response = moses.get(URL)
    assert titles(response) == ["old", "new"]
    assert "2 comments wait" in response.text


def test_fragment_is_part_of_the_page(moses):
    make_comment()
    fragment = steady(moses.get(URL, htmx=True).text)
    assert fragment.startswith("\n<section") or fragment.strip().startswith("<section")
    assert fragment.strip() in steady(moses.get(URL).text)


def test_history_restore_gets_the_whole_page(moses):
    response = moses.get(URL, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert "<!DOCTYPE html>" in response.text


@pytest.mark.parametrize("who", ["rita", "sam", "nora"])
def test_refuses_without_permission(request, who):
    person = request.getfixturevalue(who)
    assert person.get(URL).status_code == 403
    assert person.get(URL, htmx=True).status_code == 403


def test_auditor_reads_and_is_offered_no_verb(ann):
    make_comment()
    page = ann.get(URL).text
    assert "ada" in page
    assert "Approve</button>" not in page


@pytest.mark.parametrize(
    ("status", "expected"),
    [("approved", {"a"}), ("rejected", {"r"}), ("all", {"p", "a", "r"}), ("", {"p"}), ("pending", {"p"})],
)
def test_filters_by_status(moses, status, expected):
    for body, state in [("p", "pending"), ("a", "approved"), ("r", "rejected")]:
        make_comment(body=body, status=state)
    assert set(titles(moses.get(URL, {"status": status}))) == expected


def test_orders_by_reports(moses):
    make_comment(body="calm")
    loud = make_comment(body="loud")
    make_report(loud)
    assert titles(moses.get(URL, {"order": "reported"})) == ["loud", "calm"]


@pytest.mark.parametrize("order", ["oldest", "newest", "reported"])
def test_pages_hold_every_comment_once(moses, order):
    moment = timezone.now()
    for number in range(60):  # many share a moment: the id decides
        make_comment(created_at=moment - timedelta(minutes=number // 10), report_count=number % 3)
    seen, query = [], f"order={order}"
    while query:
        response = moses.get(f"{URL}?{query}")
        seen += [row.pk for row in response.context["rows"]]
        query = response.context["more"]
    assert len(seen) == len(set(seen)) == 60


def test_more_of_a_list_that_others_have_emptied_is_nothing_and_no_praise(moses):
    comment = make_comment()
    page = moses.get(URL, {"after": f"{comment.created_at.isoformat()}~{comment.pk}"}, htmx=True).text
    assert "Nothing waits" not in page


@pytest.mark.parametrize(("live", "header"), [({"live": "1"}, "HX-Replace-Url"), ({}, "HX-Push-Url")])
def test_clean_address_follows_a_search_and_typing_makes_no_history(moses, live, header):
    response = moses.get(URL, {"q": "neon", "status": "pending", "order": "oldest", "per": "", **live}, htmx=True)
    assert response[header] == "/manage/comments/?q=neon"


def test_a_wrong_filter_is_named_and_keeps_the_page(moses):
    assert moses.get(URL, {"status": "nonsense"}).status_code == 200
    response = moses.get(URL, {"status": "nonsense"}, htmx=True)
    assert response.status_code == 422
    assert "nonsense" in response.text


@pytest.mark.parametrize("cursor", ["x", "1~2~3", "2026-01-01T00:00:00+00:00~x", "%00~1"])
def test_a_broken_cursor_is_a_404(moses, cursor):
    assert moses.get(f"{URL}?after={cursor}").status_code == 404


@pytest.mark.parametrize(
    ("query", "number"),
    [
        # session, person; newest key and count, the page's keys, cards; how often this person searched lately
        ({}, 5),
        ({"status": "all", "order": "newest"}, 5),
        ({"order": "reported", "reported": "yes", "from": "2020-01-01"}, 6),
        ({"q": "lovely"}, 5),  # what a search finds comes with its count and the newest key
        ({"game": "moth-lamp"}, 7),  # which game that is
        ({"player": "ada byte"}, 7),
    ],
)
def test_a_list_takes_few_queries_and_the_same_at_25_and_100_rows(moses, django_assert_num_queries, query, number):
    game, player = make_game(slug="moth-lamp"), make_player(username="ada byte")
    for count in (25, 75):
        for each in range(count):
            comment = make_comment(game=game, player=player if each % 2 or "player" in query else None)
            make_report(comment)
        moses.get(URL)  # the badge's count is cached from here on
        with django_assert_num_queries(number):
            response = moses.get(URL, {**query, "per": "100"})
        assert len(response.context["rows"]) == (25 if count == 25 else 100)


def test_a_flag_for_a_group_costs_no_query(moses, django_assert_num_queries):
    flags.give_to_group("bulk_actions", Group.objects.get(name="Moderator"), "default")
    make_comment()
    moses.get(URL)
    with django_assert_num_queries(5):
        assert "Select all shown" in moses.get(URL).text


def test_a_list_of_cards_weighs_little(moses):
    chance = random.Random(1)
    for _ in range(50):  # the texts themselves compress badly, as real ones do
        words = ["".join(chance.choices(string.ascii_lowercase, k=7)) for _ in range(18)]
        make_report(make_comment(body=" ".join(words), player=make_player(username="".join(words[:2]))))
    page = moses.get(URL, {"per": "50"}, htmx=True)
    assert len(page.content) < 50 * 3_200
    assert len(gzip.compress(page.content)) < 50 * 400


def test_bodies_are_text_whatever_they_hold(moses):
    make_comment(body='<script>alert(1)</script><b hx-post="/x">&amp;')
    page = moses.get(URL).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&lt;b hx-post=&#34;/x&#34;&gt;&amp;amp;" in page


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999-23:59"])
def test_the_edges_of_the_calendar_are_no_errors(moses, moment):
    assert moses.get("/manage/comments/", {"after": f"{moment}~1"}).status_code == 404
