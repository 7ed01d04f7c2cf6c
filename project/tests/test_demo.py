"""The small demo is believable: everything in it agrees with everything else, and it is the same every time."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Count, F, OuterRef, Subquery
from django.utils import timezone

from console.models import Entry, User
from moderation.models import Ban, Comment, CommentText, Player
from project import demo
from project.portal import SMALL


@pytest.fixture
def portal(committed_db):
    demo.make_accounts("a long password")
    demo.make_portal(seed=7)


def test_the_demo_agrees_with_itself(portal):
    assert (Player.objects.count(), Comment.objects.count(), CommentText.objects.count()) == (60, 400, 400)
    assert 50 <= Comment.objects.filter(status="pending").count() <= 80
    reported = Comment.objects.annotate(number=Count("reports")).exclude(number=F("report_count"))
    assert not reported.exists()
    counted = Player.objects.annotate(number=Count("comments")).exclude(number=F("comment_count"))
    assert not counted.exists()
    decided = Comment.objects.exclude(status="pending")
    assert Entry.objects.count() == decided.count()
    for comment in decided:
        entry = Entry.objects.get(target_type="moderation.comment", target_id=comment.pk)
        assert entry.after == {"status": comment.status}
        assert entry.at > comment.created_at
    assert Entry.objects.earliest("at").at < Entry.objects.latest("at").at


def test_accounts_know_their_groups(portal):
    for login, groups in demo.ACCOUNTS.items():
        assert User.objects.get(username=login).roles == sorted(groups)


def test_some_players_are_warned_noted_and_banned(portal):
    demo.make_sanctions()
    standing = Player.objects.with_standing()
    assert standing.filter(active_strikes=2).count() == 2
    assert standing.filter(ban_in_force__isnull=False).count() == 2
    assert Entry.objects.filter(verb="player.ban", target_type="moderation.player").count() == 2


def test_one_account_per_role(portal):
    users = {user.username: user.role for user in User.objects.all()}
    assert users == {
        "moderator": "Moderator",
        "senior": "Senior",
        "publisher": "Publisher",
        "auditor": "Auditor",
        "operator": "Operator",
        "beta": "Moderator",
    }
    assert User.objects.get(username="beta").groups.filter(name="Beta").exists()


def test_the_same_seed_makes_the_same_portal(committed_db):
    demo.make_portal(seed=3, comments=50)
    bodies = list(Comment.objects.order_by("external_id").values_list("body", "status"))
    with pytest.raises(CommandError, match="empty database only"):
        call_command("seed_demo")
    Comment.objects.all().delete()
    Player.objects.all().delete()
    Comment._meta.get_field("game").related_model.objects.all().delete()
    demo.make_portal(seed=3, comments=50)
    assert list(Comment.objects.order_by("external_id").values_list("body", "status")) == bodies


def structure():
    """Every index and constraint of the tables that are loaded."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'")
        indexes = sorted(cursor.fetchall())
        cursor.execute("SELECT conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint ORDER BY 1, 2")
        return indexes, cursor.fetchall()


def test_a_large_portal_is_loaded_bare_and_ends_up_whole(committed_db):
    before = structure()
    demo.make_accounts("a long password")
    told = []
    demo.make_portal(players=4000, games=50, comments=SMALL + 5000, progress=told.append)
    assert structure() == before
    assert sum(told) == Comment.objects.count() == CommentText.objects.count() == SMALL + 5000
    assert Comment.objects.filter(status="pending").count() == 250  # one in a hundred
    counted = Player.objects.annotate(number=Count("comments")).exclude(number=F("comment_count"))
    assert not counted.exists()
    assert 0.8 < Ban.objects.count() / 1250 < 1.3, "five in a hundred comments end in a ban"
    in_force = Ban.objects.in_force().values("player").annotate(number=Count("pk"))
    assert not in_force.filter(number__gt=1).exists()
    assert 0.8 < Entry.objects.count() / (SMALL + 5000) * 2 < 1.2, "half was decided here"
    early = Entry.objects.filter(
        target_type="moderation.comment",
        at__lte=Subquery(Comment.objects.filter(pk=OuterRef("target_id")).values("created_at")),
    )
    assert not early.exists()
    assert not Entry.objects.filter(at__gt=timezone.now()).exists()
    spam = Comment.objects.filter(body__contains=".example").order_by("pk")
    assert len({body.split(".example")[0][-9:] for body in spam.values_list("body", flat=True)[:50]}) < 6, "in waves"
    assert Comment.objects.create(external_id="new", player=Player.objects.first()).pk > SMALL + 5000


@pytest.mark.parametrize("sizes", [(1, 1, 1), (3, 1, 5), (12, 2, SMALL + 1000)])
def test_any_size_will_do(committed_db, sizes):
    players, games, comments = sizes
    call_command("seed_demo", players=players, games=games, comments=comments, password="a long password")
    assert Comment.objects.count() == comments


def test_ids_go_on_from_those_that_were_used(portal):
    first = Comment.objects.latest("pk").pk
    Comment.objects.all().delete()
    Player.objects.all().delete()
    Comment._meta.get_field("game").related_model.objects.all().delete()
    demo.make_portal(seed=8)
    assert Comment.objects.earliest("pk").pk == first + 1
    assert Entry.objects.filter(target_type="moderation.comment", target_id__gt=first).count() > 0
    assert Comment.objects.create(external_id="new", player=Player.objects.first()).pk == first + 401
