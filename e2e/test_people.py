"""More than one person, and people whose session ends: nobody fights, nothing is lost."""

from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from console.testing import PASSWORD
from moderation import actions
from moderation.models import Comment
from moderation.testing import make_comment


def test_the_second_of_two_sees_who_was_quicker(open_as, moses, lea, allowed):
    allowed.add(409)
    comment = make_comment()
    hers, his = open_as(lea), open_as(moses)
    hers.get_by_role("button", name="Approve").click()
    expect(hers.get_by_role("article")).to_have_count(0)
    his.get_by_role("button", name="Approve").click()
    card = his.locator(f"#comment-{comment.pk}")
    expect(card).to_contain_text("lea approved this comment")
    expect(card).to_have_attribute("data-state", "approved")
    expect(card).to_be_focused()
    expect(his.locator("#live")).to_contain_text("lea approved this comment")
    card.get_by_role("link", name="Reject").click()
    his.get_by_label("Spam or advertising").check()
    his.get_by_role("dialog").get_by_role("button", name="Reject").click()
    expect(card).to_have_count(0)
    assert Comment.objects.get().status == "rejected"


def test_a_dialog_that_comes_too_late_keeps_what_was_typed_and_shows_the_truth_behind_it(open_as, moses, lea, allowed):
    allowed.add(409)
    comment = make_comment()
    page = open_as(moses)
    page.get_by_role("link", name="Ban player").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Spam or advertising").check()
    dialog.get_by_label("Note").fill("typed with care")
    actions.ban(comment.player, by=lea, reason="spam", reject_pending=False)
    dialog.get_by_role("button", name="Ban player").click()
    expect(dialog.get_by_role("alert").filter(has_text="lea banned this player")).to_be_focused()
    expect(dialog.get_by_text("typed with care")).to_be_visible()
    expect(page.locator("#live")).to_contain_text("lea banned this player")
    page.keyboard.press("Escape")
    card = page.locator(f"#comment-{comment.pk}")
    expect(card).to_contain_text("Banned until")
    expect(card.get_by_role("link", name="Ban player")).to_have_count(0)
    expect(card).to_be_focused()


def test_a_late_answer_leaves_the_dialog_that_is_open_by_then_alone(open_as, moses):
    comments = [make_comment() for _ in range(2)]
    page = open_as(moses)
    held = []
    page.route("**/approve/", lambda route: held.append(route))
    page.locator(f"#comment-{comments[0].pk}").get_by_role("button", name="Approve").click()
    page.locator(f"#comment-{comments[1].pk}").get_by_role("link", name="Ban player").click()
    note = page.get_by_role("dialog").get_by_label("Note")
    note.fill("typed with care")
    held[0].continue_()
    expect(page.locator(f"#comment-{comments[0].pk}")).to_have_count(0)
    expect(note).to_have_value("typed with care")
    page.keyboard.press("Escape")
    expect(page.get_by_text("Press Esc once more")).to_be_visible()
    expect(note).to_have_value("typed with care")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(":focus")).to_have_count(1)


def test_every_verb_on_a_player_says_what_it_did_and_keeps_the_focus(open_as, lea):
    player = make_comment().player
    page = open_as(lea, f"/manage/players/{player.pk}/")
    page.evaluate("window.stillHere = true")
    name = player.username
    for link, fill, said in (
        ("Warn", lambda: page.get_by_label("Abuse or bullying").check(), f"{name} was warned."),
        ("Add note", lambda: page.get_by_label("What colleagues").fill("a sister"), f"The note on {name} was saved."),
        ("Ban player", lambda: page.get_by_label("For good").check(), ""),
        ("Unban", lambda: page.get_by_label("Why").fill("a mistake"), f"{name} was unbanned."),
    ):
        page.locator("#item").get_by_role("link", name=link).click()
        fill()
        if link == "Ban player":
            page.get_by_label("Spam or advertising").check()
            said = f"{name} was banned. 1 comment was rejected with it."
        page.get_by_role("dialog").get_by_role("button", name=link).click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.locator("#live")).to_contain_text(said)
        expect(page.locator("#item")).to_be_focused()
    expect(page.get_by_text("a sister").first).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#live")).to_contain_text(f"The ban of {name} is active.")
    expect(page.locator("#item")).to_be_focused()
    expect(page.get_by_text("for good", exact=False).first).to_be_visible()
    assert page.evaluate("window.stillHere") is True


def test_a_badge_follows_what_others_do(open_as, moses, lea):
    comments = [make_comment() for _ in range(3)]
    page = open_as(moses, "/manage/")
    badge = page.locator("#badge-nav-comments")
    expect(badge).to_contain_text("3")
    actions.approve(comments[0], by=lea)
    expect(badge).to_contain_text("2", timeout=15_000)


def test_an_ended_session_loses_nothing_and_goes_on_after_signing_in(open_as, moses, allowed):
    allowed |= {401, 403}
    make_comment()
    page = open_as(moses)
    page.get_by_role("link", name="Reject").click()
    page.get_by_label("Note").fill("a long note, typed with care")
    page.get_by_label("Spam or advertising").check()
    Session.objects.all().delete()
    reject = page.get_by_role("dialog").get_by_role("button", name="Reject")
    reject.click()
    expect(page.get_by_text("Your session has ended.").first).to_be_visible()
    with page.context.expect_page() as opened:
        page.get_by_role("dialog").get_by_role("link", name="Sign in").click()
    sign_in = opened.value
    sign_in.get_by_label("Login").fill("moses")
    sign_in.get_by_label("Password").fill(PASSWORD)
    sign_in.get_by_role("button", name="Sign in").click()
    expect(sign_in.get_by_role("heading", name="Comments")).to_be_visible()
    reject.click()
    expect(page.get_by_text("press the button again")).to_be_visible()
    expect(page.get_by_label("Note")).to_have_value("a long note, typed with care")
    reject.click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert Comment.objects.get().status == "rejected"


def test_a_double_click_is_one_decision(open_as, moses):
    comments = [make_comment() for _ in range(2)]
    page = open_as(moses)
    page.locator(f"#comment-{comments[0].pk}").get_by_role("button", name="Approve").dblclick()
    expect(page.get_by_role("article")).to_have_count(1)
    assert set(Comment.objects.values_list("status", flat=True)) == {"approved", "pending"}


def test_back_after_a_search_shows_a_whole_page(open_as, moses):
    make_comment(body="neon everywhere")
    page = open_as(moses)
    page.get_by_role("searchbox").press_sequentially("neon")
    expect(page).to_have_url("/manage/comments/?q=neon")
    page.get_by_role("article").get_by_role("link").first.click()
    page.go_back()
    expect(page.get_by_role("navigation", name="Sections")).to_be_visible()
    expect(page.get_by_role("searchbox")).to_have_value("neon")


def test_signing_out_cannot_be_undone_by_back(open_as, moses):
    make_comment(body="something private")
    page = open_as(moses)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_text("something private")).to_have_count(0)
