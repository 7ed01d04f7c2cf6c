"""Takes the README's picture of a running demo:  .venv/bin/python e2e/pictures.py http://127.0.0.1:8000/"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent


def main(url):
    password = (ROOT / ".attendant/demo.txt").read_text().split()[1]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce", base_url=url)
        page.goto("accounts/login/")
        page.locator("[name=login]").fill("moderator")
        page.locator("[name=password]").fill(password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/manage/")
        page.goto("manage/comments/?order=reported")
        page.get_by_role("article").first.get_by_role("button", name="Approve").click()
        page.get_by_role("button", name="Undo").wait_for()
        page.screenshot(path=ROOT / "docs/queue.png")
        page.get_by_role("button", name="Undo").click()
        page.get_by_text("is pending again").first.wait_for()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
