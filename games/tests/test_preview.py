"""The sandbox's answers: whose they are, what they carry, and what can be had by asking oddly."""

import re

import pytest
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from console.hot import HotCache
from games import mime, preview
from games.models import Build, Finding
from games.tests.builds import FILES, PAGE, body, make_playable, signed

# --- headers ---------------------------------------------------------------------------------------------------


def test_an_answer_carries_exactly_the_sandbox(ask, build):
    ticket = signed(build)
    response = ask("js/game.js", ticket=ticket)
    headers = dict(response.headers)
    assert headers.pop("X-Request-ID")
    assert re.fullmatch(r"private, max-age=(8[4-9]\d|900)", headers.pop("Cache-Control"))
    off = headers.pop("Permissions-Policy").split(", ")
    assert {"camera=()", "fullscreen=()", "geolocation=()", "usb=()"} <= set(off)
    assert headers == {
        "Content-Security-Policy": (
            "sandbox allow-scripts allow-same-origin allow-pointer-lock; "
            "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; connect-src 'self' data: blob:; "
            "object-src 'none'; form-action 'none'; base-uri 'self'; "
            f"frame-ancestors http://console.localhost:8000 'self'; report-uri /{ticket}/.attendant/csp"
        ),
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Access-Control-Allow-Origin": "*",
        "X-Content-Type-Options": "nosniff",
        "X-DNS-Prefetch-Control": "off",
        "Referrer-Policy": "no-referrer",
        "Content-Type": "text/javascript; charset=utf-8",
        "Content-Length": "6",
        "Accept-Ranges": "bytes",
        "ETag": headers["ETag"],
    }
    assert body(response) == b"play()"


def test_no_cookie_is_read_set_or_varied_on(ask, moses):
    moses.defaults["HTTP_HOST"] = "ignored"
    for path in ("index.html", "nothing.js", ".attendant/probe.js"):
        response = ask(path, cookie="; ".join(f"{name}={value.value}" for name, value in moses.cookies.items()))
        assert not response.cookies
        assert not response.has_header("Vary")
        assert not response.has_header("Set-Cookie")


# --- whose request it is ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("port", ["", ":8000", ":1"])
@pytest.mark.parametrize("write", [str, str.upper, "{}.".format])
def test_the_host_names_the_build_in_any_spelling(ask, build, write, port):
    assert ask(host=write(f"{build.prefix.hex}.play.localhost") + port).status_code == 200


@pytest.mark.parametrize("host", ["{}.x.play.localhost", "x{}.play.localhost", "play.localhost", ".play.localhost"])
@pytest.mark.parametrize("path", ["index.html", ""])
def test_other_hosts_below_the_domain_have_nothing(ask, build, host, path):
    assert ask(path, host=host.format(build.prefix.hex)).status_code == 404
    assert ask(path, host=f"{'0' * 32}.play.localhost").status_code == 404


@pytest.mark.parametrize("url", ["/", "/manage/", "/accounts/login/", "/healthz", "/static/brand.svg", "/favicon.ico"])
@pytest.mark.parametrize("method", ["get", "post", "options"])
def test_no_page_of_the_console_is_there(lea, build, url, method):
    response = getattr(lea, method)(url, headers={"host": f"{build.prefix.hex}.play.localhost:8000"})
    assert response.status_code == 404
    assert "sandbox" in response["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
    assert "html" not in response["Content-Type"]


@pytest.mark.parametrize("host", ["127.0.0.1", "xplay.localhost", "play.localhost.localhost", "[::1]:8000"])
def test_other_hosts_are_the_consoles(client, host, db):
    response = client.get("/healthz", headers={"host": host})
    assert response.content == b"ok\n"
    assert "sandbox" not in response["Content-Security-Policy"]


def test_without_an_origin_there_is_no_sandbox(ask, build, settings, moses):
    ticket = signed(build)
    settings.PREVIEW_ORIGIN = ""
    assert "sandbox" not in ask(ticket=ticket)["Content-Security-Policy"]
    assert preview.play_url(build, RequestFactory().get("/")) == ""
    page = moses.get(f"/manage/games/builds/{build.pk}/play/")
    assert "PREVIEW_ORIGIN" in page.text
    assert "<iframe" not in page.text


@pytest.mark.parametrize("wrong", ["https://play.example.net", "https://x{build}.example.net", "{build}.example.net"])
def test_an_origin_that_is_none_ends_the_start(settings, wrong):
    settings.PREVIEW_ORIGIN = wrong
    with pytest.raises(ImproperlyConfigured, match="PREVIEW_ORIGIN"):
        preview.PreviewMiddleware(None)


# --- tickets ---------------------------------------------------------------------------------------------------


def test_a_ticket_is_good_for_15_minutes(ask, build, monkeypatch):
    now = 1_800_000_000 // 60 * 60
    monkeypatch.setattr(preview.time, "time", lambda: now)
    ticket = signed(build)
    monkeypatch.setattr(preview.time, "time", lambda: now + 899)
    assert ask(ticket=ticket)["Cache-Control"] == "private, max-age=1"
    monkeypatch.setattr(preview.time, "time", lambda: now + 900)
    for path in ("index.html", "nothing", ".attendant/probe.js"):
        response = ask(path, ticket=ticket)
        assert response.status_code == 403
        assert response["Cache-Control"] == "no-store"
    assert ask(".attendant/seen", "post", ticket=ticket).status_code == 403


def test_a_ticket_is_for_one_build(ask):
    other = make_playable(FILES)
    assert ask(ticket=signed(other)).status_code == 404
    assert ask(host=f"{other.prefix.hex}.play.localhost").status_code == 404


def test_a_forged_ticket_opens_nothing(ask, build):
    from django.core import signing

    good = signed(build)
    values = [build.prefix.hex, "http://evil.example", 2**40]
    forged = [
        good[:-1],
        good.swapcase(),
        good.partition(".")[0],
        signing.Signer(sep=".").sign_object(values),
        "x",
        "\0",
    ]
    for ticket in forged:
        assert ask(ticket=ticket.replace("\0", "%00")).status_code == 404


# --- paths -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "index.html", "?x=1"])
def test_the_index_is_what_a_folder_shows(ask, path):
    assert b"hello" in body(ask(path))


@pytest.mark.parametrize(
    "path",
    [
        "js/../index.html",
        "../index.html",
        "%2e%2e/index.html",
        "..%2findex.html",
        "js/%2e%2e/index.html",
        "%252e%252e/index.html",
        "/index.html",
        "//index.html",
        "js//game.js",
        "./index.html",
        "js\\game.js",
        "js%5cgame.js",
        "index.html%00",
        "%00",
        "index.html/",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "C:/index.html",
        "INDEX.HTML",
        "js/",
        "js",
        ".attendant",
        ".attendant/",
        ".attendant/x",
        "%ff%fe",
        ".attendant/../index.html",
        "file:///etc/passwd",
    ],
)
def test_a_path_is_in_the_list_or_it_is_not(ask, path):
    response = ask(path)
    assert response.status_code == 404
    assert "sandbox" in response["Content-Security-Policy"]


def test_names_are_decoded_once(ask):
    assert body(ask("a%20b+c.txt")) == b"spaces"
    assert ask("a%2520b+c.txt").status_code == 404


def test_what_is_not_listed_is_not_served(ask, build):
    default_storage.save(build.folder + "secret.txt", ContentFile(b"not unpacked by us"))
    assert ask("secret.txt").status_code == 404


def test_what_the_storage_lost_is_a_404(ask, build):
    default_storage.delete(build.folder + "js/game.js")
    assert ask("js/game.js").status_code == 404


def test_trouble_is_no_page_of_the_console(ask, monkeypatch):
    def broken(name):
        raise OSError("away")

    monkeypatch.setattr(preview.serving.default_storage, "open", broken)
    response = ask("js/game.js")
    assert response.status_code == 503
    assert response["Content-Type"].startswith("text/plain")
    assert "sandbox" in response["Content-Security-Policy"]


def test_a_ticket_without_a_path_has_no_folder_for_relative_addresses(client, build):
    host = f"{build.prefix.hex}.play.localhost"
    assert client.get(f"/{signed(build)}", headers={"host": host}).status_code == 404


@pytest.mark.parametrize(
    "path", ["exports/1.csv", "../exports/1.csv", "../../exports/1.csv", "%2e%2e/%2e%2e/exports/1.csv"]
)
def test_exports_of_the_console_lie_beside_and_are_not_served(ask, build, path):
    default_storage.save("exports/1.csv", ContentFile(b"Player"))
    try:
        assert ask(path).status_code == 404
    finally:
        default_storage.delete("exports/1.csv")


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch", "options"])
def test_files_are_only_read(ask, method):
    response = ask("js/game.js", method)
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD"


def test_no_service_worker_can_answer_in_our_place(ask):
    assert ask("js/game.js", **{"service-worker": "script"}).status_code == 404


# --- which builds ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [state for state, _ in Build.STATES])
def test_only_what_is_all_there_is_played(ask, build, state):
    ticket = signed(build)
    Build.objects.update(state=state)
    assert ask(ticket=ticket).status_code == (200 if state in ("ready", "rejected", "superseded") else 404)


def test_what_was_swept_away_stops_within_seconds(ask, build):
    assert ask().status_code == 200
    Build.objects.update(swept_at="2026-11-21T00:00Z")
    assert 0 < caches["hot"].ttl(f"preview:{build.prefix.hex}") <= 3
    caches["hot"].delete(f"preview:{build.prefix.hex}")
    assert ask(ticket=signed(build)).status_code == 404


def test_a_file_costs_one_query_and_soon_none(ask):
    with CaptureQueriesContext(connection) as queries:
        ask("js/game.js")
        assert len(queries) == 1
        ask("music.ogg")
        assert len(queries) == 1
        ask("js/game.js", ticket="forged")
        assert len(queries) == 1


def test_it_plays_without_redis(ask, monkeypatch):
    HotCache.asleep_until = float("inf")
    assert body(ask("js/game.js")) == b"play()"
    assert ask(".attendant/seen", "post", {"code": "storage"}, "application/json").status_code == 204
    assert not Finding.objects.exists()


# --- what kind, and which part ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind", "encoding"),
    [
        ("a/index.HTML", "text/html; charset=utf-8", ""),
        ("m.mjs", "text/javascript; charset=utf-8", ""),
        ("g.wasm", "application/wasm", ""),
        ("i.svg", "image/svg+xml", ""),
        ("evil.php", "application/octet-stream", ""),
        ("Build/game.data.br", "application/octet-stream", "br"),
        ("Build/game.wasm.gz", "application/wasm", "gzip"),
        ("Build/game.framework.js.br", "text/javascript; charset=utf-8", "br"),
        ("Build/game.data.unityweb", "application/octet-stream", ""),
        ("level.json.gz", "application/gzip", ""),
        ("html", "application/octet-stream", ""),
        (".html", "application/octet-stream", ""),
        ("x.html/y", "application/octet-stream", ""),
        ("odd.html%0d%0aSet-Cookie: a=b", "application/octet-stream", ""),
    ],
)
def test_the_name_says_what_kind_it_is(path, kind, encoding):
    assert mime.kind_of(path) == (kind, encoding)


def test_what_is_compressed_says_so(client, db):
    build = make_playable({"index.html": PAGE, "game.wasm.br": b"brotli"})
    url = f"/{signed(build)}/game.wasm.br"
    response = client.get(url, headers={"host": f"{build.prefix.hex}.play.localhost", "accept-encoding": "gzip"})
    assert (response["Content-Encoding"], response["Content-Type"]) == ("br", "application/wasm")
    assert body(response) == b"brotli"


@pytest.mark.parametrize(
    ("asked", "status", "start", "length"),
    [
        ("bytes=0-9", 206, 0, 10),
        ("bytes=250-", 206, 250, 6),
        ("bytes=-6", 206, 250, 6),
        ("bytes=-999", 206, 0, 256),
        ("bytes=200-999", 206, 200, 56),
        ("bytes=256-", 416, 0, 0),
        ("bytes=-0", 416, 0, 0),
        ("bytes=9-1", 200, 0, 256),
        ("bytes=0-1,4-5", 200, 0, 256),
        ("bytes=-", 200, 0, 256),
        ("lines=1-2", 200, 0, 256),
    ],
)
def test_a_part_can_be_had(ask, asked, status, start, length):
    for method in ("get", "head"):
        response = ask("music.ogg", method, range=asked)
        assert response.status_code == status
        assert response["Content-Length"] == str(length)
        assert body(response) == (b"" if method == "head" else bytes(range(256))[start : start + length])
        if status == 206:
            assert response["Content-Range"] == f"bytes {start}-{start + length - 1}/256"
        if status == 416:
            assert response["Content-Range"] == "bytes */256"


def test_an_empty_file_is_served(ask):
    assert body(ask("none")) == b""
    assert ask("none", range="bytes=0-").status_code == 416


def test_what_is_known_is_not_sent_again(ask):
    etag = ask("music.ogg")["ETag"]
    response = ask("music.ogg", **{"if-none-match": f'"other", W/{etag}'})
    assert response.status_code == 304
    assert "sandbox" in response["Content-Security-Policy"]
    assert ask("music.ogg", **{"range": "bytes=0-1", "if-range": '"old"'}).status_code == 200


@pytest.fixture
def s3(settings):
    """A bucket as storage."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    keys = {"endpoint_url": "http://{}:{}".format(*server.get_host_and_port()), "region_name": "us-east-1"}
    boto3.client("s3", aws_access_key_id="a", aws_secret_access_key="b", **keys).create_bucket(Bucket="games")
    options = {"bucket_name": "games", "location": "here", "access_key": "a", "secret_key": "b", **keys}
    default = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"default": default}
    yield
    server.stop()


def test_a_bucket_gives_only_the_part_that_was_asked_for(s3, ask, build):
    assert body(ask("music.ogg")) == bytes(range(256))
    response = ask("music.ogg", range="bytes=10-19")
    assert (response.status_code, body(response)) == (206, bytes(range(10, 20)))
    assert b"hello" in body(ask())
    default_storage.delete(build.folder + "music.ogg")
    assert ask("music.ogg").status_code == 404
