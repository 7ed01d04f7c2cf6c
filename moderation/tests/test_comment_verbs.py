"""Approve and reject over HTTP: from a plain form and from htmx, once, twice, too late and undone."""

import pytest

from console import roles
from console.models import Entry
from console.testing import Person, form, make_user, undo_form
from moderation.models import Comment
from moderation.testing import make_comment

LIST = "/manage/comments/"


def url(comment, verb):
    return f"/manage/comments/{comment.pk}/{verb}/"


def undo_url():
    return Entry.objects.latest("id").get_undo_url()


@pytest.mark.parametrize(
    ("before", "verb", "after"),
    [
        ("pending", "approve", "approved"),
        ("rejected", "approve", "approved"),
        ("approved", "approve", None),
        ("pending", "reject", "rejected"),
        ("approved", "reject", "rejected"),
        ("rejected", "reject", None),
    ],
)
def test_state_table(moses, before, verb, after):
    comment = make_comment(status=before)
    response = moses.post(url(comment, verb), form(comment, reason="spam"))
    comment.refresh_from_db()
    assert comment.status == (after or before)
    assert response.status_code == (303 if after else 409)
    assert Entry.objects.count() == (1 if after else 0)


def test_plain_form_keeps_the_filter_and_offers_undo(moses):
    comment = make_comment()
    response = moses.post(url(comment, "approve"), form(comment, next=f"{LIST}?q=lovely"), follow=True)
    assert response.redirect_chain == [(f"{LIST}?q=lovely", 303)]
    assert f"Comment {comment.pk} was approved." in response.text
    assert f'action="{undo_url()}"' in response.text


def test_htmx_takes_the_card_away_and_brings_toast_badge_and_words(moses):
    comment, _ = make_comment(), make_comment()
    response = moses.post(url(comment, "approve"), form(comment, next=LIST), htmx=True)
    assert (response.status_code, response["HX-Reswap"]) == (200, "delete")
    assert response["HX-Retarget"] == f"#comment-{comment.pk}"
    assert 'id="badge-nav-comments"' in response.text
    assert 'id="toasts" hx-swap-oob' in response.text
    assert 'id="live" hx-swap-oob' in response.text


def test_when_the_last_card_goes_the_list_says_so(moses):
    comment, _ = make_comment(body="neon"), make_comment()
    here = f"{LIST}?q=neon"
    response = moses.post(url(comment, "approve"), form(comment, next=here), htmx=True)
    assert response["HX-Retarget"] == "#results"
    assert "No match for “neon”" in response.text


def test_undo_leaves_a_list_alone_that_does_not_show_the_card(moses):
    comment, _ = make_comment(), make_comment()
    moses.post(url(comment, "approve"), form(comment))
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{LIST}?q=zzqqzz"}
    response = moses.post(undo_url(), undo_form(next=LIST), headers=headers)
    assert response.status_code == 200
    assert "<article" not in response.text


def test_htmx_keeps_a_card_that_still_belongs_to_the_list(moses):
    comment = make_comment()
    response = moses.post(url(comment, "approve"), form(comment, next=f"{LIST}?status=all"), htmx=True)
    assert response["HX-Reswap"] == "outerHTML"
    assert 'data-state="approved"' in response.text


def test_reject_asks_for_a_reason_and_loses_nothing(moses):
    comment = make_comment()
    response = moses.post(url(comment, "reject"), form(comment, note="my long note"))
    assert "Choose the reason" in response.text
    assert "my long note" in response.text
    assert Comment.objects.get().status == "pending"
    assert moses.post(url(comment, "reject"), form(comment), htmx=True).status_code == 422


def test_reject_form_is_a_page_and_a_dialog_body(moses):
    comment = make_comment()
    page = moses.get(url(comment, "reject")).text
    assert "<!DOCTYPE html>" in page
    assert "hx-post" not in page.split('<h1 id="verb-title"')[1].split("</form>")[0]
    body = moses.get(url(comment, "reject"), {"dialog": 1}, htmx=True).text
    assert 'hx-target="#dialog-body"' in body


def test_the_same_click_twice_is_one_effect_and_two_friendly_answers(moses):
    comment = make_comment()
    data = form(comment)
    for _ in range(2):
        assert moses.post(url(comment, "approve"), data).status_code == 303
    assert Entry.objects.count() == 1


def test_the_same_key_with_other_content_is_422(moses):
    comment = make_comment()
    data = form(comment, reason="spam")
    moses.post(url(comment, "reject"), data)
    assert moses.post(url(comment, "reject"), {**data, "reason": "scam"}).status_code == 422
    assert Entry.objects.get().reason == "spam"


def test_the_same_decision_from_another_tab_is_confirmed_kindly(moses):
    comment = make_comment()
    for _ in range(2):
        response = moses.post(url(comment, "approve"), form(comment), follow=True)
    assert f"Comment {comment.pk} was already approved." in response.text
    assert Entry.objects.count() == 1


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_somebody_quicker_is_named(moses, lea, verb):
    comment = make_comment()
    lea.post(url(comment, "approve"), form(comment))
    plain = moses.post(url(comment, verb), form(comment, reason="spam"))
    assert plain.status_code == 409
    assert "lea approved this comment" in plain.text
    htmx = moses.post(url(comment, verb), form(comment, reason="spam", next=LIST), htmx=True)
    assert htmx.status_code == 409
    assert "lea approved this comment" in htmx.text
    assert 'data-state="approved"' in htmx.text


def test_an_unseen_text_is_never_decided_on(moses):
    comment = make_comment()
    data = form(comment)
    Comment.objects.update(body="edited since", version=5)
    assert moses.post(url(comment, "approve"), data).status_code == 409
    assert Comment.objects.get().status == "pending"


@pytest.mark.parametrize(
    "broken",
    [
        {"version": ""},
        {"version": "x"},
        {"version": "-1"},
        {"version": "9" * 30},
        {"idempotency_key": ""},
        {"idempotency_key": "x"},
    ],
)
def test_a_broken_form_changes_nothing_and_says_so(moses, broken):
    comment = make_comment()
    response = moses.post(url(comment, "approve"), form(comment) | broken)
    assert response.status_code == 422
    assert Comment.objects.get().status == "pending"


@pytest.mark.parametrize("who", ["ann", "rita", "sam", "nora"])
def test_refuses_without_permission(request, who):
    person = request.getfixturevalue(who)
    comment = make_comment()
    assert person.post(url(comment, "approve"), form(comment)).status_code == 403
    assert Comment.objects.get().status == "pending"


def test_undo_brings_the_comment_back(moses):
    comment = make_comment()
    moses.post(url(comment, "approve"), form(comment))
    response = moses.post(undo_url(), undo_form(next=LIST), follow=True)
    assert f"Comment {comment.pk} is pending again." in response.text
    assert Comment.objects.get().status == "pending"


def test_undo_by_htmx_returns_the_card(moses):
    comment = make_comment()
    moses.post(url(comment, "approve"), form(comment))
    response = moses.post(undo_url(), undo_form(next=LIST), htmx=True)
    assert response.status_code == 200
    assert f'id="comment-{comment.pk}"' in response.text


def test_undoing_twice_is_refused_politely(moses, lea):
    comment = make_comment()
    moses.post(url(comment, "approve"), form(comment))
    entry = undo_url()
    for person, status in ((moses, 303), (lea, 409)):
        response = person.post(entry, undo_form(next=LIST))
        assert response.status_code == status
    assert "undone already by moses" in response.text


def test_only_oneself_or_a_senior_undoes(moses, lea):
    comment = make_comment()
    moses.post(url(comment, "approve"), form(comment))
    other = Person(make_user("mia", roles.MODERATOR))
    data = undo_form(next=LIST)
    assert other.post(undo_url(), data).status_code == 403
    assert Comment.objects.get().status == "approved"
    assert lea.post(undo_url(), data).status_code == 303


def test_undo_leaves_what_has_moved_on(moses, lea):
    comment = make_comment()
    moses.post(url(comment, "approve"), form(comment))
    first = undo_url()
    comment.refresh_from_db()
    lea.post(url(comment, "reject"), form(comment, reason="spam"))
    data = undo_form(next=LIST)
    response = moses.post(first, data)
    assert response.status_code == 409
    assert "has changed since" in response.text
    assert Comment.objects.get().status == "rejected"


def test_after_a_decision_the_badge_is_right_at_once(moses, django_capture_on_commit_callbacks):
    comments = [make_comment() for _ in range(3)]
    assert 'data-badge="comments">3<' in moses.get(LIST).text
    with django_capture_on_commit_callbacks(execute=True):
        moses.post(url(comments[0], "approve"), form(comments[0]))
    assert 'data-badge="comments">2<' in moses.get(LIST).text
