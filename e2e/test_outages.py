"""A page that stays open while PostgreSQL or Redis is away: at most one alert, badges say "–", well again by itself."""

import pytest
from playwright.sync_api import expect

from moderation.testing import make_comment
from project.tests.outage import QUEUE, forget_connections, outage, shared_outage  # noqa: F401

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]
FAILED = "Failed to load resource: the server responded with a status of 503"
AWAY_S = 20


@pytest.fixture(scope="session")
def base_url():
    """None: the console that is broken here is not the one of the other tests."""


@pytest.fixture(autouse=True)
def world():
    """Nothing but the outage's."""


@pytest.fixture
def page_of_lea(outage, browser, guard, allowed):  # noqa: F811
    """The queue as she has it open, its clock in our hands; `page.alerts` counts what appeared in #alert."""
    allowed.add(FAILED)
    make_comment()
    url = f"http://127.0.0.1:{outage.port}"
    context = browser.new_context(base_url=url)
    cookies = {"sessionid": outage.visitor("lea").cookies["sessionid"]}
    forget_connections()
    context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])
    page = guard(context.new_page())
    page.goto(QUEUE)
    page.evaluate("""() => { window.alerts = 0; new MutationObserver(
        changes => { window.alerts += changes.filter(change => change.addedNodes.length).length; }
    ).observe(document.getElementById("alert"), {childList: true}); }""")
    yield page
    context.close()


def badge(page):
    return page.locator("[data-badge=comments]").first


def stays_calm(page, polls, seconds=AWAY_S):
    page.wait_for_timeout(1000 * seconds)
    assert page.evaluate("window.alerts") <= 1
    assert 1 <= len(polls) <= seconds / 4, "it backs off"


@pytest.mark.parametrize("service", ["postgres", "valkey"])
def test_an_open_page_stays_calm_and_recovers_by_itself(outage, page_of_lea, service):  # noqa: F811
    page, polls = page_of_lea, []
    expect(badge(page)).not_to_contain_text("–")
    page.on("request", lambda request: "/manage/live/" in request.url and polls.append(request))
    outage.valkey.ask().flushall()  # polls could be answered without PostgreSQL for as long as nothing changes
    getattr(outage, service).freeze()
    stays_calm(page, polls)
    expect(badge(page)).to_contain_text("–")
    getattr(outage, service).thaw()
    expect(badge(page)).not_to_contain_text("–", timeout=70_000)
    assert page.evaluate("window.alerts") <= 1
    page.get_by_role("button", name="Approve").first.click()
    expect(page.get_by_role("article").filter(has=page.locator("[data-state=approved]"))).to_have_count(0)
