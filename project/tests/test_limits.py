"""How often people and addresses may do what costs much: counted in PostgreSQL, refused kindly, never in the way."""

import re
import threading

import pytest
from django.core.cache import caches
from django.core.cache.backends.db import DatabaseCache
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import RequestFactory
from waffle.testutils import override_flag

from console import limits, roles
from console.models import Entry, Gesture
from console.testing import PASSWORD, Person, form, make_user, undo_form
from moderation.models import Comment
from moderation.testing import make_comment, make_player
from project.tests.test_routes import routes

QUEUE, LOGIN, RESET = "/manage/comments/", "/accounts/login/", "/accounts/password/reset/"


@pytest.fixture(autouse=True)
def few(settings):
    settings.RATE_LIMITS = "search=3:6,verb=3:6,bulk=3:6,export=3:6,sign-in=0:3,reset=0:3"


def asked(person, number, *args, **kwargs):
    return [person.get(*args, **kwargs).status_code for _ in range(number)]


def wait_over():
    """The clock goes on: what was counted is a window ago."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE console_limit SET until = statement_timestamp()")


SEARCHES = [
    "/manage/comments/?q=neon",
    "/manage/comments/?player=ada",
    "/manage/players/?q=ada",
    "/manage/bans/?q=203.0.113.7",
    "/manage/games/?q=neon",
    "/manage/ledger/?target=ada",
    "/manage/bans/reach/?network=203.0.113.7",
    "/manage/comments/suggest/?player=ad",
    "/manage/games/authors/?author=ad",
]


@pytest.mark.parametrize("url", SEARCHES)
def test_a_search_is_refused_when_it_was_too_much_and_later_is_not(olga, url):
    assert 429 not in asked(olga, 3, url, htmx=True)
    assert asked(olga, 2, url, htmx=True) == [429, 429]
    wait_over()
    assert 429 not in asked(olga, 3, url, htmx=True)


@pytest.mark.parametrize("url", [QUEUE, f"{QUEUE}?status=all&order=newest&per=50", "/manage/", "/manage/live/"])
def test_what_looks_for_nothing_is_not_counted(moses, url):
    assert set(asked(moses, 8, url)) <= {200, 303}


def test_colleagues_are_counted_apart_and_their_address_together(moses, lea):
    url = f"{QUEUE}?q=neon"
    assert asked(moses, 4, url) == [200, 200, 200, 429]
    assert asked(lea, 2, url) == [200, 200]
    assert asked(lea, 1, url) == [429], "six of one address, and the refused one counts"
    assert asked(lea, 1, url, REMOTE_ADDR="203.0.113.9") == [429], "three of one person"
    wait_over()
    assert asked(lea, 1, url, REMOTE_ADDR="203.0.113.9") == [200]


def test_the_refusal_is_a_page_that_says_how_long_and_offers_the_same_again(moses):
    asked(moses, 3, f"{QUEUE}?q=neon&per=50")
    response = moses.get(f"{QUEUE}?q=neon&per=50")
    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= 60
    assert f"Wait {response['Retry-After']} seconds" in response.text
    assert 'href="/manage/comments/?q=neon&amp;per=50"' in response.text


def test_htmx_gets_words_where_they_are_seen_and_its_page_stays(moses):
    asked(moses, 3, f"{QUEUE}?q=neon", htmx=True)
    response = moses.get(f"{QUEUE}?q=neon&live=1", htmx=True)
    assert (response.status_code, response["HX-Retarget"], response["HX-Reswap"]) == (429, "#alert", "innerHTML")
    assert f"Wait {response['Retry-After']} seconds" in response.text


def fields_of(page):
    return re.findall(r'name="([^"]+)" value="([^"]*)"', page)


def test_what_was_sent_too_fast_is_not_lost(moses):
    player = make_player()
    url = f"{player.get_absolute_url()}note/"
    for _ in range(3):
        player.refresh_from_db()
        assert moses.post(url, form(player, note="before")).status_code == 303
    player.refresh_from_db()
    sent = form(player, note="“what <I> typed”", next=QUEUE)
    response = moses.post(url, sent)
    assert response.status_code == 429
    assert "csrfmiddlewaretoken" in response.text
    assert "“what &lt;I&gt; typed”" in response.text
    assert player.notes.count() == 3
    wait_over()
    assert moses.post(url, sent).status_code == 303, "its key is not used up"
    assert player.notes.count() == 4


def test_bulk_is_counted_once_for_all_that_was_ticked(moses):
    comments = [make_comment() for _ in range(12)]
    for start in range(0, 12, 3):
        ticked = [f"{comment.pk}:0" for comment in comments[start : start + 3]]
        data = undo_form(selected=ticked, verb="comment.approve")
        with override_flag("bulk_actions", active=True):
            status = moses.post(f"{QUEUE}bulk/", data).status_code
        assert status == (303 if start < 9 else 429)
    assert Comment.objects.filter(status="approved").count() == 9


def test_a_verb_answers_with_its_list_however_often_that_was_searched(moses):
    here = f"{QUEUE}?q=lovely"
    asked(moses, 4, here)
    comments = [make_comment() for _ in range(2)]
    data = undo_form(selected=f"{comments[0].pk}:0", verb="comment.approve", next=here)
    with override_flag("bulk_actions", active=True):
        response = moses.post(f"{QUEUE}bulk/", data, htmx=True)
    assert response.status_code == 200
    assert comments[1].body in response.text


def test_exports_are_counted_when_something_leaves(lea):
    assert asked(lea, 5, "/manage/ledger/export/") == [200] * 5
    statuses = [lea.post("/manage/ledger/export/", undo_form(format="csv")).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert Entry.objects.filter(verb="export.hand_out").count() == Gesture.objects.count() == 3


@pytest.mark.parametrize("htmx", [True, False])
def test_sign_in_is_counted_by_address_and_gives_no_password_back(nobody, moses, htmx):
    data = {"login": "moses", "password": "wrong and secret"}
    for _ in range(3):
        assert nobody.post(LOGIN, data, htmx=htmx).status_code == 200
    response = nobody.post(LOGIN, data, htmx=htmx)
    assert response.status_code == 429
    assert response["Retry-After"]
    assert "secret" not in response.text
    assert nobody.get(LOGIN).status_code == 200
    right = {"login": "moses", "password": PASSWORD}
    assert nobody.post(LOGIN, right, REMOTE_ADDR="203.0.113.9").status_code == 302


def test_a_network_of_one_subscriber_counts_as_one(nobody, db):
    for number in range(3):
        nobody.post(RESET, {"email": f"a{number}@mail.example"}, REMOTE_ADDR=f"2001:db8::{number + 1}")
    other = {"email": "b@mail.example"}
    assert nobody.post(RESET, other, REMOTE_ADDR="2001:db8::9").status_code == 429
    assert nobody.post(RESET, other, REMOTE_ADDR="2001:db8:0:1::9").status_code == 302


def test_resets_for_one_account_are_few_whoever_asks(nobody, db, settings):
    settings.RATE_LIMITS = "off"
    caches["default"].clear()
    statuses = [
        nobody.post(RESET, {"email": "moses@mail.example"}, REMOTE_ADDR=f"203.0.113.{n}").status_code for n in range(6)
    ]
    assert statuses == [302] * 5 + [429]
    response = nobody.post(RESET, {"email": "moses@mail.example"}, htmx=True)
    assert (response.status_code, response["HX-Retarget"], response["Retry-After"]) == (429, "#alert", "60")


def test_allauths_own_counts_are_kept_in_postgresql(settings):
    assert isinstance(caches["default"], DatabaseCache)


def test_a_limited_request_costs_one_statement_and_others_none(moses, settings, django_assert_num_queries):
    request = RequestFactory().get("/")
    request.user = moses.user
    with django_assert_num_queries(1):
        assert limits.wait("search", request) == 0
    with django_assert_num_queries(0):
        settings.RATE_LIMITS = "off"
        assert limits.wait("search", request) == 0


def test_they_hold_without_redis(moses, monkeypatch):
    monkeypatch.setattr("console.hot.HotCache.asleep_until", float("inf"))
    assert asked(moses, 4, f"{QUEUE}?q=neon") == [200, 200, 200, 429]


def test_they_hold_over_several_processes(committed_db, settings):
    settings.RATE_LIMITS = "search=20:0"
    user, allowed = make_user("moses", roles.MODERATOR), []

    def ask():
        person = Person(user)
        allowed.extend(asked(person, 10, "/manage/ledger/?verb=none"))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (allowed.count(200), allowed.count(429)) == (20, 20)


def test_what_counts_no_more_is_swept_away(moses):
    asked(moses, 1, f"{QUEUE}?q=neon")
    count = "SELECT count(*) FROM console_limit"
    with connection.cursor() as cursor:
        limits.sweep()
        assert cursor.execute(count).fetchone() == (2,)
        wait_over()
        limits.sweep()
        assert cursor.execute(count).fetchone() == (0,)


def test_no_address_is_kept(moses):
    moses.get(f"{QUEUE}?q=neon", REMOTE_ADDR="203.0.113.9")
    with connection.cursor() as cursor:
        keys = cursor.execute("SELECT key FROM console_limit").fetchall()
    assert len(keys) == 2
    assert not any("203" in key and "." in key for (key,) in keys)


def test_the_setting_switches_off_multiplies_and_overrides():
    assert limits.table("") == limits.LIMITS
    assert limits.table("off") == {}
    assert limits.table("x10")["search"] == limits.Limit(6_000, 30_000)
    assert limits.table(" search=5:0 , x2")["search"] == limits.Limit(10, 0)


@pytest.mark.parametrize("wrong", ["on", "search", "search=5", "search=a:b", "serch=1:2", "x", "search=-1:2"])
def test_a_mistake_in_the_setting_is_told_at_the_start(wrong):
    with pytest.raises(ImproperlyConfigured, match="RATE_LIMITS"):
        limits.table(wrong)


def test_nobody_at_work_meets_a_limit():
    """Three decisions a second, ten letters a second of which one in three is asked for, six sign-ins in a row."""
    each = limits.LIMITS
    assert each["verb"].person >= 3 * 60 * 2
    assert each["search"].person >= 10 / 3 * 60 * 2
    assert each["sign-in"].address >= 60
    # an office shares an address; a portal has one token
    assert all(limit.address >= 5 * limit.person for limit in each.values() if limit.person > 20 and limit.address)


def test_every_view_names_a_limit_that_there_is():
    views = [getattr(view, "view_class", None) for _, view in routes()]
    named = {view.limit for view in views if hasattr(view, "limit") and view.limit}
    assert named <= limits.LIMITS.keys()
    assert named >= {"search", "verb", "bulk", "export"}
