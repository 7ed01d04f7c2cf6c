"""What every page owes everybody: axe finds nothing, nothing scrolls sideways, targets are big enough to hit."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from console import live, roles
from console.flags import BULK_ACTIONS
from console.models import Flag, User
from moderation import actions
from moderation.models import Comment
from moderation.testing import make_comment, make_game, make_player, make_reason, make_report

RULES = {
    "preload": False,  # axe would fetch style sheets itself, and trips over their imports
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
}
LONG = "W" * 90
SIZES = {
    "wide": {"width": 1440, "height": 900},
    "phone": {"width": 390, "height": 844},
    "tiny": {"width": 320, "height": 640},
}

# each theme and each size, for colours change no room; bin/test looks at the first, --all at each
LOOKS = [
    ("dark", "phone"),
    *(pytest.param(*each, marks=pytest.mark.slow) for each in (("light", "wide"), ("light", "tiny"))),
]


@pytest.fixture
def comment(moses):
    game = make_game(title=f"The {LONG} Game")
    comment = make_comment(
        player=make_player(username=LONG), game=game, body=f"{LONG}{LONG}\nhttps://x.example/{LONG}\nשלום עולם"
    )
    make_report(comment, words=LONG)
    for _ in range(26):
        make_comment(game=game)
    actions.reject(make_comment(), by=moses, reason="spam", note=LONG)
    outcome = actions.reject(comment, by=moses, reason="spam", note=LONG)
    actions.approve(outcome.done, by=moses)
    actions.warn(comment.player, by=moses, reason="spam", note=LONG)
    comment.player.refresh_from_db()
    actions.note(comment.player, by=moses, note=LONG)
    comment.player.refresh_from_db()
    actions.ban(comment.player, by=moses, reason="spam", reject_pending=False)
    flag = Flag.objects.get(name=BULK_ACTIONS)
    flag.everyone = True
    flag.save()
    return comment


PAGES = {
    "sign in": "/accounts/login/",
    "dashboard": "/manage/",
    "queue": "/manage/comments/?status=all",
    "empty": "/manage/comments/?q=zzzzzz",
    "wrong filter": "/manage/comments/?status=nonsense",
    "item": "/manage/comments/{pk}/",
    "verb": "/manage/comments/{pk}/reject/",
    "player": "/manage/players/{player}/",
    "ban": "/manage/players/{player}/ban/",
    "bans": "/manage/bans/?status=all",
    "no bans": "/manage/bans/?status=ending",
    "one ban": "/manage/bans/{ban}/",
    "bans panel": "/manage/bans/panel/",
    "panel": "/manage/comments/panel/?players_text=nobody&from=2026-02-02&to=2026-02-01",
    "several": "/manage/comments/?status=all&games={game}&players={player}",
    "narrowed": "/manage/comments/?status=all&game=The&reported=yes&order=newest",
    "meant": "/manage/comments/?q=WWWWWWWWWWWWWWWWWWWWWWWWWWWWWX",
    "preferences": "/manage/preferences/",
    "reasons": "/manage/reasons/",
    "reason": "/manage/reasons/{reason}/",
    "new reason": "/manage/reasons/new/",
    "edit a reason": "/manage/reasons/{reason}/edit/",
    "404": "/manage/nothing/",
    "403": "/manage/comments/",
    "sign out": "/accounts/logout/",
    "password": "/accounts/password/change/",
    "reset": "/accounts/password/reset/",
}


def who(name, moses):
    from console.testing import make_user

    if name in ("sign in", "reset"):
        return None
    if name in ("new reason", "edit a reason"):
        return User.objects.filter(username="una").first() or make_user("una", roles.SENIOR)
    return make_user("sam") if name == "403" else moses


def is_good(page, name="", **rules):
    """`name` is said when it is not."""
    options = {**RULES, "rules": {name.replace("_", "-"): {"enabled": on} for name, on in rules.items()}}
    violations = Axe().run(page, options=options).response["violations"]
    assert [(v["id"], [n["html"][:160] for n in v["nodes"]]) for v in violations] == [], name
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name


@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_every_page(open_as, moses, comment, allowed, theme, size):
    allowed |= {403, 404}
    reason = make_reason(code="w" * 32, label=LONG[:80], text=LONG, verbs=["comment.reject", "player.ban"])
    keys = {"reason": reason.pk, "ban": comment.player.bans.get().pk, "game": comment.game_id}
    keys |= {"pk": comment.pk, "player": comment.player_id}
    pages = {}
    for name, path in PAGES.items():  # in one browser for each person: a new world for each page takes longer than it
        person = who(name, moses)
        page = pages.get(person) or open_as(person, "/accounts/login/", color_scheme=theme, viewport=SIZES[size])
        pages[person] = page
        page.goto(path.format(**keys))
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        if name == "dashboard":
            page.get_by_text("The numbers as a table").click()
        is_good(page, name)


@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_every_state_of_the_queue(open_as, moses, lea, comment, allowed, theme, size):
    allowed |= {409, 422}
    page = open_as(moses, color_scheme=theme, viewport=SIZES[size])
    first, second = page.get_by_role("article").nth(0), page.get_by_role("article").nth(1)
    first.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    is_good(page, target_size=False)  # the toast may cover half a button below it, which scrolling frees
    page.get_by_role("article").first.get_by_role("link", name="Reject").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Reject").click()
    expect(page.locator("#form-errors")).to_be_focused()
    is_good(page)
    dialog.get_by_role("link", name="Cancel").click()
    pk = second.get_attribute("data-item").rpartition("-")[2]
    actions.approve(Comment.objects.get(pk=pk), by=lea)
    second.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("lea approved this comment").first).to_be_visible()
    is_good(page, target_size=False)


@pytest.mark.slow
@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_dialogs_bars_and_offers(open_as, moses, lea, comment, allowed, theme, size):
    allowed.add(422)
    page = open_as(moses, color_scheme=theme, viewport=SIZES[size])
    dialog = page.get_by_role("dialog")
    page.get_by_role("link", name="Ban player").first.click()
    expect(dialog).to_be_visible()
    is_good(page)
    dialog.get_by_role("button", name="Ban player").click()
    expect(page.locator("#form-errors")).to_be_focused()
    is_good(page)
    dialog.get_by_role("link", name="Cancel").click()
    page.get_by_role("link", name="Filters").click()
    expect(dialog.get_by_role("searchbox").first).to_be_visible()
    is_good(page)
    dialog.get_by_role("searchbox", name="Several players").click()
    page.keyboard.type("WW")
    page.get_by_role("option", name=LONG).click()
    is_good(page)
    dialog.get_by_role("link", name="Cancel").click()
    page.get_by_role("link", name="Select all shown").click()
    expect(page.get_by_role("form", name="What was ticked")).to_be_visible()
    is_good(page, target_size=False)  # the bar may cover half a button below it, which scrolling frees
    page.get_by_role("form", name="What was ticked").get_by_role("button", name="Reject").click()
    expect(dialog).to_be_visible()
    is_good(page)
    dialog.get_by_role("link", name="Cancel").click()
    make_comment()
    live.bump()
    expect(page.get_by_role("link", name="1 new, load")).to_be_visible(timeout=15_000)
    is_good(page, target_size=False)


def test_targets_are_big_enough_for_thumbs(open_as, moses, comment):
    page = open_as(moses, viewport=SIZES["phone"], has_touch=True, is_mobile=True)
    seen = "all => all.filter(e => !e.classList.contains('vh'))"
    small = page.locator("button:visible, .btn:visible, .nav__item:visible").evaluate_all(
        f"""{seen}.map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
        .filter(([, box]) => box.height < 44 || box.width < 44).map(([html]) => html)"""
    )
    assert small == []
    fonts = page.locator("input:not([type=radio], [type=checkbox]):visible, select:visible").evaluate_all(
        f"{seen}.map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(fonts) >= 16  # below, phones zoom in on focus
