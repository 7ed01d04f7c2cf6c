"""Mail to players: off by default, about what is true when it is sent, collected, and never twice."""

from datetime import timedelta

import pytest
from django.core import mail as outgoing
from django.core.exceptions import ImproperlyConfigured
from django.db.models import F
from django.utils import timezone

from console import jobs, outbox, verbs
from console.models import Event, Job
from console.tests.postbox import Postbox
from console.undo import undo
from moderation.mails import drawing, sending, topics
from moderation.models import Mailing, Notice, Player, Reason
from moderation.testing import make_comment, make_game, make_network_ban, make_player, make_reason, make_report

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def switched_on(settings):
    settings.PLAYER_MAIL, settings.PORTAL_NAME = ["on"], "Neon Arcade"
    settings.CONSOLE_URL, settings.APPEAL_URL = "https://console.example", "https://portal.example/appeals"


@pytest.fixture
def ada(db):
    return make_player(username="ada", email="ada@mail.example")


def do(name, row, **given):
    row.refresh_from_db()
    return verbs.get(name)(row, by=None, reason="spam", **given)


def give_out():
    """As if the undo window of what is new were over: those who listen hear of it, once."""
    new = Event.objects.filter(withdrawn_at=None, due_at__gt=timezone.now() - HOUR / 2).order_by("due_at", "entry")
    keys = list(new.values_list("pk", flat=True))
    Event.objects.filter(pk__in=keys).update(due_at=F("due_at") - HOUR)
    outbox.given_out(keys)


def work():
    """Does what is queued, whenever it is due; the mails that were sent, oldest first."""
    outgoing.outbox.clear()
    Job.objects.filter(state=Job.QUEUED).update(due_at=timezone.now())
    for job in Job.objects.filter(kind=topics.KIND, state=Job.QUEUED).order_by("pk"):
        jobs.work(job.pk)
    return list(outgoing.outbox)


def told():
    give_out()
    return work()


def later(hours):
    """As if the mails so far had been sent earlier."""
    Mailing.objects.update(at=F("at") - hours * HOUR)


def test_by_default_nobody_is_written_to(ada, settings):
    settings.PLAYER_MAIL = []
    do("comment.reject", make_comment(player=ada))
    assert told() == []
    assert (Notice.objects.count(), Job.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("setting", "groups"),
    [([], ()), (["off"], ()), (["on"], topics.GROUPS), (["reporter", "author"], ("author", "reporter"))],
)
def test_who_is_written_to_is_a_setting(settings, setting, groups):
    settings.PLAYER_MAIL = setting
    assert topics.wanted() == groups


def test_a_setting_that_makes_no_sense_ends_the_start(settings):
    settings.PLAYER_MAIL = ["author", "everybody"]
    with pytest.raises(ImproperlyConfigured, match="everybody is none of off, on, author, reporter, banned, game"):
        topics.wanted()


def test_an_author_hears_of_a_rejection_with_the_reason_and_how_to_object(ada, moses):
    make_reason(code="rude", label="Rude", text="Insults are not welcome.")
    comment = make_comment(player=ada, body="you fool")
    verbs.get("comment.reject")(comment, by=moses.user, reason="rude")
    (sent,) = told()
    assert (sent.to, sent.subject) == (["ada@mail.example"], "Your comment was not shown, or is not shown any more")
    html = sent.alternatives[0].content
    for text in (sent.body, html):
        assert "Insults are not welcome." in text
        assert "you fool" in text
        assert "it was not decided automatically" in text
        assert "https://portal.example/appeals" in text
        assert "moses" not in text
    assert work() == []
    assert Notice.objects.get().said == "rejected"


def test_what_the_console_decided_alone_is_said_to_be_automatic(ada):
    do("comment.reject", make_comment(player=ada))
    assert "decided automatically, without anybody" in told()[0].body


def test_nobody_wants_a_mail_for_each_comment_that_is_approved(ada):
    do("comment.approve", make_comment(player=ada))
    assert told() == []
    assert not Notice.objects.exists()


def test_undone_in_time_nothing_is_told(ada, moses):
    undo(do("comment.reject", make_comment(player=ada)).gesture, by=None)
    assert told() == []


def test_what_changed_before_it_was_sent_is_not_told(ada):
    comment = make_comment(player=ada)
    do("comment.reject", comment)
    give_out()
    do("comment.approve", comment)
    assert work() == []
    assert told() == []


def test_a_rejection_that_was_told_and_taken_back_is_said_to_be(ada):
    comment = make_comment(player=ada)
    rejected = do("comment.reject", comment)
    assert len(told()) == 1
    undo(rejected.gesture, by=None)
    later(2)
    (sent,) = told()
    assert sent.subject == "We look again at your comment"
    do("comment.approve", comment)
    later(2)
    (sent,) = told()
    assert sent.subject == "We looked again: your comment is back"
    assert told() == []


def test_a_raid_is_one_mail(ada, moses):
    comments = [make_comment(player=ada, body=f"spam number {number}") for number in range(40)]
    verbs.get("comment.reject")(comments, by=moses.user, reason="spam")
    (sent,) = told()
    assert "40 comments of yours" in sent.body
    assert sent.body.count("> spam number") == 5
    assert "… and 35 more." in sent.body


def test_an_hour_is_collected_and_a_day_has_a_few_mails_at_most(ada, settings):
    settings.PLAYER_MAIL_A_DAY = 3
    for number in range(4):
        do("comment.reject", make_comment(player=ada))
        assert len(told()) == (number < 3), number
        assert work() == [], "the first of them was less than an hour ago"
        later(2)
    job = Job.objects.get(state=Job.QUEUED)
    assert (job.attempt, job.error) == (0, sending.WAIT)
    do("comment.reject", make_comment(player=ada))
    assert told() == []
    later(24)
    (sent,) = work()
    assert "2 comments of yours" in sent.body
    assert Job.objects.filter(state=Job.QUEUED).count() == 0


def test_several_events_make_one_job(ada):
    for _ in range(3):
        do("comment.reject", make_comment(player=ada))
        give_out()
    assert Job.objects.get().args == {"player": ada.pk}, "an id and nothing else"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"email": ""}, "There is no e-mail address."),
        ({"email": "ada at home"}, "Their e-mail address is none."),
        ({"erased_at": timezone.now()}, "What was known of them was erased."),
        ({"mail_stopped_at": timezone.now()}, "They asked not to be written to."),
    ],
)
@pytest.mark.parametrize("when", ["before", "between"])
def test_those_who_cannot_be_or_do_not_want_to_are_not_written_to(ada, fields, why, when):
    do("comment.reject", make_comment(player=ada))
    if when == "between":
        give_out()
    Player.objects.update(**fields)
    ada.refresh_from_db()
    assert sending.why_not(ada) == why
    assert told() == []
    assert not Notice.objects.filter(waiting=True).exists()


def test_reporters_are_thanked_once_and_told_nothing_of_anybody(ada):
    comment, kept = (make_comment(body="secret words", player=make_player(username="kit")) for _ in range(2))
    for reported in (comment, kept):
        make_report(reported, player=ada)
    do("comment.reject", comment)
    (sent,) = told()
    assert "it is not shown any more" in sent.body
    for text in (sent.body, sent.alternatives[0].content):
        assert "secret words" not in text
        assert "kit" not in text
        assert "object" not in text
    later(2)
    do("comment.approve", kept)
    assert "so it stays" in told()[0].body
    later(2)
    do("comment.approve", comment)
    assert told() == [], "once for each comment"


def test_a_ban_is_told_with_its_end_and_so_is_another_end_and_lifting_it(ada):
    Reason.objects.filter(code="spam").update(text="Advertising is not welcome.")
    do("player.ban", ada, expires="7d")
    (sent,) = told()
    assert sent.subject.startswith("You are banned from Neon Arcade until ")
    assert "Advertising is not welcome." in sent.body
    assert "portal.example/appeals" in sent.body
    later(2)
    ban = ada.bans.get()
    do("ban.change", ban, expires="30d")
    (sent,) = told()
    assert sent.subject.startswith("Your ban ends on ")
    later(2)
    do("player.unban", ada)
    (sent,) = told()
    assert sent.subject == "Your ban was lifted"
    later(2)
    do("player.ban", ada, expires="never")
    assert "This ban has no end." in told()[0].body


def test_a_ban_that_ended_by_itself_is_not_said_to_be_lifted(ada):
    do("player.ban", ada, expires="1d")
    assert len(told()) == 1
    ended = timezone.now() - HOUR
    Notice.objects.filter(topic="ban").update(said=ended.isoformat())
    ada.bans.update(expires_at=ended)
    do("player.ban", ada, expires="1d")
    later(2)
    (sent,) = told()
    assert sent.subject.startswith("You are banned from Neon Arcade until "), "anew, not changed"


def test_a_ban_and_what_it_rejected_are_one_mail(ada):
    make_comment(player=ada)
    do("player.ban", ada)
    (sent,) = told()
    assert sent.subject.startswith("You are banned")
    assert "A comment of yours" in sent.body


def test_a_ban_of_a_network_is_told_to_nobody(ada, olga):
    Player.objects.update(last_ip="198.51.100.7")
    ban = make_network_ban("198.51.100.7/32", lifted_at=timezone.now())
    verbs.get("ban.lay")(ban, by=olga.user, reason="spam")
    assert told() == []


def test_words_of_players_are_escaped_and_hold_no_link(ada):
    Player.objects.update(username="ada http://evil.example/win")
    body = "<b>hello</b> & https://evil.example/x\r\nBcc: all@mail.example\u202e\x07\n> quoted www.evil.example"
    do("comment.reject", make_comment(player=ada, body=body))
    (sent,) = told()
    html = sent.alternatives[0].content
    assert "evil.example" not in sent.body + html
    assert "<b>" not in html
    assert "&lt;b&gt;hello&lt;/b&gt; &amp; [link]" in html
    assert "> <b>hello</b> & [link]\n> Bcc: all@[link]  \n> > quoted [link]\n" in sent.body
    assert sent.message()["Bcc"] is None


def test_a_subject_forges_no_header(db, settings):
    settings.PORTAL_NAME = "Neon\r\nBcc: all@mail.example"
    subject, _, _ = drawing.draw("ada", [topics.Part("banned", {"until": None})])
    assert "\n" not in subject
    assert "\r" not in subject


def test_a_mail_fetches_nothing_and_names_the_way_out(ada):
    do("comment.reject", make_comment(player=ada))
    (sent,) = told()
    html, headers = sent.alternatives[0].content, sent.message()
    for loads in ("<img", "<script", "<link", "url(", "src=", "@import"):
        assert loads not in html
    link = drawing.stop_url(ada)
    assert link.startswith("https://console.example/mail/stop/")
    assert link in html
    assert link in sent.body
    assert headers["List-Unsubscribe"] == f"<{link}>"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert 'dir="auto"' in html
    assert '<html lang="en" dir="ltr">' in html


@pytest.fixture
def server(settings):
    """`server(box)`: mails go there."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_TIMEOUT = "127.0.0.1", 0.5

    def server(box):
        settings.EMAIL_PORT = box.port

    return server


def test_an_address_that_was_refused_for_good_is_not_tried_again_until_it_changes(ada, server):
    do("comment.reject", make_comment(player=ada))
    give_out()
    with Postbox("550 no such user") as box:
        server(box)
        work()
    assert Job.objects.get().state == Job.FAILED
    assert "mail.example" not in Mailing.objects.get().refused
    ada.refresh_from_db()
    assert sending.why_not(ada) == "A mail server refused their address for good."
    Player.objects.update(email="ada@new.example")
    do("comment.reject", make_comment(player=ada))
    give_out()
    with Postbox() as box:
        server(box)
        work()
    assert [sent["To"] for sent in box.mails] == ["ada@new.example"]
    assert "2 comments of yours" in box.mails[0].get_body(("plain",)).get_content()


def test_a_mail_server_that_is_away_loses_nothing(ada, server):
    do("comment.reject", make_comment(player=ada))
    give_out()
    with Postbox() as box:
        server(box)
    work()
    assert Job.objects.get().state == Job.QUEUED
    assert not Mailing.objects.exists()
    with Postbox() as box:
        server(box)
        work()
        work()
    (sent,) = box.mails
    assert sent.get_body(("html",)).get_content().startswith("<!DOCTYPE html>")


def test_what_comes_while_a_mail_is_sent_waits_for_the_next(ada, monkeypatch):
    first, second = make_comment(player=ada), make_comment(player=ada)
    do("comment.reject", first)
    give_out()
    deliver = sending.mail.deliver

    def deliver_late(*args):
        do("comment.reject", second)
        give_out()
        deliver(*args)

    monkeypatch.setattr(sending.mail, "deliver", deliver_late)
    (sent,) = work()
    monkeypatch.undo()
    assert "A comment of yours" in sent.body
    later(2)
    (sent,) = work()
    assert "A comment of yours" in sent.body
    assert set(Notice.objects.values_list("said", "waiting")) == {("rejected", False)}


@pytest.mark.parametrize("number", [1, 30])
def test_collecting_and_drawing_take_as_many_queries_for_many(ada, number, django_assert_max_num_queries):
    comments = [make_comment(player=make_player(email="x@mail.example"), game=make_game()) for _ in range(number)]
    for comment in comments:
        make_report(comment, player=ada)
    verbs.get("comment.reject")(comments, by=None, reason="spam")
    keys = list(Event.objects.values_list("pk", flat=True))
    with django_assert_max_num_queries(7):  # two of them begin and end a savepoint
        outbox.given_out(keys)
    notices = list(Notice.objects.filter(player=ada))
    with django_assert_max_num_queries(1):
        topics.look(ada, notices)


def test_what_was_told_long_ago_is_swept(ada):
    do("comment.reject", make_comment(player=ada))
    assert len(told()) == 1
    assert sending.sweep() == 0
    assert sending.sweep(timezone.now() + sending.KEEP + HOUR) == 2
    assert not Notice.objects.exists()


def test_erasing_somebody_takes_what_they_were_told(ada):
    do("comment.reject", make_comment(player=ada))
    assert len(told()) == 1
    do("player.erase", ada)
    assert (Notice.objects.count(), Mailing.objects.count()) == (0, 0)
