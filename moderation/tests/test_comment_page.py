"""One comment: all of it, what players said of it, what staff did."""

import pytest

from console.testing import form, steady
from moderation.testing import make_comment, make_report


def test_shows_body_reports_and_timeline(moses):
    comment = make_comment(body="first line\nsecond line")
    make_report(comment, words="he is a bot")
    moses.post(f"/manage/comments/{comment.pk}/reject/", form(comment, reason="spam", note="third time"))
    page = moses.get(f"/manage/comments/{comment.pk}/").text
    for words in (
        "first line<br>second line",
        "he is a bot",
        "moses rejected this comment for <strong>Spam or advertising</strong>",
        "third time",
    ):
        assert words in page


def test_fragment_is_part_of_the_page(moses):
    url = f"/manage/comments/{make_comment().pk}/"
    assert steady(moses.get(url, htmx=True).text).strip() in steady(moses.get(url).text)


@pytest.mark.parametrize("who", ["rita", "sam", "nora"])
def test_refuses_without_permission(request, who):
    person = request.getfixturevalue(who)
    assert person.get(f"/manage/comments/{make_comment().pk}/").status_code == 403


def test_a_comment_that_is_gone_is_a_404(moses):
    response = moses.get("/manage/comments/4711/")
    assert response.status_code == 404
    assert "Nothing here" in response.text


def test_back_leads_to_the_list_one_came_from_and_nowhere_else(moses):
    url = f"/manage/comments/{make_comment().pk}/"
    assert 'href="/manage/comments/?q=neon"' in moses.get(url, {"next": "/manage/comments/?q=neon"}).text
    for elsewhere in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        assert "evil" not in moses.get(url, {"next": elsewhere}).text.split("<main")[1].split("data-item")[0]
