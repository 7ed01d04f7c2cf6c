"""What the author of a game is told by mail."""

from datetime import timedelta

import pytest
from django.core import mail as outgoing
from django.db.models import F

from console import jobs, outbox, verbs
from console.models import Event, Job
from games.models import Game
from games.testing import make_build, make_game
from moderation.mails import topics
from moderation.models import Mailing
from moderation.testing import make_player


@pytest.fixture
def ada(db, settings):
    settings.PLAYER_MAIL, settings.PORTAL_NAME = ["game"], "Neon Arcade"
    return make_player(username="ada", email="ada@mail.example")


def told():
    """The mails that follow from what was done so far."""
    outgoing.outbox.clear()
    keys = list(Event.objects.filter(withdrawn_at=None).order_by("entry").values_list("pk", flat=True))
    outbox.given_out(keys)
    Event.objects.all().delete()
    Mailing.objects.update(at=F("at") - timedelta(hours=2))
    for job in Job.objects.filter(kind=topics.KIND, state=Job.QUEUED):
        jobs.work(job.pk)
    return list(outgoing.outbox)


def do(name, row, **given):
    row = type(row).objects.get(pk=row.pk)
    return verbs.get(name)(row, by=None, reason="spam", **given)


def test_an_author_is_told_when_a_game_comes_and_goes_and_not_of_each_build(ada):
    game = make_game(author=ada, title="Star <Hopper>", status=Game.DRAFT)
    make_build(game=game)
    do("game.publish", game)
    (sent,) = told()
    assert sent.subject == "Your game is published"
    assert "> Star <Hopper>" in sent.body
    assert "Star &lt;Hopper&gt;" in sent.alternatives[0].content
    make_build(game=game, current=False)
    do("game.publish", game)
    assert told() == []
    do("game.unpublish", game)
    (sent,) = told()
    assert sent.subject == "Your game is not shown any more"


def test_games_taken_down_with_a_ban_are_one_mail(ada):
    for number in range(7):
        game = make_game(author=ada, title=f"Hopper {number}", status=Game.DRAFT)
        make_build(game=game)
        do("game.publish", game)
    assert len(told()) == 1
    do("player.ban", ada, games_down=True)
    (sent,) = told()
    assert "7 games of yours were taken off Neon Arcade" in sent.body
    assert "… and 2 more." in sent.body


def test_a_build_that_failed_is_told_once_with_what_is_wrong(ada):
    game = make_game(author=ada, title="Hopper http://evil.example", status=Game.PROCESSING)
    build = make_build("unpacked", game=game)
    do("build.fail", build, error="There is no index.html in it.")
    (sent,) = told()
    assert sent.subject == "A build of your game could not be used"
    assert "“Hopper [link]”" in sent.body
    assert "> There is no index.html in it." in sent.body
    assert "evil.example" not in sent.alternatives[0].content
    assert told() == []


def test_who_has_no_part_in_it_is_not_told(ada):
    game = make_game(author=ada, status=Game.DRAFT)
    make_build(game=game)
    do("game.publish", game)
    Game.objects.update(author=make_player(email="kit@mail.example"))
    assert told() == [], "it is somebody else's by now"
