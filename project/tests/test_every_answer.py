"""Every kind of answer there is carries what keeps browsers and caches in check, whatever went wrong before it."""

import re
from types import SimpleNamespace

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import OperationalError
from django.templatetags.static import static
from django.test import Client

from console import views
from console.testing import form, undo_form
from games.testing import make_build
from moderation.testing import make_comment

POLICY = {
    "default-src": "'none'",
    **dict.fromkeys(("script-src", "style-src", "img-src", "font-src", "connect-src", "manifest-src"), "'self'"),
    "form-action": "'self'",
    **dict.fromkeys(("base-uri", "object-src", "frame-ancestors"), "'none'"),
}
CACHED = {"a static file", "a picture"}
VARY = {"Cookie", "HX-Request", "HX-Boosted", "HX-History-Restore-Request"}


@pytest.fixture
def people(request, moses, lea, olga, nobody):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = lea.cookies
    lea.raise_request_exception = False
    world = SimpleNamespace(moses=moses, lea=lea, olga=olga, nobody=nobody, strict=strict)
    world.patch, world.settings = request.getfixturevalue("monkeypatch"), request.getfixturevalue("settings")
    return world


def broken(people, error, **kwargs):
    def fail(*args, **kwargs):
        raise error

    people.patch.setattr(views.live.Badges, "_count", fail)
    return people.lea.get("/manage/", **kwargs)


def cancelled():
    error = OperationalError()
    error.__cause__ = type("Cancelled", (Exception,), {"sqlstate": "57014"})()
    return error


def stale(people, **kwargs):
    comment = make_comment()
    return people.lea.post(f"{comment.get_absolute_url()}approve/", form(comment) | {"version": 7}, **kwargs)


def picture(people):
    default_storage.delete("pictures/every.webp")
    default_storage.save("pictures/every.webp", ContentFile(b"picture"))
    return people.lea.get(f"/manage/games/builds/{make_build(thumbnail='pictures/every.webp').pk}/picture/")


def poll(people):
    tag = re.search(r'name="v" value="([^"]+)"', people.lea.get("/manage/").text)[1]
    return people.lea.get("/manage/live/", {"v": tag}, htmx=True)


def throttled(people):
    people.settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    return [people.nobody.post("/accounts/login/", {"login": "x", "password": "y"}) for _ in range(2)][-1]


def approved(people, **kwargs):
    comment = make_comment()
    return people.lea.post(f"{comment.get_absolute_url()}approve/", form(comment, next="/manage/comments/"), **kwargs)


def sent(people, data, **kwargs):
    people.strict.get("/manage/preferences/")  # brings the token's cookie: without one, bodies are not read
    return people.strict.post("/manage/preferences/", data, **kwargs)


MANY = {f"f{number}": "" for number in range(4001)}
HTMX = {"HX-Request": "true"}
KINDS = {
    "a page": (200, lambda p: p.lea.get("/manage/comments/")),
    "a partial": (200, lambda p: p.lea.get("/manage/comments/", htmx=True)),
    "a page brought back": (
        200,
        lambda p: p.lea.get("/manage/comments/", headers={**HTMX, "HX-History-Restore-Request": "true"}),
    ),
    "the sign-in page": (200, lambda p: p.nobody.get("/accounts/login/")),
    "an answer to htmx": (200, lambda p: approved(p, htmx=True)),
    "the poll": (200, lambda p: p.lea.get("/manage/live/", htmx=True)),
    "an unchanged poll": (204, poll),
    "to sign-in": (302, lambda p: p.nobody.get("/manage/")),
    "after a form": (303, approved),
    "after signing out": (302, lambda p: p.lea.post("/accounts/logout/")),
    "too many fields": (400, lambda p: sent(p, MANY)),
    "too many fields, to htmx": (400, lambda p: sent(p, MANY, headers=HTMX)),
    "another host": (400, lambda p: p.nobody.get("/manage/", headers={"Host": "evil.example"})),
    "no session, to htmx": (401, lambda p: p.nobody.get("/manage/", htmx=True)),
    "no session, something typed": (401, lambda p: p.nobody.post("/manage/comments/1/reject/", {"note": "typed"})),
    "not allowed": (403, lambda p: p.moses.get("/manage/bans/new/")),
    "not allowed, to htmx": (403, lambda p: p.moses.get("/manage/bans/new/", htmx=True)),
    "no token": (403, lambda p: p.strict.post("/manage/preferences/")),
    "no token, from htmx": (403, lambda p: p.strict.post("/manage/preferences/", headers=HTMX)),
    "a file where none belongs": (403, lambda p: sent(p, {"f": ContentFile(b"x", "x")})),
    "nothing there": (404, lambda p: p.lea.get("/manage/comments/4711/")),
    "nothing there, to htmx": (404, lambda p: p.lea.get("/manage/comments/4711/", htmx=True)),
    "no such address": (404, lambda p: p.nobody.get("/nope/")),
    "a wrong method": (405, lambda p: p.lea.post("/manage/comments/")),
    "a wrong method, from htmx": (405, lambda p: p.lea.post("/manage/comments/", htmx=True)),
    "a trace": (405, lambda p: p.lea.trace("/manage/comments/")),
    "a wrong method for the sign-in page": (405, lambda p: p.nobody.put("/accounts/login/")),
    "a conflict": (409, stale),
    "a conflict, to htmx": (409, lambda p: stale(p, htmx=True)),
    "too long a form": (413, lambda p: sent(p, {"note": "x" * 3_000_000})),
    "a form without its fields": (422, lambda p: p.lea.post(f"{make_comment().get_absolute_url()}reject/")),
    "a filter without sense": (422, lambda p: p.lea.get("/manage/comments/?from=nonsense", htmx=True)),
    "too many tries": (429, throttled),
    "a mistake of ours": (500, lambda p: broken(p, ZeroDivisionError())),
    "a mistake of ours, to htmx": (500, lambda p: broken(p, ZeroDivisionError(), htmx=True)),
    "a slow database": (503, lambda p: broken(p, cancelled())),
    "a slow database, to htmx": (503, lambda p: broken(p, cancelled(), htmx=True)),
    "a static file": (200, lambda p: p.nobody.get(static("css/app.css"))),
    "no such static file": (404, lambda p: p.nobody.get("/static/nope.css")),
    "the favicon": (302, lambda p: p.nobody.get("/favicon.ico")),
    "a picture": (200, picture),
    "an export": (200, lambda p: p.lea.post("/manage/ledger/export/", undo_form(format="csv"))),
    "an Excel file": (200, lambda p: p.lea.post("/manage/ledger/export/", undo_form(format="xlsx"))),
    "a page of the admin": (200, lambda p: p.olga.get("/admin/")),
    "no page of the admin": (403, lambda p: p.lea.get("/admin/", follow=True)),
    "a page without its body": (200, lambda p: p.lea.head("/manage/comments/")),
    "what may be asked": (200, lambda p: p.lea.options("/manage/comments/")),
    "alive": (200, lambda p: p.nobody.get("/healthz")),
    "ready": (200, lambda p: p.nobody.get("/readyz")),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_answer_keeps_browsers_and_caches_in_check(people, kind):
    status, ask = KINDS[kind]
    response = ask(people)
    assert response.status_code == status
    rules = [rule.strip().partition(" ") for rule in response["Content-Security-Policy"].split(";")]
    assert {name: sources for name, _, sources in rules} == POLICY
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response["X-Frame-Options"] == "DENY"
    assert {"camera=()", "geolocation=()", "microphone=()"} <= set(response["Permissions-Policy"].split(", "))
    assert re.fullmatch(r"[0-9a-f]{32}", response["X-Request-ID"])
    assert not [name for name in response.headers if name.startswith(("Access-Control", "Server", "X-Powered"))]
    if kind not in CACHED:
        assert {"no-store", "private"} <= set(response["Cache-Control"].split(", "))
        assert set(re.split(r",\s*", response["Vary"])) >= VARY


@pytest.mark.parametrize("kind", [kind for kind, (status, _) in KINDS.items() if status >= 400])
def test_every_refusal_has_our_words_as_a_page_or_a_fragment(people, kind):
    response = KINDS[kind][1](people)
    if kind.endswith("htmx") and kind != "a conflict, to htmx":
        assert "<!DOCTYPE" not in response.text
        assert (response["HX-Retarget"], response["HX-Reswap"]) == ("#alert", "innerHTML")
        assert 'class="note' in response.text
    elif kind not in ("a conflict, to htmx", "a filter without sense"):
        assert response.text.startswith("<!DOCTYPE html>")
        assert "<h1" in response.text
    assert "Traceback" not in response.text
    assert "settings" not in response.text.lower().replace("your settings", "")


def test_a_405_says_what_may_be_asked(lea):
    assert lea.put("/manage/comments/")["Allow"] == "GET, HEAD, POST, OPTIONS"
    assert lea.post("/manage/comments/", htmx=True)["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("kind", ["no such address", "another host", "a mistake of ours", "a slow database"])
def test_an_error_page_asks_neither_database_nor_session(people, django_assert_num_queries, kind, headers):
    from console import errors

    request = SimpleNamespace(htmx=False, id="r1", META={}, COOKIES={})
    with django_assert_num_queries(0):
        assert errors.answer(request, KINDS[kind][0]).status_code == KINDS[kind][0]
        if kind in ("no such address", "another host"):
            KINDS[kind][1](people)


def test_signing_out_clears_what_the_browser_kept(lea, moses):
    assert lea.post("/accounts/logout/")["Clear-Site-Data"] == '"cache", "storage"'
    assert "Clear-Site-Data" not in moses.get("/accounts/logout/")


def test_cookies_are_for_this_site_and_no_script(nobody, lea):
    token = nobody.get("/accounts/login/").cookies
    look = lea.post("/manage/preferences/", {"theme": "dark", "density": "compact"}).cookies
    for cookie in (*token.values(), *look.values()):
        assert cookie["httponly"], cookie.key
        assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Lax", "/", "")
