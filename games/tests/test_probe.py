"""What our script in a game's pages tells, and that nothing worse can be told."""

import json

import pytest
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext

from games import preview, probe
from games.models import Build, Finding
from games.tests.builds import PAGE, body, make_playable, signed

TAG = '<script src="/s/.attendant/probe.js"></script>'


@pytest.mark.parametrize(
    "html",
    [
        "<!doctype html>\n<html lang=en><head data-x='>'>|<meta charset=utf-8></head>",
        "<!DOCTYPE html PUBLIC '-//W3C//DTD>'><!-- <head> --><html><HEAD>|<title>a</title>",
        "<!-- one --> <!doctype html>|<p>no head",
        "<html>|<header>",
        "|plain words",
        "|<p><!-- never closed <head>",
        "|",
        "|<!doctype html ' never closed <head>",
    ],
)
@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16"])
def test_our_script_comes_first_and_breaks_nothing(html, charset):
    raw = html.replace("|", "").encode(charset)
    put = probe.inject(raw, "/s/.attendant/probe.js").decode(charset)
    if raw.decode(charset):
        assert put == html.replace("|", TAG)


def test_a_hostile_beginning_is_read_in_no_time():
    for start in ("<!--", "<!-- --><!--", "<html " + "'a'", "<!doctype ", "<head x='", " "):
        probe.inject(start.encode() * (1024 * 1024 // len(start)), "x")


def test_the_page_that_is_sent_is_measured_with_it(ask, build):
    ticket = signed(build)
    script = f'<script src="/{ticket}/.attendant/probe.js"></script>'
    whole = ask(ticket=ticket)
    page = body(whole).decode()
    assert page == PAGE.replace("<head>", f"<head>{script}")
    assert whole["Content-Length"] == str(len(page))
    assert ask(method="head", ticket=ticket)["Content-Length"] == str(len(page))
    part = ask(ticket=ticket, range="bytes=-7")
    assert (body(part), part["Content-Range"]) == (b"</html>", f"bytes {len(page) - 7}-{len(page) - 1}/{len(page)}")
    assert ask(".attendant/probe.js")["Content-Type"] == "text/javascript; charset=utf-8"


def test_large_pages_are_served_as_they_are(client, db, monkeypatch):
    monkeypatch.setattr(preview, "INJECTED", 10)
    build = make_playable({"index.html": PAGE})
    response = client.get(f"/{signed(build)}/", headers={"host": f"{build.prefix.hex}.play.localhost"})
    assert body(response).decode() == PAGE


def test_a_page_in_another_charset_keeps_its_own(client, db):
    page = "<meta charset=windows-1251><p>Змейка".encode("windows-1251")
    build = make_playable({"index.html": page})
    response = client.get(f"/{signed(build)}/", headers={"host": f"{build.prefix.hex}.play.localhost"})
    assert response["Content-Type"] == "text/html"
    assert body(response).endswith(page)


# --- what it tells ---------------------------------------------------------------------------------------------


@pytest.fixture
def tell(ask):
    def tell(items, where="seen", kind="text/plain"):
        text = items if isinstance(items, str | bytes) else json.dumps(items)
        response = ask(f".attendant/{where}", "post", text, kind)
        assert not response.has_header("Set-Cookie")
        return response.status_code

    return tell


def told():
    return list(Finding.objects.order_by("id").values_list("code", "path", "sentence", "times"))


def report(blocked, directive="connect-src"):
    return {"csp-report": {"blocked-uri": blocked, "effective-directive": directive, "document-uri": "http://secret/"}}


def test_what_the_probe_saw_is_said_in_words(tell):
    error = {"code": "script_error", "message": "Uncaught TypeError: x is null", "path": "js/game.js", "line": 7}
    items = [{"code": "first_frame", "ms": 240.4}, error, {"code": "storage", "what": "localStorage"}]
    assert tell([*items, {"code": "blocked", "what": "alert"}, {"code": "missing_file", "path": "a.png"}]) == 204
    assert tell([error, {"code": "first_frame", "ms": 1250}]) == 204
    assert told() == [
        ("first_frame", "", "First picture after 1,250 ms.", 1),
        ("script_error", "js/game.js", "A script failed in js/game.js:7: TypeError: x is null", 2),
        (
            "storage",
            "",
            "The game wanted to save (localStorage). In the frame it cannot; in its own tab it can.",
            1,
        ),
        ("blocked", "", "The game wanted to show a dialog. It was not allowed to.", 1),
        ("missing_file", "", "The game asked for a.png, which could not be loaded.", 1),
    ]
    assert set(Finding.objects.values_list("source", flat=True)) == {"play"}


def test_of_an_address_only_the_host_is_kept(tell):
    for blocked in ("https://evil.example:8443/steal?name=rita", "wss://evil.example/x", "inline", "data:text/html,x"):
        assert tell(report(blocked), "csp", "application/csp-report") == 204
    assert tell(report("http://own.play.localhost", "frame-ancestors"), "csp") == 204
    assert [(code, sentence, times) for code, _, sentence, times in told()] == [
        ("wanted_host", "The game wanted to reach evil.example (connect-src). It was not allowed to.", 2),
        ("blocked", "The game wanted to use inline (connect-src). It was not allowed to.", 1),
        ("blocked", "The game wanted to use data (connect-src). It was not allowed to.", 1),
        (
            "nested_page",
            "The game wanted to show a page of its own inside the page. In the frame it cannot; in its own tab it can.",
            1,
        ),
    ]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[" * 16000,
        b"null",
        b"[[], 1, null, {}]",
        b'{"code": ["storage"]}',
        b"9" * 9000,
        b'{"csp-report": {"blocked-uri": 7, "effective-directive": []}}',
        b'{"csp-report": []}',
        b'{"csp-report": {"blocked-uri": "http://[evil"}}',
        b'{"code": "first_frame", "ms": NaN}',
        b'{"code": "script_error", "line": 1e999, "path": {}, "message": null}',
    ],
)
def test_rubbish_is_taken_without_a_word(tell, text):
    for where in ("seen", "csp"):
        for kind in ("application/json", "multipart/form-data; boundary=x", "application/csp-report", "nonsense"):
            assert tell(text, where, kind) == 204


def test_nothing_hides_in_a_sentence(tell):
    tell({"code": "script_error", "message": "a\0b\r\nc\u202ed\u200be\ud800 <b>f</b>"})
    ((_, _, sentence, _),) = told()
    assert sentence == "A script failed: a\ufffdb c\ufffdd\ufffde\ufffd <b>f</b>"
    tell({"code": "script_error", "message": "x" * 9000, "path": "/etc/passwd", "line": 3})
    assert told()[1][2] == f"A script failed: {'x' * 200}"


def test_more_than_16_kib_is_too_much(tell):
    assert tell([{"code": "storage", "what": "x" * 16 * 1024}]) == 413
    assert not told()


def test_a_flood_is_bounded(tell, monkeypatch):
    for n in range(40):
        assert tell([{"code": "missing_file", "path": f"{n}-{m}"} for m in range(40)]) == 204
    assert Finding.objects.count() == 50
    assert len(caches["hot"].keys("preview-said:*")) <= 20
    with CaptureQueriesContext(connection) as queries:
        for n in range(20):
            tell({"code": "missing_file", "path": f"again {n}"})
    assert len(queries) <= 60


def test_builds_that_cannot_be_played_say_nothing(tell, ask, build):
    ticket = signed(build)
    Build.objects.update(state=Build.FAILED)
    assert ask(".attendant/seen", "post", {"code": "storage"}, "application/json", ticket=ticket).status_code == 204
    assert not told()
    for where in ("seen", "csp"):
        assert ask(f".attendant/{where}", ticket=ticket).status_code == 405
