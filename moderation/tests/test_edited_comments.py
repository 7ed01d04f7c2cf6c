"""A comment whose text the portal changed: both texts are shown, and nobody decides on one that they did not see."""

from django.test import Client

from console.testing import form
from moderation import drawing
from moderation.difference import both
from moderation.models import Comment
from moderation.testing import edit_comment, make_comment

LIST = "/manage/comments/"


def test_words_that_went_and_words_that_came_are_marked():
    before, now = both("I like <b> very much", "I hate <b> very very much")
    assert before == "I <del>like</del> &lt;b&gt; very much"
    assert now == "I <ins>hate</ins> &lt;b&gt;<ins> very</ins> very much"


def test_long_texts_stand_side_by_side():
    before, now = both("a " * 1000, "b " * 1000, 2_000)
    assert "<del>" not in before
    assert "<ins>" not in now
    assert both("same " * 400, "same " * 400 + "and more", 700)[1].endswith("characters more</span>")


def test_links_stay_whole_in_what_is_marked():
    _, now = both("look", "look https://a.example/x")
    assert '<ins> <span class="link">https://a.example/x</span></ins>' in now


def test_the_card_shows_both_texts_of_what_was_decided(moses):
    edit_comment(make_comment(body="a lovely game", status="approved"), "a lovely casino")
    page = moses.get(LIST).text
    assert "Edited after it was approved. Now it says:" in page
    assert "a lovely <ins>casino</ins>" in page
    assert "a lovely <del>game</del>" in page


def test_a_card_by_itself_is_drawn_like_one_of_a_list(db):
    comment = edit_comment(make_comment(body="a lovely game", status="approved"), "a lovely casino")
    assert drawing.load([comment.pk])[0].was.body == Comment.objects.for_cards().get().was.body == "a lovely game"


def test_what_nobody_had_decided_on_shows_the_text_that_waits(moses):
    edit_comment(make_comment(body="a lovely game"), "a casino")
    page = moses.get(LIST).text
    assert "a casino" in page
    assert "lovely" not in page


def test_a_decision_on_the_new_text_puts_the_old_one_away(moses):
    comment = edit_comment(make_comment(body="a lovely game", status="approved"), "a lovely casino")
    moses.post(f"{LIST}{comment.pk}/approve/", form(comment))
    assert "<del>" not in moses.get(f"{LIST}?status=approved").text


def test_the_page_shows_every_text_and_what_was_decided_on_it(moses):
    comment = make_comment(body="one two", status="rejected")
    edit_comment(edit_comment(comment, "one three"), "one four")
    page = moses.get(comment.get_absolute_url()).text
    assert "one <ins>four</ins>" in page
    assert page.index("one <del>three</del>") < page.index("one <del>two</del>")
    assert "It was rejected when another text came" in page
    assert "Nobody had decided on it when another text came" in page


def test_a_form_that_showed_the_earlier_text_is_out_of_date(moses):
    comment = make_comment(body="fine")
    seen = form(comment)
    edit_comment(comment, "not fine")
    response = moses.post(f"{LIST}{comment.pk}/approve/", seen, htmx=True)
    assert (response.status_code, "not fine" in response.text) == (409, True)
    assert Comment.objects.get().status == "pending"


def test_deleted_comments_are_a_list_of_their_own_and_offer_no_decision(moses):
    comment = make_comment(status="deleted", edited_at="2026-01-31T12:00:00Z")
    assert f"comment-{comment.pk}" not in moses.get(LIST).text
    page = moses.get(f"{LIST}?status=deleted").text
    assert f'data-item="comment-{comment.pk}" data-state="deleted"' in page
    assert f"{comment.pk}/approve/" not in page
    assert f"{comment.pk}/reject/" not in page
    assert "It was deleted at the portal" in moses.get(comment.get_absolute_url()).text


def test_fifty_edited_cards_cost_no_more_statements(moses):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def cost():
        moses.get(LIST)
        with CaptureQueriesContext(connection) as queries:
            moses.get(LIST)
        return len(queries)

    edit_comment(make_comment(status="approved"), "other 0")
    one = cost()
    for number in range(19):
        edit_comment(make_comment(status="approved"), f"other {number}")
    assert cost() == one


def test_a_stranger_sees_none_of_it(db):
    comment = edit_comment(make_comment(status="approved"), "other")
    assert Client().get(comment.get_absolute_url()).status_code == 302
