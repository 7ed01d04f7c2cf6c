"""Players, by hand: found while typing, edited and put back, given strikes that propose a ban; also without scripts."""

import pytest
from playwright.sync_api import expect

from e2e.test_looks import LONG, LOOKS, SIZES, is_good
from moderation import actions
from moderation.models import Ban, Player, Strike
from moderation.testing import make_comment, make_game, make_player, make_report

PLAYERS = "/manage/players/"


def test_somebody_is_found_while_typing_edited_and_put_back(open_as, lea):
    make_player(username="moss")
    player = make_player(username="kit", email="kit@mail.example", last_ip="203.0.113.7")
    page = open_as(lea, PLAYERS)
    expect(page.get_by_role("article")).to_have_count(2)
    page.get_by_role("searchbox").press_sequentially("203.0.113.")
    expect(page.get_by_role("article")).to_have_count(1)
    page.get_by_role("article").get_by_role("link", name="kit").click()
    page.get_by_role("link", name="Edit").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("E-mail")).to_have_value("kit@mail.example")
    dialog.get_by_label("Username").fill("kat")
    dialog.get_by_label("Active").uncheck()
    dialog.get_by_role("button", name="Edit").click()
    expect(page.get_by_role("heading", name="kat")).to_be_visible()
    expect(page.get_by_text("kat was edited.").first).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="kit")).to_be_visible()
    player.refresh_from_db()
    assert (player.username, player.is_active, player.email) == ("kit", True, "kit@mail.example")


def test_strikes_propose_a_ban_that_a_person_gives(open_as, moses):
    player = make_player(username="kit")
    page = open_as(moses, f"{PLAYERS}{player.pk}/")
    dialog = page.get_by_role("dialog")
    page.get_by_role("link", name="Strike").click()
    expect(dialog.get_by_text("No strike weighs against them.")).to_be_visible()
    dialog.get_by_label("Abuse or bullying").check()
    dialog.get_by_label("3, for what nearly took a ban").check()
    dialog.get_by_role("button", name="Strike").click()
    expect(page.get_by_text("Strikes weigh 3")).to_be_visible()
    page.get_by_role("link", name="Warn").click()
    dialog.get_by_role("link", name="Ban instead").click()
    expect(dialog.get_by_text("Proposed: 1 day.")).to_be_visible()
    expect(dialog.get_by_label("1 day")).to_be_checked()
    expect(dialog.get_by_label("Abuse or bullying")).to_be_checked()
    assert not Ban.objects.exists()
    dialog.get_by_role("button", name="Ban player").click()
    expect(page.get_by_text("Banned until").first).to_be_visible()
    assert Ban.objects.get().reason == "abuse"


def test_all_of_it_works_without_scripts(open_as, lea):
    make_player(username="moss")
    comment = make_comment(player=make_player(username="kit"))
    page = open_as(lea, PLAYERS, java_script_enabled=False)
    page.get_by_role("searchbox").fill("kit")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("article")).to_have_count(1)
    page.get_by_role("article").get_by_role("link", name="kit").click()
    page.get_by_role("link", name="Strike").click()
    page.get_by_label("Spam or advertising").check()
    page.get_by_role("button", name="Strike").click()
    expect(page.get_by_text("kit was given a strike.")).to_be_visible()
    page.get_by_role("link", name="Edit").click()
    page.get_by_role("button", name="Edit").click()
    expect(page.get_by_text("Nothing was changed: kit was like that already.")).to_be_visible()
    page.get_by_role("link", name="Comments", exact=True).last.click()
    page.locator("#item").get_by_role("button", name="Approve").click()
    comment.refresh_from_db()
    assert comment.status == "approved"
    page.get_by_role("link", name="Timeline").click()
    expect(page.get_by_text("lea gave a strike to this player")).to_be_visible()
    assert Strike.objects.get().weight == 1


@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_every_page_about_players_is_good_to_all(open_as, lea, allowed, theme, size):
    allowed.add(422)
    player = make_player(
        username=LONG, email=f"{LONG[:60]}@mail.example", bio=f"{LONG}\nhttps://x.example", last_ip="2001:db8::1:2:3:4"
    )
    for number in range(3):
        comment = make_comment(
            player=player, body=f"{LONG}{LONG}", ip=f"203.0.113.{number}", game=make_game(title=LONG)
        )
        make_report(comment, words=LONG)
    make_comment(ip="203.0.113.1", player=make_player(username=LONG))
    make_game(author=player, title=LONG)
    actions.reject(comment, by=lea, reason="spam", note=LONG)
    actions.note(player, by=lea, note=LONG)
    player.refresh_from_db()
    actions.strike(player, by=lea, reason="spam", weight=3)
    player.refresh_from_db()
    actions.ban(player, by=lea, reason="spam", reject_pending=False)
    make_player(username="off", is_active=False)
    one = f"{PLAYERS}{Player.objects.get(username=LONG, email__gt='').pk}/"
    page = open_as(lea, PLAYERS, color_scheme=theme, viewport=SIZES[size])
    pages = ["", "?q=WWW", "?q=zzzz", "?status=odd", "panel/?seen_from=2026-02-02&seen_to=2026-02-01", "export/"]
    for path in pages:
        page.goto(f"{PLAYERS}{path}")
        is_good(page, path)
    for path in ["", "?tab=comments", "?tab=addresses", "?tab=timeline", "edit/", "strike/", "warn/"]:
        page.goto(f"{one}{path}")
        is_good(page, path)
