"""The preset groups hold what design 9 grants them, and nothing else."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

READ = {f"moderation.view_{noun}" for noun in ("comment", "player", "ban", "report", "note", "reason")}
WORK = {"moderation.moderate_comment", "moderation.warn_player", "moderation.note_player", "moderation.ban_player"}
WORK |= {"moderation.strike_player"}
EXPORT = {"moderation.export_player"}
LEAD = {"moderation.ban_player_long", "moderation.ban_network", "moderation.lift_ban", "moderation.change_player"}
LEAD |= {"moderation.ban_network_wide", "moderation.view_address"}
REVEAL = {"moderation.reveal_address"}
REASONS = {"moderation.add_reason", "moderation.change_reason"}
OWN = {"console.view_entry", "console.view_staff"}
LEDGER = OWN | {"console.view_all_entries", "console.export_entry"}
ALL = {"console.enter_console", "games.view_game"}
PORTAL = {"console.view_token", "console.view_webhook", "moderation.view_mailing"}
JOIN = {"console.join_flag"}
TRAFFIC = {"console.view_traffic"}
OPERATIONS = {"console.view_ops", "console.view_flag"}
PUBLISH = {"games.upload_game", "games.publish_game", "games.archive_game", "games.review_build", "games.retry_build"}
GROUPS = {
    "Moderator": ALL | READ | WORK | OWN | REVEAL | JOIN,
    "Senior": ALL | READ | WORK | LEAD | REASONS | LEDGER | EXPORT | JOIN | TRAFFIC | {"console.undo_gesture"},
    "Publisher": ALL | PUBLISH | OWN | JOIN,
    "Auditor": ALL | READ | LEDGER | EXPORT | REVEAL | PORTAL | TRAFFIC | OPERATIONS,
    "Beta": set(),
}


@pytest.mark.parametrize("name", GROUPS)
def test_a_group_holds_its_preset(db, name):
    permissions = Permission.objects.filter(group__name=name).select_related("content_type")
    assert {f"{p.content_type.app_label}.{p.codename}" for p in permissions} == GROUPS[name]


def test_migrating_again_mends_a_group_and_keeps_what_was_added(committed_db):
    moderators = Group.objects.get(name="Moderator")
    extra = Permission.objects.get(codename="undo_gesture")
    moderators.permissions.set([extra])
    call_command("migrate", verbosity=0)
    assert moderators.permissions.count() == len(GROUPS["Moderator"]) + 1
