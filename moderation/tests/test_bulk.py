"""Bulk: the same verbs on what was ticked, behind a flag, with what was left alone by name and one undo."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from waffle.testutils import override_flag

from console.models import Entry, Gesture
from console.testing import form, undo_form
from moderation.models import Comment
from moderation.testing import make_comment, make_player

QUEUE, BULK = "/manage/comments/", "/manage/comments/bulk/"


@pytest.fixture(autouse=True)
def _flag(db):
    with override_flag("bulk_actions", active=True):
        yield


def ticked(comments, verb, **fields):
    selected = [f"{comment.pk}:{comment.version}" for comment in comments]
    return undo_form(selected=selected, verb=verb, next=QUEUE, **fields)


def states():
    return list(Comment.objects.order_by("pk").values_list("status", flat=True))


def test_approves_all_by_one_gesture_and_one_undo(moses):
    comments = [make_comment() for _ in range(3)]
    page = moses.post(BULK, ticked(comments, "comment.approve"), follow=True).text
    assert "3 comments were approved." in page
    assert states() == ["approved"] * 3
    assert Entry.objects.filter(batch=Gesture.objects.get()).count() == 3
    page = moses.post(Entry.objects.latest("id").get_undo_url(), undo_form(next=QUEUE), follow=True).text
    assert "3 comments are pending again." in page
    assert states() == ["pending"] * 3


def test_asks_first_for_what_a_verb_needs(moses):
    comments = [make_comment() for _ in range(2)]
    page = moses.post(BULK, ticked(comments, "comment.reject", ask="1"))
    assert page.status_code == 200
    assert "Reject: 2 comments" in page.text
    for comment in comments:
        assert f'name="selected" value="{comment.pk}:0"' in page.text
    assert states() == ["pending"] * 2
    assert moses.post(BULK, ticked(comments, "comment.reject")).status_code == 422
    kept = moses.post(BULK, ticked(comments, "comment.reject", note="typed with care"))
    assert "typed with care" in kept.text
    assert moses.post(BULK, ticked(comments, "comment.reject", reason="spam")).status_code == 303
    assert states() == ["rejected"] * 2


def test_what_moved_on_is_left_alone_and_named(moses, lea):
    comments = [make_comment() for _ in range(3)]
    lea.post(f"{QUEUE}{comments[1].pk}/approve/", form(comments[1]))
    page = moses.post(BULK, ticked(comments, "comment.reject", reason="spam"), follow=True).text
    assert "2 comments were rejected." in page
    assert f"Comment {comments[1].pk}: lea approved this comment just now." in page
    assert states() == ["rejected", "approved", "rejected"]


def test_nothing_left_to_do_is_a_conflict(moses, lea):
    comment = make_comment()
    lea.post(f"{QUEUE}{comment.pk}/reject/", form(comment, reason="spam"))
    response = moses.post(BULK, ticked([comment], "comment.approve"))
    assert response.status_code == 409
    assert "lea rejected this comment" in response.text


def test_bans_those_who_wrote_them(moses):
    kit, ada = make_player(), make_player()
    comments = [make_comment(player=kit), make_comment(player=kit), make_comment(player=ada)]
    page = moses.post(BULK, ticked(comments[:2], "player.ban", reason="spam", expires="1d"), follow=True).text
    assert f"{kit.username} was banned." in page
    assert states() == ["rejected", "rejected", "pending"]
    assert moses.post(BULK, ticked(comments, "player.ban", reason="spam", expires="never")).status_code == 422


def test_htmx_gets_the_list_anew_with_toast_and_names(moses, lea):
    comments = [make_comment() for _ in range(3)]
    lea.post(f"{QUEUE}{comments[1].pk}/approve/", form(comments[1]))
    response = moses.post(BULK, ticked(comments, "comment.approve"), htmx=True)
    assert (response.status_code, response["HX-Retarget"]) == (200, "#results")
    assert "Nothing waits" in response.text
    assert 'id="toasts" hx-swap-oob' in response.text
    assert "1 left as it was." in response.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"selected": []}, "Nothing was ticked"),
        ({"selected": ["1"]}, "out of date"),
        ({"selected": ["1:x"]}, "out of date"),
        ({"selected": ["-1:0"]}, "out of date"),
        ({"selected": ["9" * 30 + ":0"]}, "out of date"),
        ({"selected": [f"{n}:0" for n in range(1001)]}, "At most 1,000"),
        ({"verb": "comment.burn"}, "Choose what to do"),
        ({"verb": "player.note"}, "Choose what to do"),
        ({"idempotency_key": "x"}, "Nothing was changed"),
    ],
)
@pytest.mark.parametrize("htmx", [True, False])
def test_a_broken_form_changes_nothing_and_says_so(moses, fields, words, htmx):
    comment = make_comment()
    response = moses.post(BULK, ticked([comment], "comment.approve") | fields, htmx=htmx)
    assert response.status_code == 422
    assert words in response.text
    assert states() == ["pending"]


def test_the_same_click_twice_is_one_effect(moses):
    comments = [make_comment() for _ in range(2)]
    data = ticked(comments, "comment.approve")
    moses.post(BULK, data)
    page = moses.post(BULK, data, follow=True)
    assert "2 comments were already approved." in page.text
    assert Gesture.objects.count() == 1
    assert moses.post(BULK, data | {"verb": "comment.reject", "reason": "spam"}).status_code == 422


def test_a_ban_of_authors_sent_twice_is_one_effect(moses):
    comments = [make_comment() for _ in range(2)]
    data = ticked(comments, "player.ban", reason="spam", expires="1d")
    moses.post(BULK, data)
    page = moses.post(BULK, data, follow=True)
    assert "2 players were already banned." in page.text
    assert Gesture.objects.count() == 1
    again = moses.post(BULK, data | {"reason": "scam", "note": "typed with care"})
    assert again.status_code == 422
    assert "typed with care" in again.text
    assert data["idempotency_key"] not in again.text


def test_all_that_moved_on_is_named_and_the_list_is_brought_up_to_date(moses, lea):
    comments = [make_comment() for _ in range(2)]
    for comment in comments:
        lea.post(f"{QUEUE}{comment.pk}/approve/", form(comment))
    response = moses.post(BULK, ticked(comments, "comment.approve"), htmx=True)
    assert (response.status_code, response["HX-Retarget"]) == (409, "#results")
    for comment in comments:
        assert f"Comment {comment.pk}: lea approved this comment just now." in response.text
    assert "Nothing waits" in response.text


def test_a_card_that_comes_back_can_be_ticked_again(moses):
    comment = make_comment()
    moses.post(f"{QUEUE}{comment.pk}/approve/", form(comment))
    response = moses.post(Entry.objects.get().get_undo_url(), undo_form(next=QUEUE), htmx=True)
    assert f'name="selected" value="{comment.pk}:2"' in response.text


def test_a_thousand_cost_no_more_statements_than_two(moses, django_assert_max_num_queries):
    few = [make_comment() for _ in range(2)]
    moses.post(BULK, ticked(few, "comment.approve"))
    many = Comment.objects.bulk_create(
        Comment(external_id=f"m{n}", player=few[0].player, body="x") for n in range(1000)
    )
    # session, user, permissions; reasons, gesture, lock, update, entries; what the message says; the session again
    with django_assert_max_num_queries(18):
        moses.post(BULK, ticked(many, "comment.reject", reason="spam"))
    assert Comment.objects.filter(status="rejected").count() == 1000


@pytest.mark.parametrize("htmx", [True, False])
def test_with_the_flag_off_the_page_is_whole_and_the_endpoint_is_gone(moses, htmx):
    comment = make_comment()
    assert 'name="selected"' in moses.get(QUEUE, htmx=htmx).text
    with override_flag("bulk_actions", active=False):
        page = moses.get(QUEUE, htmx=htmx).text
        assert 'name="selected"' not in page
        assert 'id="bulk"' not in page
        assert "Approve" in page
        response = moses.post(BULK, ticked([comment], "comment.approve"), htmx=htmx)
        assert response.status_code == 404
        assert "switched off" in response.text
    assert states() == ["pending"]


def test_who_may_not_decide_is_offered_no_ticks(ann):
    make_comment()
    assert 'name="selected"' not in ann.get(QUEUE).text


def queries_of(post):
    with CaptureQueriesContext(connection) as queries:
        assert post().status_code == 200
    return len(queries)


def test_deciding_on_many_takes_as_many_queries_as_on_few(moses):
    def approve(number):
        comments = [make_comment() for _ in range(number)]
        return queries_of(lambda: moses.post(BULK, ticked(comments, "comment.approve"), htmx=True))

    approve(1)  # from here on the flag is cached
    assert approve(3) == approve(200) <= 15


def test_undoing_many_takes_as_many_queries_as_undoing_few(moses):
    def undo(number):
        moses.post(BULK, ticked([make_comment() for _ in range(number)], "comment.approve"))
        path = Gesture.objects.latest("at").get_undo_url()
        return queries_of(lambda: moses.post(path, undo_form(next=QUEUE), htmx=True))

    undo(2)
    assert undo(3) == undo(200) <= 18


def test_deciding_on_one_takes_few(moses):
    make_comment()  # somebody still waits

    def approve():
        comment = make_comment()
        return queries_of(lambda: moses.post(f"{comment.get_absolute_url()}approve/", form(comment), htmx=True))

    approve()
    # session, person, row; savepoint, gesture, lock, change, address, entry, release; how much is left, the badge
    assert approve() <= 12
