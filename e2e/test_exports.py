"""A list with many rows is written and fetched, with and without JavaScript."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import expect

from console import jobs
from console.models import Entry, Job
from console.testing import make_export
from e2e.test_looks import LOOKS, SIZES, is_good
from moderation.testing import make_player


@pytest.mark.parametrize("scripts", [True, False])
def test_an_export_is_written_while_its_owner_looks_on_and_is_fetched(open_as, lea, scripts):
    make_player(username="kit")
    export = make_export(lea, is_ready=False, source="players")
    page = open_as(lea, export.get_absolute_url(), java_script_enabled=scripts)
    expect(page.get_by_role("heading", name="Players as CSV")).to_be_visible()
    jobs.work(export.job_id)
    if not scripts:
        page.reload()
    with page.expect_download() as download:
        page.get_by_role("button", name="Fetch the file").click()
    assert download.value.suggested_filename.startswith("players-")
    assert "kit" in Path(download.value.path()).read_text()
    assert Entry.objects.filter(verb="export.hand_out").count() == 1


def test_an_export_that_is_not_wanted_is_cancelled(open_as, lea):
    with transaction.atomic():
        export = make_export(lea, is_ready=False, source="players")
        Job.objects.filter(pk=export.job_id).update(due_at=timezone.now() + timedelta(hours=1))  # no worker is quicker
    page = open_as(lea, export.get_absolute_url())
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("It was cancelled, and nothing of it was kept.")).to_be_visible()


@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_the_pages_of_exports_in_every_look(open_as, lea, theme, size):
    page = open_as(lea, "/manage/exports/", color_scheme=theme, viewport=SIZES[size])
    is_good(page, "none")
    open_, ready = make_export(lea, is_ready=False, source="players"), make_export(lea)
    for url in ("/manage/exports/", open_.get_absolute_url(), ready.get_absolute_url()):
        page.goto(url)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        is_good(page, url)
