"""What is old is let go of once a day, in steps that survive their worker, and leaves one entry."""

from datetime import timedelta
from ipaddress import ip_network

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.utils import timezone

from console import jobs, ledger, personal, retention, tasks, verbs
from console.models import Entry, Job, Retention, SignIn
from console.undo import undo
from moderation.actions import ban_network, lift
from moderation.models import Ban, Comment, Player
from moderation.testing import make_comment, make_network_ban, make_player

OLD = timezone.now() - timedelta(days=91)


def run():
    """A day's run, as a worker does it. Returns the job."""
    (job,) = jobs.enqueue(retention.KIND, [{}])
    jobs.work(job.pk)
    return Job.objects.get(pk=job.pk)


def counts():
    return Retention.objects.latest("pk").counts


def test_old_addresses_become_their_network_and_new_ones_stay(db):
    for ip in ("192.0.2.77", "2001:db8:12:3::7", None):
        player = make_player(last_ip=ip, last_seen_at=OLD)
        make_comment(player=player, ip=ip, created_at=OLD)
    make_comment(player=make_player(last_ip="192.0.2.77", last_seen_at=timezone.now()), ip="192.0.2.77")
    assert run().state == Job.DONE
    kept = ["192.0.2.0/24", "2001:db8:12::/48", None, "192.0.2.77"]
    assert list(Comment.objects.order_by("pk").values_list("ip", flat=True)) == kept
    assert list(Player.objects.order_by("pk").values_list("last_ip", flat=True)) == kept
    assert set(Comment.objects.values_list("version", flat=True)) == {0}
    assert counts() == {"addresses of comments shortened": 2, "last addresses of players shortened": 2}


def test_a_run_leaves_one_entry_by_nobody_and_none_when_nothing_was_old(db, lea):
    make_comment(ip="192.0.2.77", created_at=OLD)
    run()
    entry = Entry.objects.get()
    assert (entry.actor, entry.verb, entry.after["counts"]) == (None, "retention.let_go", counts())
    page = lea.get(entry.get_absolute_url()).text
    assert "The system let go of old personal data in" in page
    assert "addresses of comments shortened: 1" in page
    run()
    assert Entry.objects.count() == Retention.objects.count() == 1


def test_it_is_begun_once_a_day(db):
    for _ in range(3):
        tasks.retain()
    assert Job.objects.count() == 1
    Job.objects.update(state=Job.DONE, created_at=timezone.now() - retention.EVERY)
    tasks.retain()
    assert Job.objects.count() == 2


def test_a_long_run_goes_on_where_it_stopped(db, monkeypatch):
    for _ in range(5):
        make_comment(ip="192.0.2.77", created_at=OLD)
    monkeypatch.setattr(retention, "STEP", 2)
    monkeypatch.setattr(retention, "SECONDS", -1)
    job = run()
    seen = [(job.state, job.attempt, job.result)]
    while job.state == Job.QUEUED:
        Job.objects.update(due_at=timezone.now())
        jobs.work(job.pk)
        job.refresh_from_db()
        seen.append((job.state, job.attempt, job.result))
    what = "addresses of comments shortened"
    assert seen == [
        ("queued", 0, {what: 2}),
        ("queued", 0, {what: 4}),
        ("queued", 0, {what: 5}),
        ("done", 1, {what: 5}),
    ]
    assert Entry.objects.get().after["counts"] == {what: 5}


def test_a_worker_that_dies_between_two_steps_loses_nothing(db, monkeypatch):
    for _ in range(5):
        make_comment(ip="192.0.2.77", created_at=OLD)
    monkeypatch.setattr(retention, "STEP", 2)
    step, left = retention.Rule.step, [2]

    def dying(rule):
        number = step(rule)
        left[0] -= bool(number)
        if left[0] < 0:
            raise RuntimeError("killed, before it was committed")
        return number

    monkeypatch.setattr(retention.Rule, "step", dying)
    job = run()
    assert (job.state, job.result) == (Job.QUEUED, {"addresses of comments shortened": 4})
    assert Comment.objects.filter(ip__masklen=24).count() == 4
    left[0] = 10
    Job.objects.update(due_at=timezone.now())
    jobs.work(job.pk)
    assert Entry.objects.get().after["counts"] == {"addresses of comments shortened": 5}


def test_what_somebody_holds_just_now_is_left_for_tomorrow(committed_db):
    held, free = (make_comment(ip="192.0.2.77", created_at=OLD) for _ in range(2))
    with connections["owner"].cursor() as other:
        other.execute("BEGIN")
        other.execute("SELECT 1 FROM moderation_comment WHERE id = %s FOR UPDATE", [held.pk])
        assert run().state == Job.DONE
        other.execute("ROLLBACK")
    assert Comment.objects.get(pk=free.pk).ip == "192.0.2.0/24"
    assert Comment.objects.get(pk=held.pk).ip == "192.0.2.77"


def test_a_ban_that_is_over_keeps_the_network_alone_and_cannot_come_back(lea, olga, settings):
    bans = [
        ban_network(ip_network(each), by=olga.user, reason="spam").done[0] for each in ("192.0.2.77", "198.51.100.0/24")
    ]
    for ban in bans:
        lift(ban, by=lea.user)
    standing = make_network_ban("192.0.2.78")
    settings.BAN_ADDRESS_DAYS = -1
    run()
    narrow, wide, still = Ban.objects.order_by("pk")
    assert (str(narrow.network), narrow.shortened, str(narrow)) == (
        "192.0.2.0/24",
        True,
        "the ban of an address in 192.0.2.0/24",
    )
    assert (str(wide.network), wide.shortened) == ("198.51.100.0/24", False)
    assert still.network == standing.network
    labels = personal.reveal(Entry.objects.filter(target_id=narrow.pk).values_list("target_label", flat=True))
    assert labels == {}
    assert "an address in 192.0.2.0/24" in lea.get(narrow.get_absolute_url()).text
    gesture = Entry.objects.filter(target_id=narrow.pk, verb="ban.lift").get().batch
    with pytest.raises(ledger.Conflict, match="not kept any more"):
        undo(gesture, by=lea.user)


def test_the_ledger_forgets_whence_staff_came_and_still_verifies(committed_db, settings):
    note = verbs.get("player.note")
    note(make_player(), by=make_lea(), note="fine", origin=ledger.Origin("r1", "192.0.2.9"))
    run()
    assert set(personal.reveal([Entry.objects.earliest("pk").ip]).values()) == {"192.0.2.9"}
    settings.LEDGER_ADDRESS_DAYS = -1
    run()
    assert personal.reveal([Entry.objects.earliest("pk").ip]) == {}
    assert personal.reveal([Entry.objects.earliest("pk").note]) != {}
    assert counts() == {"addresses of staff in the ledger": 1}
    call_command("seal_ledger")
    call_command("verify_ledger")


def make_lea():
    from console import roles
    from console.testing import make_user

    return make_user("lea", roles.SENIOR)


def test_old_sign_ins_go(committed_db):
    user = make_lea()
    for ip in ("192.0.2.1", "192.0.2.2"):
        SignIn.objects.create(user=user, ip=ip)
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE console_signin DISABLE TRIGGER USER")
        cursor.execute("UPDATE console_signin SET at = now() - interval '14 months' WHERE ip = '192.0.2.1'")
        cursor.execute("ALTER TABLE console_signin ENABLE TRIGGER USER")
    run()
    assert SignIn.objects.count() == 1
    assert counts() == {"sign-ins": 1}


def test_zero_keeps_it_for_good(db, settings):
    settings.COMMENT_ADDRESS_DAYS = 0
    make_comment(ip="192.0.2.77", created_at=OLD)
    run()
    assert Comment.objects.get().ip == "192.0.2.77"


@pytest.fixture
def crowd(committed_db):
    """So many players and comments of today that the planner has something to choose from."""
    names = [f"many-{number}" for number in range(2_000)]
    seen = {"last_seen_at": timezone.now(), "last_ip": "192.0.2.77"}
    Player.objects.bulk_create(Player(external_id=name, username=name, **seen) for name in names)
    player = Player.objects.first()
    Comment.objects.bulk_create(
        Comment(external_id=name, player=player, body="hi", created_at=timezone.now(), ip="192.0.2.77")
        for name in names
    )
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE moderation_player, moderation_comment")


@pytest.mark.parametrize("what", ["comment", "player"])
def test_a_days_run_reads_only_what_is_old_and_whole(crowd, what):
    rule = next(rule for rule in retention._rules if rule.what.startswith(("addresses of c", "last")[what == "player"]))
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {rule.sql}", {"before": OLD, "most": 10})
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert f"Index Scan using {what}_whole_address" in plan


@pytest.fixture
def shortened(db):
    """Somebody of whom only the network is known by now, with a comment that still waits."""
    player = make_player(username="longago", last_ip="192.0.2.77", last_seen_at=OLD)
    make_comment(player=player, ip="192.0.2.77", created_at=OLD)
    make_comment(player=player, ip="2001:db8:12:3::7", created_at=OLD)
    make_player(username="nextdoor", last_ip="192.0.2.0", last_seen_at=timezone.now())
    run()
    return Player.objects.get(pk=player.pk)


@pytest.mark.parametrize("words", ["192.0.2.0/24", "192.0.2.", "192.0.0.0/16"])
def test_a_search_for_the_network_finds_them(lea, shortened, words):
    found = [row.username for row in lea.get(f"/manage/players/?q={words}").context["rows"]]
    assert found == ["nextdoor", "longago"]
    assert "192.0.2.0/24" in lea.get(f"/manage/players/?q={words}").text


def test_a_search_for_one_address_does_not(lea, shortened):
    assert [row.username for row in lea.get("/manage/players/?q=192.0.2.0").context["rows"]] == ["nextdoor"]


def test_their_page_shows_networks_and_takes_nobody_for_a_neighbour(lea, shortened):
    page = lea.get(f"/manage/players/{shortened.pk}/?tab=addresses")
    assert {each["address"] for each in page.context["addresses"]} == {"192.0.2.0/24", "2001:db8:12::/48"}
    assert page.context["others"] == []
    assert "network=192.0.2.0%2F24" in page.text


def test_a_ban_of_the_network_still_rejects_what_waits_and_one_of_an_address_does_not(olga, shortened):
    ban_network(ip_network("192.0.2.77"), by=olga.user, reason="spam", reject_pending=True)
    assert Comment.objects.filter(status="rejected").count() == 0
    ban_network(ip_network("192.0.2.0/24"), by=olga.user, reason="spam", reject_pending=True)
    assert Comment.objects.filter(status="rejected").count() == 1


def test_a_row_with_a_shortened_address_can_be_saved_and_erased(shortened):
    shortened.save()
    comment = shortened.comments.first()
    comment.save()
    assert Comment.objects.get(pk=comment.pk).ip == "192.0.2.0/24"
    verbs.get("player.erase")(Player.objects.get(pk=shortened.pk), by=None)
    assert Player.objects.get(pk=shortened.pk).last_ip is None
