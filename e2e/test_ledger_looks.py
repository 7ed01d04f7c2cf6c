"""Pages of the ledger and of staff, with long names and much to say, in every look; and undo from there by hand."""

import pytest
from playwright.sync_api import expect

from console.testing import make_user
from console.undo import undo
from e2e.test_looks import LONG, LOOKS, SIZES, is_good
from moderation import actions
from moderation.models import Comment
from moderation.testing import make_comment, make_player

PAGES = {
    "list": "/manage/ledger/",
    "narrowed": "/manage/ledger/?actor=moses&reason=spam&order=oldest",
    "empty": "/manage/ledger/?q=zzzzzz",
    "wrong filter": "/manage/ledger/?network=nonsense&status=odd",
    "panel": "/manage/ledger/panel/?from=2026-02-02&to=2026-02-01&network=nonsense",
    "export": "/manage/ledger/export/?actor=moses",
    "wrong export": "/manage/ledger/export/?network=nonsense",
    "entry": "/manage/ledger/{entry}/",
    "undone": "/manage/ledger/{undone}/",
    "undo": "/manage/ledger/{undo}/",
    "staff": "/manage/staff/",
    "nobody": "/manage/staff/?q=zzzzzz",
    "member": "/manage/staff/{member}/",
}


@pytest.fixture
def keys(moses, lea):
    make_user(LONG, first_name=LONG, last_name=LONG)
    many = actions.reject([make_comment() for _ in range(60)], by=moses, reason="spam", note=LONG)
    player = make_player(username=LONG)
    banned = actions.ban(player, by=moses, reason="spam", note=f"{LONG} {LONG}", reject_pending=False)
    undone = undo(banned.gesture, by=lea)
    player.refresh_from_db()
    actions.warn(player, by=lea, reason="spam", note="שלום עולם")
    keys = {"entry": many, "undone": banned, "undo": undone}
    return {name: each.gesture.first_entry_id for name, each in keys.items()} | {"member": moses.pk}


@pytest.mark.slow
@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_every_page_of_the_ledger(open_as, lea, keys, theme, size):
    page = open_as(lea, PAGES["list"], color_scheme=theme, viewport=SIZES[size])
    for name, path in PAGES.items():
        page.goto(path.format(**keys))
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        for summary in page.locator("#main summary").all():
            summary.click()
        is_good(page, name)


@pytest.mark.parametrize("scripts", [True, False])
def test_undo_from_the_page_of_an_entry(open_as, moses, keys, scripts):
    here = PAGES["entry"].format(**keys)
    page = open_as(moses, here, java_script_enabled=scripts)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("moses undid that")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    assert here in page.url
    assert set(Comment.objects.values_list("status", flat=True)) == {"pending"}


@pytest.mark.parametrize("scripts", [True, False])
def test_the_list_is_narrowed_and_taken_along(open_as, lea, keys, scripts):
    page = open_as(lea, PAGES["list"], java_script_enabled=scripts)
    page.get_by_role("link", name="Filters").click()
    page.get_by_label("Who").fill("moses")
    page.get_by_role("button", name="Apply").last.click()
    expect(page.get_by_role("article")).to_have_count(2)
    page.get_by_role("link", name="Export", exact=True).click()
    page.get_by_label("Excel").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert download.value.suggested_filename.endswith(".xlsx")
    page.goto(PAGES["list"])
    expect(page.get_by_text("lea exported list of ledger entries as XLSX")).to_be_visible()
    page.get_by_role("link", name="lea exported").click()
    expect(page.get_by_text("“actor=moses”").or_(page.get_by_text("actor=moses"))).to_be_visible()
    expect(page.get_by_text("What has left the console cannot be called back.")).to_be_visible()
