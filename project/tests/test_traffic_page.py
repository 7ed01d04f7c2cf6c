"""The page of traffic: pictures and tables from what was counted, for those who may see it, leading to lists."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console import verbs
from console.testing import steady
from console.traffic import counting
from moderation.testing import make_comment, make_player, make_report

URL = "/manage/traffic/"


@pytest.fixture
def portal(db, lea):
    """Two comments of an hour ago and one of five days ago, a decision, a report."""
    now = timezone.now()
    first = make_comment(ip="198.51.100.7", created_at=now - timedelta(hours=1))
    make_comment(ip="198.51.100.8", created_at=now - timedelta(hours=1))
    make_comment(ip="203.0.113.9", created_at=now - timedelta(days=5))
    make_report(first)
    verbs.get("comment.reject")(first, by=lea.user, reason="spam")
    counting.run()
    return now


def page(person, query="", **kwargs):
    return person.get(f"{URL}{query}", **kwargs)


def text_of(response):
    return response.content.decode()


def test_numbers_are_there_as_pictures_words_and_tables(portal, lea):
    html = text_of(page(lea, "?period=7d"))
    assert html.count('<svg class="chart__picture"') == 6
    assert "3 comments; none in the 7 days before." in html
    assert "1 report" in html
    assert "1 decision;" in html
    assert html.count("The numbers as a table") == 6


@pytest.mark.parametrize(("days_ago", "more"), [(13, 1), (14, 2)])
def test_it_is_compared_with_the_time_before_and_no_longer(portal, lea, days_ago, more):
    midnight = portal.replace(hour=0, minute=0, second=0, microsecond=0)
    for each in (days_ago, 7):  # the last day of the time before is the seventh
        make_comment(created_at=midnight - timedelta(days=each))
    counting.run()
    assert f"3 comments, {more} more than in the 7 days before." in text_of(page(lea, "?period=7d"))


def test_the_fragment_is_part_of_the_page(portal, lea):
    whole, part = page(lea), page(lea, htmx=True)
    assert steady(text_of(part)).strip() in steady(text_of(whole))
    assert part["HX-Push-Url"] == URL


@pytest.mark.parametrize(("period", "columns"), [("24h", 24), ("7d", 7), ("30d", 30), ("90d", 90)])
def test_each_period_has_its_columns(portal, lea, period, columns):
    pictures = page(lea, f"?period={period}").context["pictures"]
    assert {len(each["rows"]) for each in pictures} == {columns}


def test_days_of_ones_own_are_by_the_hour_when_few(portal, lea):
    day = f"{portal - timedelta(days=5):%Y-%m-%d}"
    (comments,) = [p for p in page(lea, f"?from={day}&to={day}").context["pictures"] if p["title"] == "Comments"]
    assert len(comments["rows"]) == 24
    assert comments["total"] == 1


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("from=yesterday", "Write a day as 2026-01-31."),
        ("from=2026-02-01&amp;to=2026-01-01", "The last day is before the first."),
        ("from=2020-01-01&amp;to=2026-01-01", "At most 366 days at once."),
        ("from=0001-01-01&amp;to=0001-01-02", "Choose a day between 1990-01-01 and 2189-12-31."),
        ("period=1y", "is not on offer"),
    ],
)
def test_mistakes_are_said_and_what_was_typed_stays(portal, lea, query, said):
    for htmx in (False, True):
        response = page(lea, f"?{query.replace('&amp;', '&')}", htmx=htmx)
        assert response.status_code == 422
        assert said in text_of(response)
        for typed in re.findall(r"(?:from|to)=([^&]+)", query):
            assert f'value="{typed}"' in text_of(response)


def links(response, path):
    found = re.findall(rf'<a href="({path}[^"]*)"', text_of(response))
    return [link.replace("&amp;", "&") for link in dict.fromkeys(found)]


def found_by(person, link):
    return re.search(r'id="found">([^<]*)', text_of(person.get(link)))[1]


def test_a_year_of_ones_own_is_by_the_week_each_leading_to_its_days(portal, lea):
    first, last = portal - timedelta(days=365), portal
    response = page(lea, f"?from={first:%Y-%m-%d}&to={last:%Y-%m-%d}")
    (comments,) = [p for p in response.context["pictures"] if p["title"] == "Comments"]
    assert (len(comments["rows"]), comments["unit"], comments["total"]) == (53, "Week", 3)
    assert sum(row["total"] for row in comments["rows"]) == 3
    begins = first + timedelta(days=7 * 52)  # 52 weeks and two days
    label, link = f"{begins:%d %b} – {last:%d %b}", links(response, "/manage/comments/")[-1]
    assert comments["rows"][-1]["label"] == label
    assert link.endswith(f"from={begins:%Y-%m-%d}&to={last:%Y-%m-%d}")
    assert found_by(lea, link) == "2 comments"
    assert "on one week" not in comments["says"]


@pytest.mark.parametrize("period", ["24h", "7d"])
def test_a_bar_leads_to_the_list_of_what_it_counts(portal, lea, period):
    response = page(lea, f"?period={period}")
    assert found_by(lea, links(response, "/manage/comments/")[-1]) == "2 comments"
    assert links(response, "/manage/players/[?]joined")
    assert "1 " in found_by(lea, links(response, "/manage/ledger/")[-1])


def test_hours_narrow_the_lists_to_themselves(portal, lea):
    make_player(joined_at=portal - timedelta(days=4))
    at = (portal - timedelta(days=4)).strftime("%Y-%m-%dT%H:%M")
    assert found_by(lea, f"/manage/players/?joined_hour={at}") == "1 player"
    assert lea.get("/manage/comments/?hour=tea").status_code == 200


def test_addresses_are_masked_for_those_who_see_none_whole(portal, lea, ann):
    whole, masked = text_of(page(lea)), text_of(page(ann))
    assert "198.51.100.7" in whole
    assert "198.51.100.7" not in masked
    assert "198.51.100.•••" in masked
    assert "198.51.100.0/24" in masked
    assert "q=198.51.100.0%2F24" in masked


def test_an_empty_portal_is_said_to_be_one(db, lea):
    counting.run()
    html = text_of(page(lea, "?from=2020-01-01&to=2020-01-02"))
    assert "No comments, as in the 2 days before." in html
    assert "these days are longer ago" in html


def test_what_waits_to_be_counted_is_said_to_be_missing(portal, lea):
    assert "all of it counted" in text_of(page(lea))
    make_comment()
    assert "what came since is being counted" in text_of(page(lea))
    counting.run()
    assert "all of it counted" in text_of(page(lea))


def asked(person, number):
    for place in range(number):
        make_comment(ip=f"192.0.2.{place}", created_at=timezone.now() - timedelta(days=place % 7))
    counting.run()
    page(person)  # badges are counted once
    with CaptureQueriesContext(connection) as queries:
        assert page(person).status_code == 200
    return len(queries)


def test_the_number_of_statements_does_not_grow(lea):
    few, more = asked(lea, 10), asked(lea, 20)
    assert few == more <= 10
