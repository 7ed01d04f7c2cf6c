"""Bodies as staff see them: nothing hides, nothing runs, nothing can be clicked."""

import time

import pytest

from console.text import host_of, lay_open, lay_open_name, lay_open_plain, spelled


@pytest.mark.parametrize(
    ("body", "link"),
    [
        ("see http://x.example/a?b=1&c", "http://x.example/a?b=1&amp;c"),
        ("www.spam.test now", "www.spam.test"),
        ("earnfast.example/start", "earnfast.example/start"),
        ("go to skins.gg ok", "skins.gg"),
        ("HTTPS://SHOUT.example", "HTTPS://SHOUT.example"),
        ("javascript://alert(1)", "javascript://alert(1)"),
    ],
)
def test_links_are_marked_and_lead_nowhere(body, link):
    html = lay_open(body)
    assert f'<span class="link">{link}</span>' in html
    assert "href" not in html


@pytest.mark.parametrize("body", ["ok. good", "e.g. this", "v1.2.3", "what?no", "so good.but hard", "3.5/10"])
def test_sentences_are_no_links(body):
    assert lay_open(body) == body


@pytest.mark.parametrize(
    ("char", "shown"),
    [
        ("\u200b", "U+200B"),
        ("\u202e", "U+202E"),
        ("\u2066", "U+2066"),
        ("\u00ad", "U+00AD"),
        ("\u200d", "U+200D"),
        ("\ufeff", "U+FEFF"),
        ("\u3164", "U+3164"),
        ("\x00", "U+0000"),
        ("\x1b", "U+001B"),
        ("\U000e0041", "U+E0041"),
        ("\u034f", "U+034F"),
        ("\u17b4", "U+17B4"),
        ("\ufe00", "U+FE00"),
        ("\U000e0101", "U+E0101"),
    ],
)
def test_what_cannot_be_seen_is_shown(char, shown):
    html = lay_open(f"a{char}b")
    assert char not in html
    assert f">{shown}</span>" in html


@pytest.mark.parametrize(
    "body", ["👨‍👩‍👧 ❤️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "می‌خواهم", "क्‍ष", "tab\there", "ünï→çödé 👍🏽", "1️⃣ ©️", "葛\U000e0101"]
)
def test_good_spelling_is_left_alone(body):
    assert lay_open(body) == body


def test_smuggled_letters_are_shown():
    flag = "\U0001f3f4\U000e0068\U000e0069\U000e007f"
    assert "U+E0068" in lay_open(flag)
    assert "U+E0100" in lay_open("😀\U000e0100\U000e0101")


def test_what_comes_in_a_row_is_said_once_and_long_texts_are_cut():
    assert lay_open("a" + "\u200b" * 500).endswith(">U+200B ×500</span>")
    assert lay_open("word " * 1000, 700).endswith('… <span class="meta">and 4,300 characters more</span>')


@pytest.mark.parametrize("name", ["\u200b", " ", "", "\u202ekit"])
def test_every_name_has_something_to_see(name):
    assert "U+" in lay_open_name(name) or "no name" in lay_open_name(name)


def test_everything_is_escaped_and_lines_break():
    html = lay_open('<b>\r\nhttp://x.example/"><script>\n&amp;\u200b<i>')
    assert "<script" not in html
    assert "<i>" not in html
    assert html.count("<br>") == 2
    assert "&amp;amp;" in html


@pytest.mark.parametrize(
    "part", ["a.", "http://", "a.b/", "-", "www.", "\u200b", "\u200b\u200c", "a.a-", "a" * 60 + "."]
)
def test_long_bodies_take_no_long(part):
    body = part * (20_000 // len(part))
    started = time.process_time()
    lay_open(body)
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("link", "host"),
    [
        ("https://good.example@evil.example/x", "evil.example"),
        ("https://good.example:80@evil.example:81", "evil.example"),
        ("https://good.example\\@evil.example", "good.example"),
        ("https:////evil.example/", "evil.example"),
        ("https://аpple.example", "xn--pple-43d.example"),
        ("http://ｅvil。example/", "evil.example"),
        ("http://ev\u200bil.example", "evil.example"),
        ("http://ev%69l.example/", "evil.example"),
        ("http://2130706433/", "127.0.0.1"),
        ("http://0x7f.1", "127.0.0.1"),
        ("http://[::1]:80/x", "[::1]"),
        ("GOOD.example/x", "good.example"),
        ("javascript://good.example/%0aalert(1)", ""),
    ],
)
def test_the_host_of_a_link_is_where_a_browser_goes(link, host):
    assert host_of(link) == host


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("https://good.example@evil.example/", "(leads to evil.example)"),
        ("https://аpple.example", "(leads to xn--pple-43d.example)"),
        ("http://2130706433/", "(leads to 127.0.0.1)"),
        ("https://good.example/@evil.example", None),
        ("https://GOOD.example:8000/?q", None),
        ("http://x.example, and", None),
    ],
)
def test_a_link_that_reads_like_another_is_said_to_lead_elsewhere(body, said):
    html = lay_open(body)
    assert (said in html) if said else ("leads to" not in html)
    assert "href" not in html


@pytest.mark.parametrize("mark", ["\u0301", "\u0489", "\u0e47", "\u064b", "\u20dd", "\u0301\u0353"])
def test_marks_do_not_pile_up(mark):
    body = f"z{mark * 40} algo"
    for shown in (lay_open(body), lay_open_plain(body), spelled(body)):
        assert sum(shown.count(char) for char in mark) == 4
        assert f"+{40 * len(mark) - 4} marks" in shown


@pytest.mark.parametrize("word", ["Việt", "Vie\u0323\u0302t", "ที่นี้", "शान्ति", "בְּרֵאשִׁ֖ית", "مُحَمَّدٌ", "བསྒྲུབས", "ខ្ញុំ"])
def test_no_language_piles_up_more(word):
    assert lay_open(word) == spelled(word) == word


def test_a_sentence_names_what_cannot_be_seen():
    assert spelled("kit\u202ety\u200b\u200b") == "kit[U+202E]ty[U+200B ×2]"
    assert spelled("two\nlines\x1b[2J") == "two lines[U+001B][2J"


def test_what_cannot_be_seen_has_a_name_for_those_who_listen():
    assert 'role="img" aria-label="zero width space"' in lay_open_plain("a\u200bb")
