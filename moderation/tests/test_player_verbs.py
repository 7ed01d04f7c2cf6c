"""Ban, unban, warn and note over HTTP: by role, from a page and from a dialog, with what they take along and back."""

from datetime import timedelta

import pytest
from django.utils import timezone

from console.models import Entry
from console.testing import form, undo_form
from moderation import lengths
from moderation.models import Ban, Comment, Note, Player
from moderation.testing import make_comment, make_player

QUEUE = "/manage/comments/"


def url(player, verb):
    return f"/manage/players/{player.pk}/{verb}/"


def ban_form(player, **fields):
    return form(player, **{"reason": "spam", "expires": "1d", **fields})


def banned(player):
    return Player.objects.get(pk=player.pk).is_banned


@pytest.mark.parametrize(
    ("who", "length", "status"),
    [
        ("moses", "1h", 303),
        ("moses", "1d", 303),
        ("moses", "7d", 303),
        ("moses", "30d", 422),
        ("moses", "never", 422),
        ("moses", "2999-01-01T00:00Z", 422),
        ("lea", "30d", 303),
        ("lea", "never", 303),
        ("lea", "2999-01-01T00:00Z", 303),
        ("lea", "2001-01-01T00:00Z", 422),
        ("lea", "9999-99-99T00:00Z", 422),
        ("lea", "0001-01-01T00:00+23:59", 422),
        ("lea", "soon", 422),
        ("lea", "", 422),
    ],
)
def test_each_role_bans_for_as_long_as_it_may(request, db, who, length, status):
    player = make_player()
    response = request.getfixturevalue(who).post(url(player, "ban"), ban_form(player, expires=length))
    assert response.status_code == status
    assert banned(player) == (status == 303)


def test_the_form_offers_what_the_role_may_give(moses, lea):
    player = make_player()
    assert 'value="30d"' not in moses.get(url(player, "ban")).text
    assert "For good" in lea.get(url(player, "ban")).text


@pytest.mark.parametrize(("length", "span"), lengths.PRESETS.items())
def test_a_ban_ends_when_it_says(lea, length, span):
    player = make_player()
    lea.post(url(player, "ban"), ban_form(player, expires=length))
    ban = Ban.objects.get()
    assert ban.expires_at - ban.starts_at == pytest.approx(span, abs=timedelta(seconds=5))
    assert ban.state == "active"
    Ban.objects.update(expires_at=timezone.now())
    assert Ban.objects.get().state == "expired"
    assert not banned(player)


@pytest.mark.parametrize(
    ("fields", "rejects"),
    [({}, True), ({"reject_pending": ["off", "on"]}, True), ({"reject_pending": "off"}, False)],
)
def test_a_ban_takes_pending_comments_along_unless_told_not_to(moses, fields, rejects):
    player = make_player()
    pending, approved = make_comment(player=player), make_comment(player=player, status="approved")
    other = make_comment()
    moses.post(url(player, "ban"), ban_form(player, **fields))
    states = {row.pk: row.status for row in Comment.objects.all()}
    assert states == {pending.pk: "rejected" if rejects else "pending", approved.pk: "approved", other.pk: "pending"}


def test_undo_of_a_ban_brings_back_what_it_took_and_lists_what_moved_on(moses, lea):
    player = make_player(username="kit")
    comments = [make_comment(player=player) for _ in range(3)]
    moses.post(url(player, "ban"), ban_form(player))
    undo = Entry.objects.filter(verb="player.ban").earliest("id").get_undo_url()
    comments[1].refresh_from_db()
    lea.post(f"/manage/comments/{comments[1].pk}/approve/", form(comments[1]))
    page = moses.post(undo, undo_form(next=QUEUE), follow=True).text
    assert "2 comments are pending again" in page
    assert f"Comment {comments[1].pk} has changed since (status) and stays as it is." in page
    assert not banned(player)
    assert list(Comment.objects.order_by("pk").values_list("status", flat=True)) == ["pending", "approved", "pending"]


def test_a_second_ban_and_an_unban_of_nobody_are_conflicts(moses, lea):
    player = make_player()
    stale = ban_form(player)
    lea.post(url(player, "ban"), ban_form(player))
    response = moses.post(url(player, "ban"), stale | {"note": "typed with care"})
    assert response.status_code == 409
    assert "lea banned this player just now." in response.text
    assert "typed with care" in response.text
    fresh = Player.objects.get()
    assert moses.post(url(player, "ban"), ban_form(fresh)).status_code == 409
    assert Ban.objects.count() == 1
    assert lea.post(url(player, "unban"), form(fresh)).status_code == 303
    assert not banned(player)
    assert lea.post(url(player, "unban"), form(Player.objects.get())).status_code == 409


def test_somebody_quicker_leaves_the_form_and_what_was_typed(moses, lea):
    comment = make_comment()
    stale = form(comment, reason="spam", note="typed with care", next=QUEUE)
    lea.post(f"/manage/comments/{comment.pk}/approve/", form(comment))
    response = moses.post(f"/manage/comments/{comment.pk}/reject/", stale, htmx=True)
    assert (response.status_code, response["HX-Retarget"]) == (409, "#dialog-body")
    assert "lea approved this comment" in response.text
    assert "typed with care" in response.text
    assert f'id="comment-{comment.pk}"' in response.text, "the card behind the dialog is brought up to date"


def test_who_decided_on_a_comment_by_banning_its_author_is_told(moses, lea):
    comment = make_comment()
    lea.post(url(comment.player, "ban"), ban_form(comment.player))
    response = moses.post(f"/manage/comments/{comment.pk}/approve/", form(comment))
    assert response.status_code == 409
    assert "lea banned this comment&#39;s player just now." in response.text
    assert (
        "banned <bdi>the player</bdi> for <strong>Spam or advertising</strong>"
        in moses.get(f"/manage/comments/{comment.pk}/").text
    )


def test_a_warning_is_a_strike_that_weighs_for_a_while(moses):
    player = make_player()
    for number in (1, 2):
        player.refresh_from_db()
        moses.post(url(player, "warn"), form(player, reason="abuse"))
        standing = Player.objects.with_standing().get()
        assert (standing.strikes, standing.active_strikes) == (number, number)
    player.strikes_given.update(expires_at=timezone.now())
    standing = Player.objects.with_standing().get()
    assert (standing.strikes, standing.active_strikes) == (2, 0)


def test_a_note_is_kept_and_must_say_something(moses):
    player = make_player()
    assert moses.post(url(player, "note"), form(player, note="  ")).status_code == 422
    moses.post(url(player, "note"), form(player, note="sister of ada"))
    assert Note.objects.get().text == "sister of ada"
    assert "sister of ada" in moses.get(f"/manage/players/{player.pk}/").text


def test_in_the_queue_a_ban_answers_by_taking_the_players_cards_away(moses):
    comment = make_comment()
    response = moses.post(url(comment.player, "ban"), ban_form(comment.player, next=QUEUE), htmx=True)
    assert (response.status_code, response["HX-Reswap"]) == (200, "none")
    assert f"delete:[data-player='{comment.player.pk}'][data-state='pending']" in response.text
    assert "attendant:close-dialog" in response["HX-Trigger"]


def test_without_rejecting_the_players_cards_say_so(moses):
    comment = make_comment()
    data = ban_form(comment.player, next=QUEUE, reject_pending="off")
    response = moses.post(url(comment.player, "ban"), data, htmx=True)
    assert f"outerHTML:[data-author='{comment.player.pk}']" in response.text
    assert "Banned until" in response.text


def test_where_decided_comments_stay_a_ban_answers_with_the_list_anew(moses):
    comment = make_comment()
    response = moses.post(url(comment.player, "ban"), ban_form(comment.player, next=f"{QUEUE}?status=all"), htmx=True)
    assert response["HX-Retarget"] == "#results"
    assert 'data-state="rejected"' in response.text


def test_on_the_page_of_the_comment_the_page_is_swapped(moses):
    comment = make_comment()
    here = f"/manage/comments/{comment.pk}/"
    response = moses.post(url(comment.player, "ban"), ban_form(comment.player, next=here), htmx=True)
    assert response["HX-Retarget"] == "#item"
    assert 'data-state="rejected"' in response.text
    assert "Banned until" in response.text


def test_the_page_of_a_player_tells_what_happened(moses, lea):
    player = make_comment(player=make_player(username="kit")).player
    moses.post(url(player, "warn"), form(player, reason="abuse", note="first"))
    lea.post(url(player, "ban"), ban_form(Player.objects.get(), expires="never", note="enough"))
    page = moses.get(f"/manage/players/{player.pk}/").text
    for words in ("moses warned this player", "lea banned this player", "first", "enough", "for good", "Active"):
        assert words in page
    assert "Unban" not in page
    assert "Unban" in lea.get(f"/manage/players/{player.pk}/").text


@pytest.mark.parametrize("verb", ["warn", "note"])
def test_a_second_one_from_another_tab_is_no_repetition_and_keeps_what_was_typed(moses, verb):
    player = make_player()
    first, second = form(player, reason="spam", note="first"), form(player, reason="hate", note="second")
    assert moses.post(url(player, verb), first).status_code == 303
    response = moses.post(url(player, verb), second)
    assert response.status_code == 409
    assert "second" in response.text
    assert Entry.objects.filter(target_type="moderation.player").count() == 1


def test_another_length_from_another_tab_is_no_repetition(lea):
    player = make_player()
    short, long = ban_form(player, expires="1h"), ban_form(player, expires="never", note="typed with care")
    lea.post(url(player, "ban"), short)
    response = lea.post(url(player, "ban"), long)
    assert response.status_code == 409
    assert "typed with care" in response.text


def test_undo_never_puts_two_bans_in_force(lea):
    player = make_player(username="kit")
    lea.post(url(player, "ban"), ban_form(player))
    lea.post(url(player, "unban"), form(Player.objects.get()))
    unban = Entry.objects.filter(verb="player.unban").latest("id")
    lea.post(url(player, "ban"), ban_form(Player.objects.get(), expires="never"))
    response = lea.post(unban.get_undo_url(), undo_form(next=QUEUE))
    assert response.status_code == 409
    assert "The ban of kit stays as it is: another has taken its place since." in response.text
    assert player.bans.in_force().count() == 1


def test_a_name_with_the_words_of_a_sentence_in_it(moses):
    player = make_player(username="it was me")
    data = ban_form(player)
    for _ in range(2):
        response = moses.post(url(player, "ban"), data, follow=True)
    assert "it was me was already banned." in response.text


def test_a_note_typed_into_a_page_whose_session_ended_is_shown_again(nobody, db):
    player = make_player()
    response = nobody.post(url(player, "note"), form(player, note="typed with care"))
    assert response.status_code == 401
    assert "typed with care" in response.text
    assert f"/accounts/login/?next=%2Fmanage%2Fplayers%2F{player.pk}%2Fnote%2F" in response.text


def test_whatever_was_typed_into_such_a_page_is_shown_again_but_no_password(nobody, db):
    player = make_player()
    typed = {"username": "kit", "bio": "two\nlines", "reason": "spam", "password": "secret", "selected": "1:0"}
    response = nobody.post(url(player, "edit"), form(player, **typed))
    assert response.status_code == 401
    assert "Username: kit" in response.text
    assert "two<br>lines" in response.text
    assert "Reason: spam" in response.text
    assert "secret" not in response.text
    assert "1:0" not in response.text


def test_the_timeline_offers_undo_to_those_who_may(moses, lea, ann):
    comment = make_comment()
    moses.post(f"/manage/comments/{comment.pk}/reject/", form(comment, reason="spam"))
    here = f"/manage/comments/{comment.pk}/"
    offer = f"{Entry.objects.get().get_undo_url()}?next="
    assert offer in moses.get(here).text
    assert offer in lea.get(here).text
    assert offer not in ann.get(here).text
    lea.post(Entry.objects.get().get_undo_url(), undo_form(next=here))
    assert offer not in lea.get(here).text
