"""A senior looks at the traffic and follows a bar to what it counts: by mouse, by keyboard, without JavaScript."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from console.traffic import counting
from e2e.test_looks import LOOKS, SIZES, is_good
from moderation.testing import make_comment, make_player

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def portal(lea):
    now = timezone.now()
    for number in range(3):
        make_comment(ip=f"198.51.100.{number}", created_at=now - timedelta(minutes=number))
    make_comment(ip="2001:db8:1234:5678:9abc:def0:1234:5678", created_at=now - timedelta(days=20))
    make_player(joined_at=now - timedelta(days=3))
    counting.run()


@pytest.mark.parametrize("script", [True, False])
def test_a_bar_and_a_line_of_the_table_lead_to_the_list(open_as, lea, portal, script):
    page = open_as(lea, "/manage/traffic/", viewport=PHONE, java_script_enabled=script)
    page.get_by_role("navigation", name="Period").get_by_role("link", name="30 days").click()
    expect(page.get_by_role("link", name="30 days")).to_have_attribute("aria-current", "page")
    expect(page.get_by_text("4 comments; none in the 30 days before.")).to_be_visible()
    picture = page.locator("figure", has_text="4 comments")
    picture.locator("svg a").last.click()
    expect(page.locator("#found")).to_have_text("3 comments")
    page.go_back()
    picture.get_by_text("The numbers as a table").click()
    picture.get_by_role("row", name="1", exact=False).get_by_role("link").first.click()
    expect(page.locator("#found")).to_have_text("1 comment")


@pytest.mark.parametrize("script", [True, False])
def test_days_are_typed_and_mistakes_are_said(open_as, lea, portal, allowed, script):
    allowed.add(422)
    page = open_as(lea, "/manage/traffic/", java_script_enabled=script)
    for first, last in (("2026-02-01", "2026-01-01"), ("2026-01-01", "2026-01-02")):
        page.get_by_label("From", exact=True).fill(first)
        page.get_by_label("To", exact=True).fill(last)
        page.get_by_role("button", name="Apply").click()
        if first > last:
            expect(page.get_by_text("The last day is before the first.")).to_be_visible()
            expect(page.get_by_label("From", exact=True)).to_have_value(first)
    expect(page.get_by_text("What came from 01 Jan 2026 to 02 Jan 2026")).to_be_visible()


@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_it_looks_as_it_should(open_as, lea, portal, theme, size):
    page = open_as(lea, "/manage/traffic/?period=30d", color_scheme=theme, viewport=SIZES[size])
    for summary in page.get_by_text("The numbers as a table").all():
        summary.click()
    is_good(page, "traffic")
