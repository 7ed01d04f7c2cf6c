"""The list of games, one game, one build: what they show, to whom, with how many queries, and what polls bring."""

from datetime import UTC, datetime

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console import live
from games.models import Build, Game
from games.testing import make_build, make_game
from moderation.testing import make_player

URL = "/manage/games/"


@pytest.fixture
def shelf(db):
    ada = make_player(username="ada")
    drift = make_game(title="Neon Drift", slug="neon", status=Game.PUBLISHED, author=ada, touched_at=day(1))
    bell = make_game(title="Bell Garden", slug="bell", status=Game.DRAFT, touched_at=day(2))
    hop = make_game(title="Star Hopper", slug="star", status=Game.ARCHIVED, touched_at=day(3))
    drift.tags.add("Racing", "neon")
    bell.tags.add("calm")
    return [drift, bell, hop]


def day(number):
    return datetime(2026, 10, number, 12, tzinfo=UTC)


def titles(person, query=""):
    return [row.title for row in person.get(f"{URL}?{query}").context["rows"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Bell Garden", "Neon Drift"]),
        ("status=all", ["Star Hopper", "Bell Garden", "Neon Drift"]),
        ("status=archived", ["Star Hopper"]),
        ("status=published", ["Neon Drift"]),
        ("q=ell+gar", ["Bell Garden"]),
        ("q=ne", ["Neon Drift"]),
        ("q=neon", ["Neon Drift"]),
        ("q=100%25", []),
        ("tag=racing", ["Neon Drift"]),
        ("author=ADA", ["Neon Drift"]),
        ("author=nobody", []),
        ("from=2026-10-02", ["Bell Garden"]),
        ("to=2026-10-01", ["Neon Drift"]),
        ("order=oldest&status=all", ["Neon Drift", "Bell Garden", "Star Hopper"]),
        ("order=title&status=all", ["Bell Garden", "Neon Drift", "Star Hopper"]),
    ],
)
def test_the_list_is_narrowed_and_sorted(moses, shelf, query, found):
    assert titles(moses, query) == found


@pytest.mark.parametrize("query", ["status=odd", "from=yesterday", "from=2026-10-02&to=2026-10-01", "per=7"])
def test_a_filter_without_sense_is_told_and_shows_nothing(moses, shelf, query):
    response = moses.get(f"{URL}?{query}")
    assert response.context["filter"].form.errors
    assert titles(moses, query) == []


def test_pages_follow_each_other_without_gaps(moses, db):
    for number in range(30):
        make_game(title=f"Game {number:02}")
    first = moses.get(f"{URL}?order=title").context
    rest = moses.get(f"{URL}?{first['more']}").context
    assert [row.title for row in [*first["rows"], *rest["rows"]]] == [f"Game {number:02}" for number in range(30)]


def test_the_number_of_queries_does_not_grow_with_the_rows(moses, rita):
    def queries(number):
        while Game.objects.count() < number:
            make_build(game=make_game(author=make_player())).game.tags.add("racing")
        with CaptureQueriesContext(connection) as captured:
            moses.get(URL)
        return len(captured)

    queries(1)
    assert queries(10) == queries(20) <= 9


def test_only_publishers_are_offered_to_upload_and_decide(moses, rita, db):
    make_build()
    assert "/publish/" not in moses.get(URL).text
    assert "/manage/games/upload/" not in moses.get(URL).text
    assert "/publish/" in rita.get(URL).text
    assert "/manage/games/upload/" in rita.get(URL).text


def test_an_empty_list_says_why(moses, db):
    assert "No games yet" in moses.get(URL).text
    assert "No game is called “neon”" in moses.get(f"{URL}?q=neon").text
    assert "Nothing matches these filters" in moses.get(f"{URL}?tag=x").text


def test_the_page_of_a_game_says_what_changed_between_builds(moses, db):
    first = make_build()
    files = [["index.html", 120, 1], ["js/main.js", 5000, 9], ["new.png", 10, 3]]
    make_build(game=first.game, files=files)
    text = moses.get(first.game.get_absolute_url()).text
    assert "1 added, 1 changed, compared with build 1, 1010" in text.replace("\xa0", "").replace("bytes", "")


def test_the_page_of_a_build_lists_stages_files_and_what_changed(moses, db):
    first = make_build()
    build = make_build(game=first.game, files=[["index.html", 120, 1]])
    text = moses.get(build.get_absolute_url()).text
    for words in ("Inspect the zip", "Make it ready", "js/main.js", "removed", "1 file,"):
        assert words in text


def test_queries_of_a_game_do_not_grow_with_its_builds(moses, db):
    game = make_game()

    def queries(number):
        while game.builds.count() < number:
            make_build(game=game)
        with CaptureQueriesContext(connection) as captured:
            moses.get(game.get_absolute_url())
        return len(captured)

    queries(1)
    assert queries(5) == queries(15)


def test_the_address_of_a_name_with_markup_is_harmless(moses, db):
    build = make_build(game=make_game(title="<script>alert(1)</script>"), zip_name='"><img src=x>.zip')
    for url in (URL, build.game.get_absolute_url(), build.get_absolute_url()):
        text = moses.get(url).text
        assert "<script>alert" not in text
        assert "<img src=x" not in text


def test_a_picture_is_shown_to_staff_and_kept_by_their_browser(moses, nobody, db):
    build = make_build(thumbnail="pictures/one.webp")
    default_storage.save("pictures/one.webp", ContentFile(b"RIFF"))
    url = f"/manage/games/builds/{build.pk}/picture/"
    response = moses.get(url)
    assert b"".join(response.streaming_content) == b"RIFF"
    assert (response["Content-Type"], response["X-Content-Type-Options"]) == ("image/webp", "nosniff")
    assert "private" in response["Cache-Control"]
    assert nobody.get(url).status_code == 302
    Build.objects.update(thumbnail="pictures/gone.webp")
    assert moses.get(url).status_code == 404


def poll(person, build, state, here=URL):
    headers = {"HX-Current-URL": f"http://testserver{here}"}
    return person.get(f"/manage/live/?watch=build-{build.pk}:{state}", htmx=True, headers=headers).text


def test_a_poll_brings_what_has_moved_and_says_what_is_ready(moses, rita, db):
    build = make_build(Build.UNPACKED)
    assert 'value="build-' not in poll(rita, build, "unpacked")
    moved = poll(rita, build, "inspected")
    assert f'id="game-{build.game_id}"' in moved
    assert 'hx-swap-oob="outerHTML"' in moved
    Build.objects.update(state=Build.READY)
    assert f"{build.game.title} is ready to review." in poll(rita, build, "stored")
    assert 'id="item"' in poll(rita, build, "stored", build.get_absolute_url())
    assert 'id="item"' in poll(rita, build, "stored", build.game.get_absolute_url())


@pytest.mark.parametrize(
    "value", ["build-1", "build-x:ready", "other-1:ready", "build-1:<script>", "build-999999:ready"]
)
def test_odd_things_to_watch_are_passed_over(rita, db, value):
    assert rita.get("/manage/live/", {"watch": value}, htmx=True).status_code == 200


def test_an_unchanged_poll_costs_no_sql_and_every_stage_is_a_change(rita, db, django_assert_num_queries):
    import re

    build = make_build(Build.UNPACKED)
    text = rita.get(URL).text
    tag = re.search(r'name="v" value="([^"]+)"', text)[1]
    asked = {"v": tag, "watch": f"build-{build.pk}:unpacked"}
    with django_assert_num_queries(0):
        assert rita.get("/manage/live/", asked, htmx=True).status_code == 204
    live.bump()
    assert rita.get("/manage/live/", asked, htmx=True).status_code == 200


def test_a_delay_is_told_of(rita, db):
    from console.models import Job

    make_build(Build.RECEIVED)
    assert "Processing is delayed" not in rita.get(URL).text
    Job.objects.update(due_at=day(1))
    assert "Processing is delayed" in rita.get(URL).text


def test_titles_with_any_sign_can_be_paged_through(moses, db):
    for number in range(27):
        make_game(title=f"~100% {number:02}~")
    first = moses.get(f"{URL}?order=title").context
    rest = moses.get(f"{URL}?{first['more']}").context
    assert [row.title for row in rest["rows"]] == ["~100% 25~", "~100% 26~"]


def test_a_game_with_a_tag_in_two_spellings_is_listed_once(moses, db):
    from taggit.models import Tag

    game = make_game()
    game.tags.add(Tag.objects.create(name="Neon"), Tag.objects.create(name="neon", slug="neon-2"))
    assert titles(moses, "tag=neon") == [game.title]


def test_pictures_do_not_wait_for_a_storage_that_is_away(moses, db, monkeypatch):
    asked, build = [], make_build(thumbnail="pictures/x.webp")

    def away(name):
        asked.append(name)
        raise ConnectionError

    monkeypatch.setattr(default_storage, "open", away)
    for _ in range(5):
        assert moses.get(f"/manage/games/builds/{build.pk}/picture/").status_code == 404
    assert len(asked) == 1
