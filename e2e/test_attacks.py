"""Attacks from attacks.py come in by every field there is; then each role opens every page: nothing of them runs,
nothing is asked of anybody else, nothing is sent, and the policy has nothing to report.
"""

import io
import re
from collections import Counter, deque
from urllib.parse import quote, urlencode, urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import Resolver404, resolve, reverse
from playwright.sync_api import expect
from waffle.testutils import override_flag

from console import roles
from console.models import (
    Attempt,
    Delivery,
    Entry,
    Event,
    Export,
    Flag,
    Gesture,
    Job,
    Received,
    Source,
    Switch,
    Token,
    User,
    Webhook,
)
from console.testing import (
    PASSWORD,
    Person,
    form,
    make_export,
    make_received,
    make_source,
    make_token,
    make_user,
    undo_form,
)
from console.webhooks.testing import make_webhook
from e2e.attacks import ALL, ATTACKS, rows, zip_of
from games.models import Build, Finding, Game, StageRun
from games.testing import make_build, make_game
from moderation.models import Ban, Comment, Player, Reason, Report
from moderation.testing import make_reason
from project.testing import create_database, drop_database, own_database, working_on
from project.tests import exportroutes, labsroutes, opsroutes, routesapart, webhookroutes
from project.tests.test_routes import ALONE, MAILS, MATRIX, ON_BANS, ON_BUILDS, ON_GAMES, ON_PLAYERS, ON_REASONS, routes

NICE = [text.replace("\0", "") for text in ATTACKS]
LISTS = [f"/manage/{name}/" for name in ("comments", "players", "bans", "games", "ledger", "staff")]
FILTERS = [
    *("status", "game", "player", "games_text", "players_text", "reported", "author", "tag", "verb", "actor", "target"),
    *("reason", "network", "batch", "from", "to", "order", "joined_from", "seen_to", "after", "next", "per"),
]
ROLES = {
    "moses": [roles.MODERATOR],
    "lea": [roles.SENIOR],
    "rita": [roles.PUBLISHER],
    "ann": [roles.AUDITOR],
    "olga": [],
}
WATCH = """
addEventListener("securitypolicyviolation", e => __xss(`policy: ${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
"""


@pytest.fixture(scope="module")
def attacked(django_db_setup, django_db_blocker, tmp_path_factory):
    """The name of a database with every attack in every field: made once, since it takes as long as looking at it."""
    name = f"{own_database()}_attacked"
    create_database(name)
    with django_db_blocker.unblock(), working_on(name):
        store(tmp_path_factory.mktemp("attacked"))
    yield name
    drop_database(name)


@pytest.fixture
def prepared(attacked):
    return attacked


@pytest.fixture
def stored(world):
    return {name: User.objects.get(username=name) for name in ROLES}


def make_staff():
    """The cast, each named for an attack of their own."""
    cast = {}
    for number, (name, groups) in enumerate(ROLES.items()):
        names = {"first_name": NICE[number * 20][:150], "last_name": NICE[number * 8 + 21][:150]}
        cast[name] = make_user(name, *groups, is_superuser=name == "olga", **names)
    make_user(NICE[22][:150])
    return cast


def store(folder):
    """Attacks come in by import, by form, and by hand where only the portal could have sent them."""
    staff = make_staff()
    lea, rita = Person(staff["lea"]), Person(staff["rita"])
    file = folder / "attacks.jsonl"
    file.write_text("\n".join(rows()), encoding="utf-8")
    with pytest.raises(CommandError, match="Rejected 100 rows"):
        call_command("import_comments", str(file), stdout=io.StringIO(), stderr=io.StringIO())
    comments, players = list(Comment.objects.order_by("id")), list(Player.objects.order_by("id"))
    assert len(comments) == len(ATTACKS)  # the NUL is refused, "all of them" is one more
    games = play(players)
    for number, text in enumerate(NICE):
        Report.objects.create(comment=comments[number], player=players[number % 90], words=text)
        make_reason(label=text.strip()[:80] or "x", text=text[:1000])
    Comment.objects.update(report_count=1)
    Player.objects.filter(pk__in=[player.pk for player in players[:40]]).update(bio=ALL, email="attacked@evil.example")
    decide(lea, comments, players)
    upload(rita, games)
    connect()
    make_export(staff["lea"])
    for text in (NICE[0], ALL):
        opsroutes.make_job(error=text[:4000])


def play(players):
    """A game for each attack, some with builds that failed in its words."""
    games = []
    for number, text in enumerate(NICE):
        game = make_game(title=text[:200], description=ALL[:5000], author=players[number % 90], status=Game.DRAFT)
        game.tags.add(text[:40].strip() or "x")
        games.append(game)
        if number % 9 == 0:
            files = [[each[:200], 9, 1] for each in NICE]
            build = make_build(Build.FAILED if number % 2 else Build.READY, game, files=files, zip_name=text[:200])
            Build.objects.filter(pk=build.pk).update(error=ALL[:5000], state=build.state)
            StageRun.objects.create(build=build, name=Build.INSPECTED, attempt=1, worker=text[:100], error=ALL)
            found = [Finding(build=build, source=(each % 2 and "play") or "archive", code="x", path=NICE[each][:300],
                             sentence=f"{NICE[each]}"[:600]) for each in range(0, len(NICE), 4)]  # fmt: skip
            Finding.objects.bulk_create(found)
    return games


def decide(lea, comments, players):
    """Decisions whose notes are attacks, by the forms; each is done, as the ledger shows."""
    before = Gesture.objects.count()
    for place in range(12):
        note = "\n".join(NICE[place * 8 : place * 8 + 12])[:1000]
        comment, player = comments[place], players[20 + place]
        assert (
            lea.post(f"{comment.get_absolute_url()}reject/", form(comment, reason="spam", note=note)).status_code == 303
        )
        for verb in ("note", "warn", "ban"):
            player.refresh_from_db()
            data = form(player, reason="spam", note=note, expires="30d", reject_pending="off")
            assert lea.post(f"{player.get_absolute_url()}{verb}/", data).status_code == 303
    player = players[2]
    edited = form(player, username=NICE[1], email="x@evil.example", bio=ALL[:19_000], is_active="on")
    assert lea.post(f"{player.get_absolute_url()}edit/", edited).status_code == 303
    reason = undo_form(code="attacked", label=NICE[0], text="".join(NICE[22:40]), position=1)
    assert lea.post("/manage/reasons/new/", reason).status_code == 303
    banned = undo_form(network="198.51.100.7", reason="attacked", note=ALL[:1000], expires="7d", shown="")
    shown = re.search(r'name="shown" value="([^"]+)"', lea.post("/manage/bans/new/", banned).text)
    assert lea.post("/manage/bans/new/", banned | {"shown": shown[1] if shown else ""}).status_code in (303, 422)
    assert Gesture.objects.count() >= before + 50


def connect():
    """What operators call tokens, endpoints and sources, what was answered there, and what came of what came in."""
    for text in (NICE[0], NICE[22]):
        make_token(name=text[:80])
        webhook = make_webhook(name=text[:80])
        source = make_source(name=text[:80])
        for place, each in enumerate(NICE[:60:3]):
            delivery = webhookroutes.failed_delivery(webhook)
            Delivery.objects.filter(pk=delivery.pk).update(error=each[:200], code=500, attempts=1)
            Attempt.objects.create(delivery=delivery, number=1, code=500, answer=ALL[:4000], error=each[:200])
            told = {"about": each[:200], "error": each[:200], "state": Received.FAILED, "data": {"body": ALL}}
            make_received(source=source, message=f"{text[:20]}{place}", type=each[:60] or "x", **told)


def upload(rita, games):
    for number in (0, 24, 60):
        data = undo_form(title=NICE[number][:200], description=ALL[:5000], tags=f'"{NICE[22][:30]}"')
        name = NICE[number].replace("/", "\\")
        data["zip"] = SimpleUploadedFile(name or "x", zip_of(NICE[number]), "application/zip")
        assert rita.post("/manage/games/upload/", data).status_code in (303, 422)


@pytest.fixture
def canary(open_as, base_url, stored):
    """`canary(person)` gives a page and the list of what went wrong in it, which has to stay empty."""
    wrong = []

    def asked(request):
        parts = urlsplit(request.url)
        sandbox = parts.hostname.endswith(".play.localhost") and request.frame.parent_frame
        if not request.url.startswith(f"{base_url}/") and not sandbox and parts.scheme != "data":
            wrong.append(f"asked elsewhere: {request.url}")
        if request.method not in ("GET", "HEAD") or parts.path.startswith("/attacked"):
            wrong.append(f"sent: {request.method} {request.url}")

    def open_page(name):
        page = open_as(stored[name], "/manage/", user_agent="<script>__xss('agent')</script>")
        page.context.on("request", asked)
        page.expose_function("__xss", lambda *said: wrong.append(f"ran: {said}"))
        page.add_init_script(WATCH)
        page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("download", lambda download: wrong.append(f"download: {download.url}"))
        page.goto("/manage/", referer=f"{base_url}/?{quote(NICE[0])}")
        return page, wrong

    return open_page


def known(path):
    """What a path is a page of, as in urls.py; "" when it is none of ours."""
    try:
        return resolve(path).view_name
    except Resolver404:
        return ""


def addresses(place):
    """A page of each route for a row that holds attacks, beside what the pages link to; another for each place."""
    kinds = [(ON_PLAYERS, Player), (ON_BANS, Ban), (ON_REASONS, Reason), (ON_GAMES, Game), (ON_BUILDS, Build)]
    kinds += [({"console:undo", "console:entry"}, Entry), ({"console:staff_member"}, User)]
    kinds += [(opsroutes.ON_JOBS, Job)]
    kinds += [(labsroutes.ON_FLAGS, Flag), (labsroutes.ON_SWITCHES, Switch)]
    kinds += [(webhookroutes.ON_WEBHOOKS, Webhook), ({"console:delivery", "console:delivery_replay"}, Delivery)]
    kinds += [
        (exportroutes.ON_EXPORTS, Export),
        ({"console:event_replay"}, Event),
        ({"console:token", "console:revoke_token"}, Token),
    ]
    kinds += [({"console:received_event", "console:received_replay"}, Received)]
    kinds += [({f"console:source{name}" for name in ("", "_rotate", "_retire")}, Source)]
    for name in sorted(MATRIX):
        if name in ALONE | MAILS | routesapart.ALONE:
            yield reverse(name)
        elif not name.endswith("options"):
            model = next((model for names, model in kinds if name in names), Comment)
            keys = list(model.objects.order_by("id").values_list("pk", flat=True))
            yield from (reverse(name, args=[key]) for key in keys[(place + 1) % len(keys) :][:1])


def links(page):
    """Where the page leads, as a browser reads it."""
    leading = "[...document.querySelectorAll('a[href], [hx-get]')]"
    found = page.evaluate(f"{leading}.map(e => e.getAttribute('href') || e.getAttribute('hx-get'))")
    for link in found:
        parts = urlsplit(link)
        if not parts.netloc and not parts.path.startswith(("/accounts/logout", "/static")):
            yield f"{parts.path or urlsplit(page.url).path}?{parts.query}"


def crawl(page, starts):
    """Opens what is linked to, a page of each route and kind of query; returns `{route: how often}`."""
    seen, waiting, opened = set(), deque(starts), Counter()
    while waiting:
        url = waiting.popleft()
        path, _, query = url.partition("?")
        kind = (known(path) or path, *sorted({part.partition("=")[0] for part in query.split("&")} - {"next"}))
        if url in seen or opened[kind] or known(path).endswith(("options", "picture", "live")):
            continue
        seen.add(url)
        opened[kind] += 1
        response = page.goto(url, wait_until="load")
        assert response.status < 500, url
        if response.ok:
            waiting.extend(links(page))
    return Counter({name: sum(n for kind, n in opened.items() if kind[0] == name) for name in {k[0] for k in opened}})


# each crawl opens every page there is: one role in bin/test, all of them in bin/test --all
@pytest.mark.parametrize(
    ("who", "place"),
    [
        pytest.param("lea", 1, marks=pytest.mark.brief),
        *(pytest.param(who, place, marks=pytest.mark.slow) for place, who in enumerate(ROLES)),
    ],
)
def test_nothing_of_it_runs_on_any_page(canary, allowed, who, place):
    allowed |= {403, 404}
    page, wrong = canary(who)
    with override_flag("bulk_actions", active=True):
        opened = crawl(page, ["/manage/", *addresses(place)])
    assert wrong == []
    missed = {name for name, _ in routes() if name in MATRIX} - set(opened)
    assert {name.partition(":")[2] for name in missed} <= {"live", "options", "picture"}


@pytest.mark.slow
def test_nothing_runs_of_what_is_looked_for(canary, allowed):
    """Each attack as the search and as every filter of a list, in a path, and typed where lists search by htmx."""
    allowed |= {404, 414}
    page, wrong = canary("lea")
    for place, text in enumerate(NICE):
        asked = urlencode({"q": text[:200], **dict.fromkeys(FILTERS, text[:40])})
        assert page.goto(f"{LISTS[place % len(LISTS)]}?{asked}").status < 500
        if place % 6 == 0:
            assert page.goto(f"/manage/{quote(text[:200], safe='')}/").status < 500
    for path in LISTS[:3]:
        page.goto(path)
        for text in (NICE[0], NICE[22], NICE[42], NICE[46]):
            with page.expect_response(lambda response: "live=1" in response.url):
                page.locator("#q").fill(text)
            expect(page.locator(".htmx-request")).to_have_count(0)
    assert wrong == []


@pytest.mark.slow
def test_nothing_runs_of_what_htmx_swaps_in(canary, allowed):
    """The dialogs of the first cards of each list, and the names that fields suggest."""
    page, wrong = canary("lea")
    opened = 0
    for path in LISTS[:5]:
        page.goto(f"{path}?status=all&per=100")
        for place in range(0, min(page.locator("[hx-target='#dialog-body']").count(), 40), 4):
            page.locator("[hx-target='#dialog-body']").nth(place).dispatch_event("click")
            expect(page.locator("#dialog-body h1").first).to_be_attached()
            page.evaluate("document.getElementById('dialog').close()")
            expect(page.locator("#dialog-body > *")).to_have_count(0)
            opened += 1
    assert opened >= 25
    page.goto("/manage/comments/panel/")
    for text in ("<s", "</", '">'):
        with page.expect_response(re.compile("/suggest/")):
            page.locator("[name=player]").fill(text)
        expect(page.locator("#player-names option").first).to_be_attached()
    assert wrong == []


@pytest.mark.slow
def test_nothing_runs_of_what_is_typed_to_sign_in(canary, base_url, browser, allowed):
    _, wrong = canary("lea")
    page = browser.new_page(base_url=base_url)
    page.expose_function("__xss", lambda *said: wrong.append(f"ran: {said}"))
    page.add_init_script(WATCH)
    for text in (NICE[0], NICE[22], NICE[42], NICE[70]):
        page.goto(f"/accounts/login/?next={quote(text)}")
        page.locator("[name=login]").fill(text)
        page.locator("[name=password]").fill(PASSWORD[::-1])
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator(".field__error, .note").first).to_be_visible()
        assert page.locator("[name=login]").input_value() == text
    page.close()
    assert wrong == []


@pytest.mark.slow
@pytest.mark.parametrize("width", [320, 1440])
def test_no_text_breaks_the_page(open_as, stored, width):
    """Long words and piled marks stay in their box: no page scrolls sideways, whatever somebody wrote."""
    page = open_as(stored["lea"], "/manage/", viewport={"width": width, "height": 900})
    for path in [f"{path}?status=all&per=100" for path in LISTS] + sorted(map(str, pages_of_texts())):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def pages_of_texts():
    """Of each kind of row, the page of one that is long, and of one whose marks pile up."""
    long, piled = NICE[ATTACKS.index("A" * 5000)], next(text for text in NICE if text.startswith("z\u0301"))
    for text in (long, piled):
        yield Player.objects.get(username=text[:190]).get_absolute_url()
        yield Comment.objects.get(body=text).get_absolute_url()
        yield Game.objects.filter(title=text[:200]).first().get_absolute_url()
        yield Reason.objects.filter(label=text[:80]).first().get_absolute_url()
    yield Build.objects.order_by("id").last().get_absolute_url()
    yield Entry.objects.order_by("-id")[5].get_absolute_url()
