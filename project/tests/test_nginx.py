"""The console behind nginx, with the very deploy/nginx.conf that is to be installed."""

import io
import json
import os
import re
import ssl
import time
import zipfile
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.test import RequestFactory, override_settings

from console.models import Entry, Job
from console.testing import undo_form
from games import intake, preview
from games.models import Build
from games.tests.builds import PAGE, make_playable
from project import embedded
from project.tests.front import NAME, PLAY
from project.tests.rig import _multipart, until

pytestmark = [pytest.mark.xdist_group("nginx")]
UPLOAD = "/manage/games/upload/"
HTMX = [("HX-Request", "true")]


def upload(front, file, **options):
    body = _multipart(undo_form(title=options.pop("title", "Snake")), *file)
    headers = [("Content-Type", "multipart/form-data; boundary=xxxxx"), *options.pop("headers", ())]
    return front.ask_as_rita(UPLOAD, "POST", body, headers, **options)


# --- who asks, and for what ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spoofed",
    [
        [("X-Forwarded-For", "203.0.113.7")],
        [("X-Forwarded-For", "203.0.113.7, 127.0.0.1"), ("X-Forwarded-For", "203.0.113.8")],
        [("Forwarded", "for=203.0.113.7")],
        [("X-Real-IP", "203.0.113.7"), ("True-Client-IP", "203.0.113.7"), ("X-Forwarded-Host", "evil.example")],
        [("X_Forwarded_For", "203.0.113.7"), ("REMOTE_ADDR", "203.0.113.7")],
    ],
    ids=lambda headers: headers[0][0],
)
def test_the_clients_address_is_the_one_it_came_from(front, spoofed):
    login = f"x{time.monotonic_ns()}"
    page = front.ask("/accounts/login/")
    cookie = page.getheader("Set-Cookie").partition(";")[0]
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)', page.body.decode())[1]
    body = f"login={login}&password=wrong&csrfmiddlewaretoken={token}".encode()
    headers = [("Cookie", cookie), ("Origin", f"https://{NAME}"), ("Content-Type", "application/x-www-form-urlencoded")]
    said = front.ask("/accounts/login/", "POST", body, [*headers, *spoofed], source="127.0.0.9")
    assert said.status == 200, said.body
    assert AccessAttempt.objects.latest("pk").ip_address == "127.0.0.9"
    assert front.line_of(said.getheader("X-Request-ID"))["client"] == "127.0.0.9"


def test_a_client_cannot_say_that_it_came_by_tls(front):
    said = front.ask("/accounts/login/?next=/x/", secure=False, headers=[("X-Forwarded-Proto", "https")])
    assert (said.status, said.getheader("Location")) == (301, f"https://{NAME}/accounts/login/?next=/x/")
    assert front.ask("/accounts/login/").status == 200


def test_names_that_are_not_ours_get_nothing(front):
    with pytest.raises(ConnectionError):
        front.ask("/", site="evil.example", secure=False)
    with pytest.raises(ssl.SSLError):
        front.ask("/", host="evil.example")
    for site in ("evil.example", "127.0.0.1", f"nobody.{PLAY}", f"{'a' * 32}.play-example.net"):
        with pytest.raises(ConnectionError):
            front.ask("/accounts/login/", site=site)


def test_an_address_in_the_request_line_does_not_bring_another_host_in(front):
    said = front.ask(f"https://{NAME}/nope/", site="evil.example")
    assert b"evil.example" not in said.body
    assert said.status in (302, 404)


def test_metrics_are_not_for_the_outside(front):
    for path in ("/metrics", "/metrics/", "/metrics/x", "//metrics", "/%6detrics", "/manage/../metrics"):
        assert front.ask(path).status in (302, 404), path
    assert '"view":"' in front.said()
    assert "metrics" not in "".join(re.findall(r'"view":"[^"]*', front.said()))


# --- static files --------------------------------------------------------------------------------------------


def hashed(front, suffix):
    page = front.ask("/accounts/login/").body.decode()
    return re.search(rf'"(/static/[^"]+\.[0-9a-f]{{12}}\.{suffix})"', page)[1]


@pytest.mark.parametrize(("suffix", "kind"), [("css", "text/css"), ("svg", "image/svg+xml")])
def test_hashed_files_are_immutable_and_compressed(front, suffix, kind):
    path = hashed(front, suffix)
    stored = settings.STATIC_ROOT / path.removeprefix("/static/")
    plain, small = front.ask(path), front.ask(path, headers=[("Accept-Encoding", "gzip")])
    assert plain.body == stored.read_bytes()
    assert plain.getheader("Content-Type") == kind
    assert plain.getheader("Cache-Control") == "public, max-age=31536000, immutable"
    assert plain.getheader("X-Content-Type-Options") == "nosniff"
    if Path(f"{stored}.gz").exists():  # one that gains little has none
        assert small.body == Path(f"{stored}.gz").read_bytes()
        assert small.getheader("Content-Encoding") == "gzip"
        assert len(small.body) < len(plain.body)


def test_nginx_serves_them_itself_and_an_unhashed_name_not_for_good(front):
    front.stop("web")
    try:
        path = "/static/css/app.css"
        assert front.ask(path).getheader("Cache-Control") == "public, max-age=60"
        for hidden in (
            "/static/staticfiles.json",
            "/static/css/app.css.gz",
            "/static/../web.sock",
            "/static../web.log",
        ):
            assert front.ask(hidden).status in (400, 404, 503), hidden
    finally:
        front.start_web()
        until(front.answers, "gunicorn answers", 40)


# --- limits, in our words --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("headers", "kind"), [([], "text/html"), (HTMX, "text/html")], ids=["page", "htmx"])
def test_more_than_nginx_takes_is_answered_in_our_words(front, headers, kind):
    said = upload(front, ("big.zip", b"x" * 53 * 2**20), headers=headers)
    text = said.body.decode()
    assert said.status == 413
    assert "A zip of a game has at most 50 MiB: make it smaller" in text
    assert "nginx" not in text
    assert ("<html" in text) == (not headers)
    assert said.getheader("HX-Retarget") == ("#alert" if headers else None)
    assert said.getheader("X-Request-ID")


def test_more_than_the_console_takes_is_answered_by_its_own_page(front):
    said = upload(front, ("big.zip", b"x" * (intake.MOST + 1)))
    assert said.status == 413
    assert intake.TOO_BIG in said.body.decode()
    assert said.getheader("HX-Retarget") is None


def test_a_program_is_told_as_the_api_tells(front):
    said = front.ask("/api/v1/comments/", "POST", b"x" * 13 * 2**20)
    assert (said.status, said.getheader("Content-Type")) == (413, "application/problem+json")
    assert (
        json.loads(said.body)["detail"] == "That is too much for one request. Nothing was changed; send less at once."
    )


def test_only_where_files_are_taken_a_request_may_be_large(front):
    assert front.ask("/accounts/login/", "POST", b"x" * 13 * 2**20).status == 413


def test_who_may_not_upload_is_told_so_whatever_is_sent(front):
    body = _multipart(undo_form(title="x"), "x.zip", b"x" * 30 * 2**20)
    said = front.ask(UPLOAD, "POST", body, [("Content-Type", "multipart/form-data; boundary=xxxxx")])
    assert said.status in (302, 403), said.body


def test_without_the_console_nginx_says_so(front):
    front.stop("web")
    try:
        page, piece, program = (
            front.ask("/manage/"),
            front.ask("/manage/", headers=HTMX),
            front.ask("/api/v1/decisions/"),
        )
        for said in (page, piece, program):
            assert (said.status, said.getheader("Retry-After")) == (503, "5")
            assert "The console does not answer just now." in said.body.decode()
        assert piece.getheader("HX-Retarget") == "#alert"
        assert json.loads(program.body)["status"] == 503
        front.ask("/accounts/password/reset/key/9-secret-secret/", headers=[("Referer", f"https://{NAME}/x/secret-2")])
        assert "secret" not in front.said()
    finally:
        front.start_web()
        until(front.answers, "gunicorn answers", 40)


# --- the sandbox ---------------------------------------------------------------------------------------------


@pytest.fixture
def played(front):
    """`(host, path)` where a build of a page and a script is played."""
    build = make_playable({"index.html": PAGE, "js/game.js": "play()"})
    with override_settings(PREVIEW_ORIGIN=f"https://{{build}}.{PLAY}"):
        request = RequestFactory().get("/", secure=True, headers={"host": NAME})
        with override_settings(ALLOWED_HOSTS=[NAME]):
            url = urlsplit(preview.play_url(build, request))
    return url.hostname, url.path


def test_games_play_on_names_of_their_own(front, played):
    host, path = played
    said = front.ask(path, host=host, headers=[("Cookie", "__Host-sessionid=x")])
    assert said.status == 200
    assert b"hello" in said.body
    assert said.getheader("Content-Security-Policy").startswith("sandbox allow-scripts")
    assert said.getheader("Set-Cookie") is None
    assert said.getheader("X-View") is None


def test_the_console_is_not_on_the_sandboxs_names_nor_games_on_its_own(front, played):
    host, path = played
    for console in (
        "/manage/",
        "/accounts/login/",
        "/static/css/app.css",
        "/api/v1/decisions/",
        "/healthz",
        "/metrics",
    ):
        said = front.ask(console, host=host)
        assert said.status == 404, console
        assert b"Attendant" not in said.body
    assert front.ask(path).status in (302, 404)
    assert front.ask(path, host=f"{'0' * 32}.{PLAY}").status == 404


def test_what_opens_a_game_is_in_no_log(front, played):
    host, path = played
    said = front.ask(path, host=host)
    line = front.line_of(said.getheader("X-Request-ID"), "attendant-preview.log")
    assert (line["path"], line["view"]) == ("/•••/index.html", "preview")
    assert path.split("/")[1] not in front.said()


def test_nor_is_what_opens_an_account(front):
    for path in (
        "/accounts/invite/7/sesame-sesame/",
        "/accounts/password/reset/key/1-sesame-sesame/",
        "/accounts/password/reset/key/1-sesame?sesame=sesame",
        "/mail/stop/sesame:sesame/",
    ):
        front.ask(path, headers=[("Referer", f"https://{NAME}/accounts/invite/7/sesame/")])
    said = front.ask("/manage/players/?q=sesame")
    front.line_of(said.getheader("X-Request-ID"))
    assert "sesame" not in front.said()
    assert front.said().count('/accounts/invite/7/•••"') == 1


# --- slow clients --------------------------------------------------------------------------------------------


def test_slow_clients_hold_no_thread(front):
    """So many as gunicorn has threads, and more, dribble forms; somebody else is answered meanwhile."""
    head = f"POST /accounts/login/ HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 4000\r\n\r\nlogin="
    with ExitStack() as stack:
        slow = [stack.enter_context(front.connect()) for _ in range(4 * front.threads)]
        for each in slow:
            each.sendall(head.encode())
        for each in slow:
            each.sendall(b"x")
        assert front.ask("/accounts/login/").status == 200
        for each in slow:
            each.sendall(b"x")
            each.settimeout(0.01)
            with pytest.raises(TimeoutError):
                each.recv(1)  # it waits still: nobody has answered or ended it


# --- one request, all the way --------------------------------------------------------------------------------


@pytest.fixture
def sql_log(front):
    """PostgreSQL's own log, with every statement asked of the console's database from now on."""
    log = Path(os.environ["ATTENDANT_STATE"]) / "services" / "postgres.log"
    if not log.exists():
        pytest.skip("PostgreSQL is not our own: its log is elsewhere")
    with psycopg.connect(_as_superuser(), autocommit=True) as server:
        server.execute(f"ALTER DATABASE \"{front.database}\" SET log_statement = 'all'")
        front.stop("web")
        front.start_web()  # with connections that know of it
        until(front.answers, "gunicorn answers", 40)
        yield log
        server.execute(f'ALTER DATABASE "{front.database}" RESET log_statement')


def _as_superuser():
    url = urlsplit(os.environ["ATTENDANT_TEST_DATABASE_OWNER_URL"])
    return url._replace(netloc=f"{embedded.SUPERUSER}@", path="/postgres").geturl()


def test_one_request_is_followed_from_nginx_to_its_entry_by_its_id(front, sql_log):
    known = "0123456789abcdef0123456789abcdef"  # what a client calls its request is nobody's name for it
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("index.html", PAGE)
    said = upload(front, ("trace.zip", file.getvalue()), headers=[("X-Request-ID", known)], source="127.0.0.9")
    assert said.status == 303, said.body
    followed = said.getheader("X-Request-ID")
    assert re.fullmatch("[0-9a-f]{32}", followed)
    assert followed != known

    line = front.line_of(followed)
    assert (line["method"], line["path"], line["status"], line["client"]) == ("POST", UPLOAD, 303, "127.0.0.9")
    assert line["view"] == "games:upload"
    assert said.getheader("X-View") is None

    access = [each for each in (front.state / "web.log").read_text().splitlines() if followed in each]
    assert any(UPLOAD in each and "303" in each for each in access), access

    def inserts():
        asked = [each for each in re.split(r"^(?=\d)", sql_log.read_text(), flags=re.MULTILINE) if followed in each]
        return {table for each in asked for table in re.findall(r'INSERT INTO "?(\w+)', each)}

    wanted = {"games_game", "games_build", "console_job"}  # the entry's statement is prepared: its row has the id
    until(lambda: wanted <= inserts(), "its SQL is in the log", 5, inserts)
    build = Build.objects.get(zip_name="trace.zip")
    assert Job.objects.get(request_id=followed) == build.job
    entries = Entry.objects.filter(request_id=followed)
    assert {(entry.target_type, entry.target_id) for entry in entries} == {
        ("games.game", build.game_id),
        ("games.build", build.pk),
    }
