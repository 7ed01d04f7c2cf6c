"""Requests made to trick the console: addresses that lead elsewhere, headers that claim to be htmx, wrong methods."""

import re
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client
from waffle.testutils import override_flag

from console.models import Gesture
from console.testing import PASSWORD, form, make_user, undo_form
from moderation.testing import make_comment
from project.tests.test_routes import MATRIX, address

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "////evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "/\t/evil.example/",
    "\t//evil.example/",
    "/\n/evil.example/",
    "https:evil.example/",
    "https:///evil.example/",
    "https://testserver@evil.example/",
    "https://testserver:80@evil.example/",
    "//testserver.evil.example/",
    "\x00//evil.example/",
    "evil.example/",
    "javascript:alert(1)//evil.example",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "ftp://evil.example/",
    "/manage/\r\nSet-Cookie: theme=evil.example",
]


def leads_elsewhere(url):
    """Where a browser would go (URL Standard): it drops tabs and line breaks, and reads backslashes as slashes."""
    plain = re.sub(r"[\t\r\n]", "", url).strip("".join(map(chr, range(33)))).replace("\\", "/")
    try:
        found = urlsplit(
            urljoin("http://testserver/manage/x/", re.sub(r"^([a-z]+:)?/{2,}", r"\1//", plain, flags=re.I))
        )
    except ValueError:
        return True
    return found.netloc != "testserver" or found.scheme not in ("http", "https")


def targets(html):
    """What a page lets somebody go to or send to, and what its forms send along as `next`."""
    found = re.findall(r'(?:href|action|formaction|src|hx-get|hx-post)="([^"]*)"', html)
    found += re.findall(r'name="next" value="([^"]*)"', html)
    return [unescape(each) for each in found]


def test_the_test_knows_what_leads_elsewhere():
    assert [each for each in ELSEWHERE if not leads_elsewhere(each)] == [ELSEWHERE[15], ELSEWHERE[-1]]


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("name", MATRIX)
def test_no_page_leads_elsewhere_whatever_the_address_says(lea, olga, name, htmx):
    person, url = lea if "lea" in MATRIX[name] else olga, address(name, lea)
    with override_flag("bulk_actions", active=True):
        for trick in ELSEWHERE[len(name) % 4 :: 4]:  # all of them, route by route
            headers = {"HX-Current-URL": trick.replace("\r", "").replace("\n", ""), "Referer": trick}
            response = person.get(url, {"next": trick}, htmx=htmx, headers=headers, follow=not htmx)
            html = "" if response.streaming else response.text
            ours = (".play.localhost", "/mail/stop/…/")  # the second in an example of a mail
            away = [each for each in targets(html) if leads_elsewhere(each) and not any(map(each.__contains__, ours))]
            assert away == [], trick
            for header in ("Location", "HX-Location", "HX-Redirect", "HX-Push-Url", "HX-Replace-Url"):
                assert not leads_elsewhere(response.get(header, "/")), trick


@pytest.mark.parametrize("trick", ELSEWHERE)
@pytest.mark.parametrize("htmx", [False, True])
def test_no_form_leads_elsewhere_whatever_it_was_sent(lea, trick, htmx):
    comment = make_comment()
    sent = [
        (f"{comment.get_absolute_url()}approve/", form(comment, next=trick)),
        ("/manage/preferences/", {"next": trick, "theme": "dark"}),
        (
            "/manage/comments/bulk/",
            undo_form(selected=f"{comment.pk}:1", verb="comment.reject", next=trick, reason="spam"),
        ),
    ]
    with override_flag("bulk_actions", active=True):
        for url, data in sent:
            response = lea.post(url, data, htmx=htmx)
            assert response.status_code in (200, 303) or "\0" in trick
            assert not leads_elsewhere(response.get("Location", "/"))
            if response.status_code != 422:  # a form that is refused goes nowhere
                assert [each for each in targets(response.text) if leads_elsewhere(each)] == []


@pytest.mark.parametrize("trick", ELSEWHERE)
def test_signing_in_and_out_leads_to_the_console(nobody, lea, trick):
    make_user("kit")
    for url in (f"/accounts/login/?next={trick}", "/accounts/login/"):
        response = nobody.post(url, {"login": "kit", "password": PASSWORD, "next": trick})
        assert response.status_code == 302
        assert not leads_elsewhere(response["Location"])
        nobody.logout()
    assert not leads_elsewhere(lea.post("/accounts/logout/", {"next": trick})["Location"])


@pytest.mark.parametrize("name", MATRIX)
def test_a_header_is_no_token(lea, olga, name):
    """htmx's headers are sent by whoever likes to: without the form's token nothing happens."""
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = olga.cookies
    url, before = address(name, lea), Gesture.objects.count()
    for headers in ({}, {"HX-Request": "true"}, {"HX-Request": "true", "HX-Boosted": "true", "X-Requested-With": "x"}):
        response = strict.post(url, undo_form(reason="spam", note="x", expires="1d"), headers=headers)
        assert response.status_code == 403
        assert "out of date" in response.text
    assert Gesture.objects.count() == before


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("name", MATRIX)
def test_wrong_methods_are_405_and_a_post_to_a_page_without_a_form_too(sam, lea, olga, name, htmx):
    person, url = olga if "olga" in MATRIX[name] else lea, address(name, lea)
    for method in ("put", "delete", "patch", "trace"):
        response = getattr(person, method)(url, htmx=htmx)
        assert response.status_code == 405, method
        assert "HEAD" in response["Allow"]
    with override_flag("bulk_actions", active=True):
        allowed = person.options(url)["Allow"]
    if "POST" not in allowed:
        assert person.post(url, htmx=htmx).status_code == 405
        assert sam.post(url, htmx=htmx).status_code == 403


@pytest.mark.parametrize("name", MATRIX)
def test_head_is_get_without_the_body(lea, olga, name):
    person, url = lea if "lea" in MATRIX[name] else olga, address(name, lea)
    with override_flag("bulk_actions", active=True):
        asked, got = person.head(url), person.get(url)
    assert (asked.status_code, asked.get("Content-Type")) == (got.status_code, got.get("Content-Type"))
    assert asked.getvalue() == b""


@pytest.mark.parametrize("name", MATRIX)
def test_what_htmx_brings_back_from_history_is_a_whole_page(lea, olga, name):
    person, url = lea if "lea" in MATRIX[name] else olga, address(name, lea)
    headers = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    with override_flag("bulk_actions", active=True):
        response = person.get(url, headers=headers)
    if response.get("Content-Type", "").startswith("text/html") and response.status_code == 200:
        assert response.text.startswith("<!DOCTYPE html>")
    else:
        assert response.status_code == 303 or name.endswith(("options", "picture"))
