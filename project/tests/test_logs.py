"""What is written to logs, and sent to the broker, tells nobody who wrote what from where."""

import logging
from ipaddress import ip_network

from console import jobs, retention
from console.models import Job, Personal
from console.testing import form, undo_form
from games.testing import make_build
from moderation.actions import ban_network
from moderation.models import Player
from moderation.testing import make_comment, make_player

TYPED = {
    "an address": "192.0.2.77",
    "an e-mail": "ada.lovelace@mail.example",
    "a name": "ada_byron_1815",
    "a note": "she wrote to my sister",
    "a comment": "meet me behind the arcade",
    "a password": "wrong horse, wrong battery",
    "a line that is none": "forged\nINFO",
}


def journey(lea, nobody, ada):
    """Searches, verbs, mistakes, a sign-in that fails, an export and a job."""
    for words in TYPED.values():
        for path in ("players", "comments", "bans", "ledger", "staff"):
            lea.get(f"/manage/{path}/", {"q": words})
    url, comment = f"/manage/players/{ada.pk}/", ada.comments.get()
    assert lea.post(f"{url}note/", form(ada, note=TYPED["a note"])).status_code == 303
    assert lea.post(f"{url}note/", form(ada, note=f"{TYPED['a note']} again")).status_code == 409
    ada.refresh_from_db()
    assert lea.post(f"{url}edit/", form(ada, username=TYPED["a name"], email="no mail at all")).status_code == 422
    assert lea.post(f"/manage/comments/{comment.pk}/reject/", form(comment, reason="spam")).status_code == 303
    ban_network(ip_network(TYPED["an address"]), by=lea.user, reason="spam", note=TYPED["a note"])
    lea.post("/manage/bans/new/", undo_form(network=TYPED["an address"], note=TYPED["a note"], reason="none"))
    lea.post("/manage/players/export/?q=" + TYPED["an e-mail"], form(Player(version=0))).getvalue()
    login = {"login": TYPED["an e-mail"], "password": TYPED["a password"]}
    nobody.post("/accounts/login/", login, REMOTE_ADDR=TYPED["an address"])
    nobody.get(f"/manage/players/?q={TYPED['an e-mail']}")
    make_build()
    for job in jobs.enqueue(retention.KIND, [{}]):
        jobs.work(job.pk)


def test_no_line_of_a_log_holds_what_people_typed_or_whence_they_came(lea, nobody, caplog):
    ada = make_player(username=TYPED["a name"], email=TYPED["an e-mail"], last_ip=TYPED["an address"])
    make_comment(player=ada, body=TYPED["a comment"], ip=TYPED["an address"])
    with caplog.at_level(logging.INFO):
        journey(lea, nobody, ada)
    lines = [f"{record.name} {record.getMessage()} {record.exc_text or ''}" for record in caplog.records]
    assert len([line for line in lines if line.startswith("attendant.access")]) > 40
    told = {what: [line for line in lines if typed in line] for what, typed in TYPED.items()}
    assert {what: found for what, found in told.items() if found} == {}
    assert Personal.objects.filter(value=TYPED["a note"]).exists(), "it was kept where it can be erased"


def test_jobs_and_their_messages_hold_ids(lea, nobody):
    ada = make_player(username=TYPED["a name"])
    make_comment(player=ada, body=TYPED["a comment"])
    journey(lea, nobody, ada)
    assert Job.objects.exists()
    for job in Job.objects.all():
        assert all(isinstance(value, int) for value in job.args.values()), job.kind
