"""The page that shows what players are written."""

import re
from pathlib import Path

import pytest

from moderation.mails import drawing, samples, topics

PAGE = "/manage/mails/"


def test_it_says_that_mail_is_off_and_by_what_it_is_switched_on(olga, settings):
    assert "Mail is off: no player is written to." in olga.get(PAGE).text
    settings.PLAYER_MAIL = ["author", "game"]
    page = olga.get(PAGE).text
    assert "Written to: authors, authors of games." in page
    assert page.count('<span class="meta">on</span>') == sum(
        sample.group in ("author", "game") for sample in samples.every().values()
    )


@pytest.mark.parametrize("kind", ["banned", "comment_rejected", "report_stays"])
def test_each_mail_is_shown_as_text_and_as_html(ann, kind):
    page = ann.get(f"{PAGE}?mail={kind}").text
    assert samples.every()[kind].when in page
    (src,) = re.findall(r'<iframe[^>]*src="([^"]+)"', page)
    example = ann.get(src)
    subject, text, html = drawing.draw("ada", [samples.every()[kind].part], "https://console.example.org/mail/stop/…/")
    assert example.text == html
    assert text.splitlines()[2] in page
    assert subject in page


def test_what_is_none_of_them_shows_the_first(ann):
    assert '<h2 id="mail-h">Comments rejected</h2>' in ann.get(f"{PAGE}?mail=../settings").text


def test_the_example_may_do_nothing_and_only_our_page_frames_it(ann):
    response = ann.get(f"{PAGE}example/?mail=banned")
    policy = response["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline';")
    assert policy.endswith("frame-ancestors 'self'; sandbox")
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    page = ann.get(PAGE)
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    assert "unsafe" not in page["Content-Security-Policy"]


def test_there_is_an_example_of_every_mail_and_a_text_for_every_example(settings):
    texts = {path.stem for path in (Path(settings.BASE_DIR) / "templates/mail/player").glob("*.txt")}
    assert set(samples.every()) == texts
    assert {sample.group for sample in samples.every().values()} == set(topics.GROUPS)


@pytest.mark.parametrize("kind", sorted(samples.every()))
@pytest.mark.parametrize("number", [1, 3])
def test_every_mail_reads_well_with_one_and_with_several(kind, number, settings):
    settings.APPEAL_URL = "https://portal.example/appeals"
    part = samples.every()[kind].part
    drawn = topics.Part(part.kind, {**part.context, "number": number}, part.quotes)
    subject, text, html = drawing.draw("ada", [drawn])
    assert subject
    assert not re.search(r"\{\{|\{%|None|  |\n\n\n", subject + text)
    assert "{" not in re.sub(r'style="[^"]*"', "", html)
