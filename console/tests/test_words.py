"""The small words of templates."""

from datetime import timedelta

import pytest
from django.utils import timezone

from console.templatetags.console import ago, ago_words


@pytest.mark.parametrize("seconds", [0, 59, -5])
def test_what_was_a_moment_ago_is_just_now(seconds):
    assert ago_words(timezone.now() - timedelta(seconds=seconds)) == "just now"


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        ({"minutes": 1}, "1 minute"),
        ({"hours": 5, "minutes": 50}, "5 hours"),
        ({"days": 13}, "1 week"),
        ({"days": 800}, "2 years"),
    ],
)
def test_the_largest_unit_is_enough(ago, words):
    assert ago_words(timezone.now() - timedelta(**ago)).replace("\xa0", " ") == f"{words} ago"


def test_ago_says_the_moment_exactly_too():
    moment = timezone.now().replace(year=2026, month=1, day=31, hour=7, minute=5, second=9, microsecond=0)
    assert 'datetime="2026-01-31T07:05:09+00:00" title="2026-01-31 07:05 UTC"' in ago(moment)
    assert ago(None) == ""
