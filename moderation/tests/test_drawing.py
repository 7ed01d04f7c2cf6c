"""Cards as lists draw them: nothing that is typed becomes HTML, and the quick way says what the models say."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from django.test import RequestFactory
from django.utils import timezone

from moderation import actions, cards, drawing
from moderation.models import Ban, Comment, Player, Strike
from moderation.testing import make_comment, make_game, make_player, make_report

HOSTILE = '<script>alert(1)</script>\'" onx="1" %(pk)s %s {{ 7*7 }} {% now %} \\0'


class Seen(HTMLParser):
    """What a browser would see."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.texts = set(), set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture
def listed(moses):
    request = RequestFactory().get("/manage/comments/")
    request.user = moses.user
    return cards.page(request, f"/manage/comments/?q={HOSTILE}")


def zoo():
    """Players who were treated in every way there is, each with a comment in every state."""
    now = timezone.now()
    for number in range(4):
        player = make_player(username=f"player {number}")
        for state in ("pending", "approved", "approved", "rejected"):
            comment = make_comment(player=player, status=state, game=make_game() if number % 2 else None)
            for words in ["", "one", "two", "three", "four"][: number + 1]:
                make_report(comment, words=words)
        for days in (89, 30, -1)[:number]:
            Strike.objects.create(player=player, reason="spam", expires_at=now + timedelta(days=days))
        Strike.objects.create(player=player, reason="spam", withdrawn_at=now)
        for start, end, lifted in [(-9, -1, None), (-3, 3, 1), (1, 9, None), (-2, 5, None), (-2, None, None)][
            : number + 2
        ]:
            Ban.objects.create(
                player=player,
                reason="spam",
                starts_at=now + timedelta(days=start),
                expires_at=end and now + timedelta(days=end),
                lifted_at=lifted and now,
            )


def test_what_is_loaded_for_cards_is_what_the_models_say(db):
    zoo()
    slow = list(Comment.objects.for_cards().order_by("-pk"))
    quick = drawing.load([comment.pk for comment in slow])
    assert [card.pk for card in quick] == [comment.pk for comment in slow]
    for card, comment in zip(quick, slow, strict=True):
        for name in ("version", "status", "body", "created_at", "report_count"):
            assert getattr(card, name) == getattr(comment, name)
        assert (card.game and card.game.title) == (comment.game and comment.game.title)
        assert [report.words for report in card.said] == [report.words for report in comment.said]
        for name in ("pk", "version", "username", "joined_at", "is_banned"):
            assert getattr(card.player, name) == getattr(comment.player, name)
        for name in ("approved", "rejected", "active_strikes", "ban_in_force", "banned_until"):
            assert getattr(card.player, name) == getattr(comment.player, name), name
    assert {card.player.active_strikes for card in quick} == {0, 1, 2}
    assert {card.player.is_banned for card in quick} == {True, False}


def test_both_are_drawn_alike(listed):
    zoo()
    for comment in Comment.objects.for_cards():
        (quick,) = drawing.load([comment.pk])
        without_keys = [
            re.sub(r'(idempotency_key" value=")[^"]*', r"\1", drawing.card(c, listed)) for c in (quick, comment)
        ]
        assert without_keys[0] == without_keys[1]


def test_what_people_type_stays_text_wherever_a_card_shows_it(listed):
    comment = make_comment(
        body=HOSTILE, player=make_player(username=HOSTILE), game=make_game(title=HOSTILE, slug="hostile")
    )
    make_report(comment, words=HOSTILE)
    for row in (Comment.objects.for_cards().get(), *drawing.load([comment.pk])):
        html = drawing.card(row, listed, conflict=HOSTILE)
        seen = Seen()
        seen.feed(html)
        assert "script" not in seen.tags
        assert "onx" not in seen.attributes
        for shown in (HOSTILE, HOSTILE, HOSTILE, f"“{HOSTILE}”", HOSTILE):  # conflict, name, game, report, body
            seen.texts.remove(shown)


def test_each_form_has_a_key_of_its_own(listed):
    comments = [make_comment() for _ in range(5)]
    html = drawing.cards(drawing.load([comment.pk for comment in comments]), listed)
    keys = re.findall(r'name="idempotency_key" value="([0-9a-f-]{36})"', html)
    assert len(keys) == len(set(keys)) == 5


def test_buttons_are_those_that_are_legal_now(listed):
    comment = make_comment()
    (card,) = drawing.load([comment.pk])
    assert f'action="/manage/comments/{comment.pk}/approve/"' in drawing.card(card, listed)
    actions.approve(comment, by=None)
    (card,) = drawing.load([comment.pk])
    assert "approve/" not in drawing.card(card, listed)
    assert f"/manage/comments/{comment.pk}/reject/" in drawing.card(card, listed)
    assert 'data-state="approved"' in drawing.card(card, listed)


def test_a_comment_that_is_gone_is_left_out(db):
    comment = make_comment()
    assert [card.pk for card in drawing.load([comment.pk + 1, comment.pk])] == [comment.pk]
    assert Player.objects.count() == 1


def test_a_ban_until_the_calendar_ends_is_told(listed):
    player = make_player()
    end = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    Ban.objects.create(player=player, reason="spam", expires_at=end)
    (card,) = drawing.load([make_comment(player=player).pk])
    assert "9999-12-31 23:59 UTC" in drawing.card(card, listed)
