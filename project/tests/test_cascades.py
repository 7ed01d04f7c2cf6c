"""A ban takes comments and games along; its undo brings back exactly those, and names what moved on meanwhile."""

import pytest

from console.models import Event
from console.testing import form, undo_form
from console.undo import undo
from games.models import Build, Game
from games.testing import make_build, make_game
from moderation.models import Comment
from moderation.testing import make_comment, make_player


@pytest.fixture
def author():
    """A player with forty comments that wait, two published games, and some of both that do not."""
    player = make_player()
    for place in range(44):
        make_comment(player=player, status="approved" if place >= 40 else "pending")
    for status in (Game.PUBLISHED, Game.PUBLISHED, Game.DRAFT):
        game = make_game(author=player, status=status)
        build = make_build(game=game)
        Build.objects.filter(pk=build.pk).update(published_at=build.uploaded_at)
    return player


def world():
    return {
        row._meta.label_lower + str(row.pk): row.status
        for model in (Comment, Game)
        for row in model.objects.order_by("pk")
    }


def ban(lea, player):
    data = form(player, reason="spam", expires="30d", reject_pending="on", games_down="on")
    assert lea.post(f"{player.get_absolute_url()}ban/", data).status_code == 303


def test_ban_and_undo_with_three_comments_changed_in_between(lea, moses, author):
    before = world()
    ban(lea, author)
    taken = {key for key, status in world().items() if status != before[key]}
    assert len(taken) == 42
    gesture = author.bans.get() and lea.user.gestures.get()
    changed = list(Comment.objects.filter(status="rejected").order_by("pk")[5:8])
    for comment in changed:
        moses.post(f"{comment.get_absolute_url()}approve/", form(comment))
    said = lea.post(gesture.get_undo_url(), undo_form(), follow=True).text
    moved_on = {f"moderation.comment{comment.pk}": "approved" for comment in changed}
    assert world() == before | moved_on
    for comment in changed:
        assert f"Comment {comment.pk} has changed since (status) and stays as it is." in said
    author.refresh_from_db()
    assert not author.is_banned
    standing = Event.objects.filter(withdrawn_at=None).values_list("name", flat=True)
    assert sorted(standing) == ["comment.approved"] * 3 + ["comment.rejected"] * 3, (
        "what was undone in time is not sent"
    )


def test_undone_and_done_again_it_is_as_after_the_ban(lea, author):
    ban(lea, author)
    after = world()
    first = undo(lea.user.gestures.get(), by=lea.user)
    undo(first.gesture, by=lea.user)
    assert world() == after


def test_what_a_ban_of_a_network_took_comes_back_as_exactly(lea, author):
    Comment.objects.update(ip="203.0.113.7")
    before = world()
    data = undo_form(network="203.0.113.0/24", reason="spam", expires="7d", reject_pending="on", games_down="on")
    assert lea.post("/manage/bans/new/", data).status_code == 303
    assert len({key for key, status in world().items() if status != before[key]}) == 42
    undo(lea.user.gestures.get(), by=lea.user)
    assert world() == before
