"""The upload page: what it takes, what it refuses in words, and that nothing typed or sent is lost."""

import hashlib
import io
from types import SimpleNamespace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory

from console.models import Entry, Gesture, Job
from console.testing import undo_form
from games import intake, quarantine
from games.models import Build, Game
from games.testing import make_build, make_game
from moderation.testing import make_player

URL = "/manage/games/upload/"
MIB = 2**20


@pytest.fixture(autouse=True)
def empty_quarantine(settings, tmp_path):
    settings.QUARANTINE_DIR = tmp_path / "quarantine"
    return settings.QUARANTINE_DIR


def zip_of(content=b"PK a zip", name="neon.zip"):
    return SimpleUploadedFile(name, content, "application/zip")


def form(**fields):
    values = {"title": "Neon Drift", "zip": zip_of(), **fields}
    return undo_form(**{name: value for name, value in values.items() if value is not None})


def kept(folder):
    return sorted(path.name for path in folder.glob("*")) if folder.exists() else []


def test_a_new_game_is_processing_and_its_job_waits(rita, empty_quarantine):
    author = make_player(username="ada")
    response = rita.post(URL, form(description="Drift.", tags="racing, neon", author="Ada"))
    assert (response.status_code, response["Location"]) == (303, "/manage/games/")
    build = Build.objects.get()
    game = build.game
    assert (game.title, game.status, game.author) == ("Neon Drift", Game.PROCESSING, author)
    assert sorted(game.tags.names()) == ["neon", "racing"]
    assert (build.state, build.number, build.zip_name) == (Build.RECEIVED, 1, "neon.zip")
    assert build.sha256 == hashlib.sha256(b"PK a zip").hexdigest()
    assert kept(empty_quarantine) == [build.zip]
    job = Job.objects.get()
    assert (job.kind, job.args, job.state, build.job) == ("games.process_build", {"build": build.pk}, Job.QUEUED, job)
    assert Entry.objects.filter(verb="build.receive", actor=rita.user, target_type="games.build").count() == 1


def test_htmx_is_told_where_to_go(rita):
    response = rita.post(URL, form(), htmx=True)
    assert (response.status_code, response["HX-Redirect"]) == (200, "/manage/games/")


def test_a_new_build_of_a_game_there_is(rita):
    build = make_build()
    rita.post(URL, form(title=None, game_text=build.game.title.upper()))
    newest = build.game.builds.latest("number")
    assert (newest.number, newest.state) == (2, Build.RECEIVED)
    build.game.refresh_from_db()
    assert build.game.status == Game.DRAFT, "it can be played as before"


def test_the_same_click_twice_is_one_game(rita, empty_quarantine):
    data = form()
    first = rita.post(URL, data)
    data["zip"] = zip_of()
    second = rita.post(URL, data)
    assert first.status_code == second.status_code == 303
    assert Build.objects.count() == Game.objects.count() == Job.objects.count() == 1
    assert len(kept(empty_quarantine)) == 1


def test_the_same_zip_twice_is_recognised(rita, empty_quarantine):
    rita.post(URL, form())
    response = rita.post(URL, form(title="Another name"))
    assert response.status_code == 422
    assert "This very zip is here already, as build 1 of Neon Drift" in response.text
    assert Build.objects.get().get_absolute_url() in response.text
    assert len(kept(empty_quarantine)) == 1
    Build.objects.update(state=Build.FAILED)
    assert rita.post(URL, form(title="Another name")).status_code == 303


def test_a_mistake_in_the_form_loses_neither_words_nor_zip(rita, empty_quarantine):
    response = rita.post(URL, form(title="", description="Long words"))
    assert response.status_code == 422
    assert "Give the new game a title" in response.text
    assert "Long words" in response.text
    assert "neon.zip</bdi>" in response.text
    assert len(kept(empty_quarantine)) == 1
    held = response.context["held"]["token"]
    assert rita.post(URL, form(zip=None, held=held)).status_code == 303
    assert kept(empty_quarantine) == [Build.objects.get().zip]


def test_what_is_held_is_for_its_uploader_only(rita, olga):
    held = rita.post(URL, form(title="")).context["held"]["token"]
    response = olga.post(URL, form(zip=None, held=held))
    assert response.status_code == 422
    assert "Choose it again" in response.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"zip": None}, "Choose the zip of the game."),
        ({"zip": zip_of(b"")}, "This file is empty."),
        ({"title": ""}, "Give the new game a title"),
        ({"game_text": "No such game"}, "No game is called “No such game”"),
        ({"author": "nobody"}, "No player is called “nobody”"),
        ({"author": "twin"}, "Several players are called “twin”"),
        ({"tags": ", ".join(f"t{n}" for n in range(11))}, "At most 10 tags; these are 11."),
        ({"tags": "x" * 41}, "A tag has at most 40 characters"),
        ({"title": "x" * 201}, "at most 200 characters"),
        ({"title": "a\0b"}, "Null characters are not allowed."),
    ],
)
def test_bad_input_gets_a_sentence(rita, fields, words):
    for _ in range(2):
        make_player(username="twin")
    response = rita.post(URL, form(**fields))
    assert response.status_code == 422
    assert words in response.text
    assert not Build.objects.exists()
    assert not Gesture.objects.exists()


def test_the_limits_are_shown_before(rita):
    text = rita.get(URL).text
    for words in ("50.0", "1,000 files", "200.0", "100.0", "240 bytes", "16 folders", "index.html"):
        assert words in text


def test_a_declared_length_beyond_the_limit_is_refused_unread(rita, monkeypatch, empty_quarantine):
    monkeypatch.setattr(intake, "MOST", 1000)
    monkeypatch.setattr(intake, "begin", intake.begin)
    response = rita.post(URL, form(zip=zip_of(b"x" * 2000)))
    assert response.status_code == 413
    assert intake.TOO_BIG in response.text
    assert kept(empty_quarantine) == []


def test_too_many_bytes_are_stopped_while_they_arrive(rita, monkeypatch, empty_quarantine):
    monkeypatch.setattr(intake, "LIMITS", SimpleNamespace(**{**vars(intake.LIMITS), "zip": 100_000}))
    response = rita.post(URL, form(zip=zip_of(b"x" * 300_000), description="Long words"))
    assert response.status_code == 422
    assert intake.TOO_BIG in response.text
    assert kept(empty_quarantine) == []
    assert not Build.objects.exists()


def test_a_full_disk_is_said_in_words(rita, monkeypatch, empty_quarantine):
    import errno

    def full(self):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(intake, "_SYNC", 0)
    monkeypatch.setattr(intake.Handler, "_sync", full)
    response = rita.post(URL, form())
    assert response.status_code == 422
    assert intake.NO_ROOM in response.text
    assert kept(empty_quarantine) == []


def chunked(length=None, terminated=True):
    """A request whose client does not say how much it sends."""
    request = RequestFactory().post(URL, {"title": "x", "zip": zip_of(b"y" * 1000)})
    body = request.META["wsgi.input"].read()
    request.META |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": io.BytesIO(body)}
    request.META |= {"wsgi.input_terminated": terminated, "CONTENT_LENGTH": length or ""}
    return request


def test_a_body_of_unknown_length_is_read_up_to_the_limit(empty_quarantine):
    request = chunked()
    intake.begin(request)
    assert request.POST["title"] == "x"
    received = request.FILES["zip"].received
    assert received.size == 1000
    assert quarantine.path_of(received.name).read_bytes() == b"y" * 1000


def test_a_body_of_unknown_length_is_stopped_at_the_limit(monkeypatch, empty_quarantine):
    monkeypatch.setattr(intake, "LIMITS", SimpleNamespace(**{**vars(intake.LIMITS), "zip": 500}))
    monkeypatch.setattr(intake, "_SYNC", 100)
    request = chunked()
    handler = intake.begin(request)
    assert request.POST["title"] == "x"
    assert handler.problem == intake.TOO_BIG
    assert kept(empty_quarantine) == []


def test_files_are_taken_nowhere_else(moses, nobody, empty_quarantine):
    for person, url in ((moses, "/manage/comments/bulk/"), (nobody, "/accounts/login/"), (nobody, URL), (moses, URL)):
        person.post(url, {"zip": zip_of(b"x" * MIB)})
    assert kept(empty_quarantine) == []


def test_a_form_from_elsewhere_leaves_nothing(rita, empty_quarantine):
    rita.handler.enforce_csrf_checks = True
    assert rita.post(URL, form()).status_code == 403
    assert kept(empty_quarantine) == []
    assert not Build.objects.exists()


def test_undo_of_an_upload_takes_it_back_while_it_waits(rita):
    rita.post(URL, form())
    build = Build.objects.get()
    entry = Entry.objects.filter(target_id=build.pk, target_type="games.build").get()
    assert rita.post(entry.get_undo_url(), undo_form()).status_code == 303
    build.refresh_from_db()
    assert (build.state, build.game.status) == (Build.CANCELLED, Game.ARCHIVED)
    assert Job.objects.get().state == Job.CANCELLED


def test_authors_are_offered_by_name_only(rita):
    make_player(username="ada lovelace", email="ada@example.org")
    text = rita.get("/manage/games/authors/?author=ad", htmx=True).text
    assert "ada lovelace" in text
    assert "example.org" not in text


def test_slugs_stay_unique(rita):
    make_game(title="Neon Drift", slug="neon-drift")
    rita.post(URL, form())
    assert Game.objects.latest("pk").slug == "neon-drift-2"


def test_a_key_that_was_used_keeps_the_zip_and_gets_a_new_one(rita, empty_quarantine):
    first = form()
    rita.post(URL, first)
    again = rita.post(URL, {**first, "title": "Other", "zip": zip_of(b"PK other")})
    assert again.status_code == 422
    assert "This form was sent before with other content." in again.text
    key = again.context["form"]["idempotency_key"].value()
    assert key != first["idempotency_key"]
    held = again.context["held"]["token"]
    assert rita.post(URL, form(title="Other", zip=None, held=held, idempotency_key=key)).status_code == 303


def test_a_broken_hidden_field_is_mended_and_explained(rita):
    response = rita.post(URL, form(version="x"))
    assert response.status_code == 422
    assert "This form was out of date." in response.text
    assert response.context["held"]


def test_the_way_back_is_never_to_another_site(rita):
    response = rita.post(URL, form(next="https://evil.example/"), htmx=True)
    assert response["HX-Redirect"] == "/manage/games/"


def test_what_is_for_a_new_game_is_not_dropped_in_silence(rita):
    game = make_build().game
    response = rita.post(URL, form(game_text=game.title, title="New name"))
    assert response.status_code == 422
    assert "This is for a new game only." in response.text


def test_other_files_beside_the_zip_are_passed_over(rita, empty_quarantine):
    response = rita.post(URL, form(other=zip_of(b"hi", "o.txt"), zip=[zip_of(), zip_of(b"PK second")]))
    assert response.status_code == 303
    build = Build.objects.get()
    assert quarantine.path_of(build.zip).read_bytes() == b"PK a zip"
    assert kept(empty_quarantine) == [build.zip]


def test_equal_titles_at_the_same_time_get_addresses_of_their_own(db, monkeypatch):
    from games import actions

    make_game(slug="neon-drift")
    monkeypatch.setattr(actions, "_free_slug", lambda title: "neon-drift")
    made = actions._make_game(title="Neon Drift")
    assert made.slug.startswith("neon-drift-")


def test_what_goes_wrong_later_leaves_nothing_behind(rita, empty_quarantine, monkeypatch):
    from games import actions

    def broken(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(actions, "upload", broken)
    with pytest.raises(RuntimeError):
        rita.post(URL, form())
    assert kept(empty_quarantine) == []


def test_a_held_zip_serves_one_build_only(rita):
    held = rita.post(URL, form(title="")).context["held"]["token"]
    first = form(zip=None, held=held)
    assert rita.post(URL, first).status_code == 303
    assert rita.post(URL, first).status_code == 303, "the same click"
    Build.objects.update(state=Build.FAILED)
    assert rita.post(URL, form(zip=None, held=held)).status_code == 422
    assert Build.objects.count() == 1


@pytest.mark.parametrize("title", ["\u200b", "\u202e", "\u3164", " \n "])
def test_a_title_shows_something(rita, title):
    response = rita.post(URL, form(title=title))
    assert response.status_code == 422
    assert not Game.objects.exists()


def test_strangers_are_answered_unread(nobody):
    class Unread(io.BytesIO):
        def read(self, *args):
            raise AssertionError("read")

    body = {"wsgi.input": Unread(), "CONTENT_LENGTH": str(MIB), "CONTENT_TYPE": "multipart/form-data; boundary=x"}
    assert nobody.generic("POST", URL, **body).status_code == 302
