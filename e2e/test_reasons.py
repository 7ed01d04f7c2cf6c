"""A senior writes a canned reason, a moderator gives it: by thumb, and without JavaScript."""

import pytest
from playwright.sync_api import expect

from moderation.models import Comment
from moderation.testing import make_comment, make_player

PHONE = {"width": 390, "height": 844}


@pytest.mark.parametrize("script", [True, False])
def test_written_by_one_and_given_by_another(open_as, moses, lea, script):
    comment = make_comment(player=make_player(username="ada"))
    page = open_as(lea, "/manage/reasons/", viewport=PHONE, java_script_enabled=script)
    page.get_by_role("link", name="Add a reason").click()
    page.get_by_label("Code").fill("cheat")
    page.get_by_label("Label").fill("Cheating")
    page.get_by_label("What the player may be told").fill("{player}, play fair.")
    page.get_by_label("Comments: Reject").check()
    page.get_by_label("Place on the list").fill("1")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("The reason “Cheating” was added.")).to_be_visible()

    page = open_as(moses, f"/manage/comments/{comment.pk}/reject/", viewport=PHONE, java_script_enabled=script)
    told = page.get_by_text("The player may be told: “ada, play fair.”")
    expect(told).to_be_hidden()
    page.get_by_role("radio", name="Cheating").check()
    expect(told).to_be_visible()
    expect(page.get_by_role("radio", name="Cheating")).to_have_accessible_description(told.inner_text())
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("Comment").first).to_be_visible()
    comment.refresh_from_db()
    assert comment.status == Comment.REJECTED


def test_edited_in_the_dialog_and_retired_on_its_page(open_as, lea, allowed):
    page = open_as(lea, "/manage/reasons/", viewport=PHONE)
    page.get_by_role("link", name="Something else").click()
    page.get_by_role("link", name="Edit").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What the player may be told").fill("No {plyer}")
    allowed.add(422)
    dialog.get_by_role("button", name="Edit").click()
    expect(dialog.get_by_text("“{plyer}” stands for nothing.")).to_be_visible()
    dialog.get_by_label("What the player may be told").fill("No {player}")
    dialog.get_by_role("button", name="Edit").click()
    expect(page.get_by_text("The reason “Something else” was edited.").first).to_be_visible()
    page.get_by_role("button", name="Retire").click()
    expect(page.get_by_role("button", name="Restore")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Retire")).to_be_visible()
