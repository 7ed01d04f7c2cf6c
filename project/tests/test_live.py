"""The one poll: no SQL while nothing changed, the truth when something did, nobody else's tag."""

from urllib.parse import quote

from django.core.cache import caches
from django_redis.cache import RedisCache

from console import live
from moderation.testing import make_comment

URL = "/manage/live/"


def tag_of(person):
    return live.Badges([], person.cookies["sessionid"].value).tag


def poll(person, tag):
    return person.get(f"{URL}?v={quote(tag)}", htmx=True)


def test_unchanged_is_204_without_sql(moses, django_assert_num_queries):
    live.bump()
    tag = tag_of(moses)
    with django_assert_num_queries(0):
        assert poll(moses, tag).status_code == 204


def test_changed_brings_every_badge_and_the_new_tag(moses):
    tag = tag_of(moses)
    make_comment()
    live.bump()
    response = poll(moses, tag)
    assert 'id="badge-nav-comments" data-badge="comments" hx-swap-oob="outerHTML">1<' in response.text
    assert 'id="live-tag"' in response.text


def test_a_tag_is_good_for_its_own_session_and_time_only(moses, lea, monkeypatch):
    live.bump()
    tag = tag_of(moses)
    assert poll(lea, tag).status_code == 200
    assert poll(moses, tag[:-1] + "x").status_code == 200
    monkeypatch.setattr(live.time, "time", lambda: 4e9)
    assert not live.is_unchanged(tag, moses.cookies["sessionid"].value)


def test_the_session_key_stays_out_of_the_page(moses):
    page = moses.get("/manage/").text
    assert moses.cookies["sessionid"].value not in page


def test_signed_out_polls_are_401_with_words_for_htmx(nobody):
    response = poll(nobody, "x")
    assert (response.status_code, response["HX-Retarget"]) == (401, "#alert")
    assert "Your session has ended" in response.text


def test_without_redis_badges_are_dashes_and_pages_work(moses, monkeypatch):
    monkeypatch.setattr(type(caches["hot"]), "get", lambda *args, **kwargs: None)
    page = moses.get("/manage/comments/")
    assert page.status_code == 200
    assert 'data-badge="comments">–<' in page.text
    assert poll(moses, "x").status_code == 200


def test_redis_that_fails_is_left_in_peace_for_a_while(moses, monkeypatch):
    asked = []

    def fail(*args, **kwargs):
        asked.append(args)
        raise TimeoutError

    for name in ("get", "get_many", "set", "add"):
        monkeypatch.setattr(RedisCache, name, fail)
    for _ in range(3):
        assert moses.get("/manage/comments/").status_code == 200
        assert moses.get("/manage/").status_code == 200
        live.bump()
    assert len(asked) == 1


def test_a_decision_while_counting_makes_the_tag_old_and_not_the_count(moses, monkeypatch):
    count = live.Badges._count
    monkeypatch.setattr(live.Badges, "_count", lambda *args: (count(*args), live.bump())[0])
    tag = live.Badges([], "k").tag
    assert not live.is_unchanged(tag, "k")


def test_a_plain_visit_leads_to_the_dashboard(moses):
    assert moses.get(URL)["Location"] == "/manage/"
