"""A new piece is tried by one, given to all, and an emergency is ended: by mouse, by thumb, and without JavaScript."""

import pytest
from playwright.sync_api import expect

from console.testing import make_user
from moderation.testing import make_comment

PHONE = {"width": 390, "height": 844}
LABS, QUEUE = "/manage/labs/", "/manage/comments/"


@pytest.fixture
def olga(world):
    return make_user("olga", is_superuser=True)


@pytest.mark.parametrize("script", [True, False])
def test_somebody_tries_a_piece_and_takes_it_back(open_as, moses, script):
    make_comment()
    page = open_as(moses, LABS, viewport=PHONE, java_script_enabled=script)
    page.get_by_role("button", name="Switch on Bulk actions").click()
    expect(page.get_by_text("The piece “Bulk actions” was switched on for you.").first).to_be_visible()
    page.goto(QUEUE)
    expect(page.get_by_role("checkbox")).to_have_count(1)
    page.goto(LABS)
    page.get_by_role("button", name="Switch off Bulk actions").click()
    expect(page.get_by_text("You switched it off.")).to_be_visible()
    page.goto(QUEUE)
    expect(page.get_by_role("checkbox")).to_have_count(0)


@pytest.mark.parametrize("script", [True, False])
def test_an_operator_gives_it_to_everyone_and_undoes_that(open_as, olga, moses, allowed, script):
    allowed.add(422)
    make_comment()
    page = open_as(olga, LABS, java_script_enabled=script)
    page.get_by_role("link", name="Key line").click()
    page.get_by_role("main").get_by_text("Change stage", exact=True).click()
    form = page.get_by_role("dialog") if script else page.get_by_role("main")
    form.get_by_label("Groups: those").check()
    form.get_by_role("button", name="Change stage").click()
    expect(form.get_by_text("Tick at least one group").first).to_be_visible()
    form.get_by_label("Everyone").check()
    form.get_by_label("Why (optional)").fill("It fares well")
    form.get_by_role("button", name="Change stage").click()
    expect(page.get_by_text("The flag “Key line” was moved.").first).to_be_visible()
    queue = open_as(moses, QUEUE, java_script_enabled=script)
    expect(queue.get_by_text("All keys")).to_be_visible()
    with page.expect_response(lambda response: response.request.method == "POST"):
        page.get_by_role("button", name="Undo").first.click()
    queue.goto(QUEUE)
    expect(queue.get_by_text("All keys")).to_have_count(0)


def test_a_freeze_says_so_everywhere_and_is_lifted(open_as, olga, moses, allowed):
    make_comment()
    page = open_as(olga, LABS, viewport=PHONE)
    page.get_by_role("link", name="Let nobody decide anything").click()
    page.get_by_role("main").get_by_text("Flip", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("no verb does anything")).to_be_visible()
    dialog.get_by_role("button", name="Flip").click()
    expect(page.get_by_text("The switch “Let nobody decide anything” was flipped.").first).to_be_visible()
    queue = open_as(moses, QUEUE, viewport=PHONE)
    expect(queue.get_by_role("note")).to_contain_text("The console is read-only just now")
    allowed.add(409)
    queue.get_by_role("button", name="Approve").click()
    expect(queue.get_by_text("Nothing was changed: the console is read-only").first).to_be_visible()
    page.reload()
    page.get_by_role("main").get_by_text("Flip", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Flip").click()
    expect(page.get_by_text("was flipped.").first).to_be_visible()
    queue.goto(QUEUE)
    expect(queue.get_by_role("note")).to_have_count(0)
    queue.get_by_role("button", name="Approve").click()
    expect(queue.get_by_role("button", name="Approve")).to_have_count(0)
