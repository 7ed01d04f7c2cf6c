"""What can be paused: each switch at the place where it works, with words, and nothing lost."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from waffle.testutils import override_flag, override_switch

from console import flags, verbs
from console.labs import state
from console.models import Delivery, Entry, Switch
from console.testing import make_token, undo_form
from console.webhooks import sending
from console.webhooks.testing import make_delivery, make_event, make_webhook
from games.models import Build
from moderation.models import Comment
from moderation.testing import make_comment
from project.tests.test_labs import LABS, QUEUE, _told_at_once  # noqa: F401

UPLOAD = "/manage/games/upload/"


def flip(person, name, **more):
    row = Switch.objects.get(name=name)
    return person.post(f"{row.get_absolute_url()}flip/", undo_form(version=row.version, **more))


def zipped():
    return SimpleUploadedFile("game.zip", b"PK a zip", "application/zip")


def test_the_confirmation_of_a_switch_says_what_stops(olga):
    row = Switch.objects.get(name=flags.PAUSE_UPLOADS)
    page = olga.get(f"{row.get_absolute_url()}flip/").text
    assert "Nobody can upload a build" in page
    assert "<button" in page


def test_a_flipped_switch_is_on_every_page_of_those_it_concerns(olga, rita, moses):
    flip(olga, flags.PAUSE_UPLOADS, note="The disk is full")
    assert "No builds are taken just now." in rita.get("/manage/games/").text
    assert "No builds are taken just now." in olga.get("/manage/").text
    assert "No builds are taken just now." not in moses.get("/manage/").text
    entry = Entry.objects.get()
    assert entry.after["active"] is True
    assert entry.verb == "switch.flip"
    olga.post(entry.get_undo_url(), undo_form(next=LABS))
    assert "No builds are taken just now." not in rita.get("/manage/games/").text


def test_a_frozen_console_can_be_read_and_keeps_what_was_typed(moses, olga):
    comment = make_comment()
    flip(olga, flags.FREEZE_CONSOLE)
    sent = undo_form(reason="spam", note="A long note", next=QUEUE)
    refused = moses.post(f"{comment.get_absolute_url()}reject/", sent)
    assert refused.status_code == 409
    assert "the console is read-only just now" in refused.text
    assert "A long note" in refused.text
    assert moses.post(f"{comment.get_absolute_url()}approve/", undo_form(), htmx=True).status_code == 409
    assert moses.get(QUEUE).status_code == 200
    assert Comment.objects.get().status == Comment.PENDING
    assert Entry.objects.count() == 1, "the flip alone"


def test_operators_lift_a_freeze_and_end_sessions_in_it(moses, olga):
    flip(olga, flags.FREEZE_CONSOLE)
    sent = undo_form(version=moses.user.version, next="/manage/staff/")
    assert olga.post(f"{moses.user.get_absolute_url()}deactivate/", sent).status_code == 303
    assert flip(olga, flags.FREEZE_CONSOLE).status_code == 303
    assert not state.is_flipped(flags.FREEZE_CONSOLE)


def test_nothing_is_undone_in_a_frozen_console_but_the_freeze(moses, olga):
    verbs.get("comment.approve")(make_comment(), by=moses.user)
    approval = Entry.objects.get()
    flip(olga, flags.FREEZE_CONSOLE)
    freeze = Entry.objects.latest("pk")
    assert moses.post(approval.get_undo_url(), undo_form(next=QUEUE)).status_code == 409
    assert Comment.objects.get().status == Comment.APPROVED
    assert olga.post(freeze.get_undo_url(), undo_form(next=LABS)).status_code == 303
    assert moses.post(approval.get_undo_url(), undo_form(next=QUEUE)).status_code == 303


def test_a_bulk_in_a_frozen_console_changes_nothing(moses, olga):
    comment = make_comment()
    with override_flag("bulk_actions", active=True), override_switch(flags.FREEZE_CONSOLE, active=True):
        sent = undo_form(selected=f"{comment.pk}:0", verb="comment.approve", next=QUEUE)
        response = moses.post(f"{QUEUE}bulk/", sent, follow=True)
    assert "read-only just now" in response.text
    assert Comment.objects.get().status == Comment.PENDING


@pytest.mark.parametrize(
    ("name", "words"), [(flags.PAUSE_UPLOADS, "No builds are taken"), (flags.FREEZE_CONSOLE, "read-only")]
)
def test_a_paused_upload_says_so_and_takes_nothing(rita, name, words):
    with override_switch(name, active=True):
        assert words in rita.get(UPLOAD).text
        response = rita.post(UPLOAD, undo_form(title="Neon", zip=zipped()))
        assert (response.status_code, response["Retry-After"]) == (503, "60")
        assert words in response.text
        response = rita.post(UPLOAD, undo_form(title="Neon", zip=zipped()), htmx=True)
        assert 'id="upload"' not in response.text, "with a script, the form stays as it was filled in"
    assert not Build.objects.exists()
    assert rita.post(UPLOAD, undo_form(title="Neon", zip=zipped())).status_code == 303


def test_the_api_takes_no_builds_meanwhile(db, settings, tmp_path):
    settings.QUARANTINE_DIR = tmp_path / "quarantine"
    portal = Client(headers={"Authorization": f"Bearer {make_token('builds:write')}"})
    with override_switch(flags.PAUSE_UPLOADS, active=True):
        response = portal.post("/api/v1/builds/", {"zip": zipped(), "title": "Neon"})
    assert (response.status_code, response["Retry-After"]) == (503, "60")
    assert response.json()["detail"] == flags.NO_UPLOADS
    assert portal.post("/api/v1/builds/", {"zip": zipped(), "title": "Neon"}).status_code == 202


@pytest.mark.parametrize("path", ["comments", "players", "reports"])
def test_the_api_takes_nothing_in_while_that_is_paused(db, path):
    scopes = ("comments:write", "players:write", "reports:write", "bans:read")
    portal = Client(headers={"Authorization": f"Bearer {make_token(*scopes)}"})
    row = {"external_id": "c1", "author": "Kim", "body": "hello"}
    with override_switch(flags.PAUSE_INTAKE, active=True):
        response = portal.post(f"/api/v1/{path}/", row, content_type="application/json")
        assert (response.status_code, response["Retry-After"]) == (503, "60")
        assert response.json()["detail"] == flags.NO_INTAKE
        assert portal.delete("/api/v1/comments/c1/").status_code == 503
        assert portal.get("/api/v1/bans/check/?player=p1").status_code == 200, "who is banned may be asked"
    assert not Comment.objects.exists()
    assert portal.post(f"/api/v1/{path}/", row, content_type="application/json").status_code == 200


@pytest.mark.usefixtures("committed_db")
def test_the_server_flips_a_switch_when_labs_itself_is_broken():
    assert not state.is_flipped(flags.PAUSE_UPLOADS)
    call_command("waffle_switch", flags.PAUSE_UPLOADS, "on")
    assert state.is_flipped(flags.PAUSE_UPLOADS)
    call_command("waffle_switch", flags.PAUSE_UPLOADS, "off")
    assert not state.is_flipped(flags.PAUSE_UPLOADS)


@pytest.mark.usefixtures("committed_db")
def test_what_portals_are_told_waits_while_that_is_held():
    webhook = make_webhook()
    waiting, event = make_delivery(webhook), make_event()
    with override_switch(flags.PAUSE_WEBHOOKS, active=True):
        assert sending.dispatch() == 0
        assert sending._ready(webhook.pk) is None
    event.refresh_from_db()
    assert event.dispatched_at is None
    assert Delivery.objects.get(pk=waiting.pk).state == Delivery.WAITING
    assert sending._ready(webhook.pk) == webhook
    sending.dispatch()
    event.refresh_from_db()
    assert event.dispatched_at
