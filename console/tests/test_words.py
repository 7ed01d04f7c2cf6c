"""The small words of templates."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.timesince import timesince
from hypothesis import given
from hypothesis import strategies as st

from console.templatetags.console import ago, ago_words

YEARS = 30 * 366 * 86_400


@given(seconds=st.integers(60, YEARS))
def test_ago_says_what_django_says(seconds):
    moment = timezone.now() - timedelta(seconds=seconds, microseconds=500_000)
    assert ago_words(moment) == f"{timesince(moment, depth=1)} ago"


@pytest.mark.parametrize("seconds", [0, 59, -5])
def test_what_was_a_moment_ago_is_just_now(seconds):
    assert ago_words(timezone.now() - timedelta(seconds=seconds)) == "just now"


def test_ago_says_the_moment_exactly_too():
    moment = timezone.now().replace(year=2026, month=1, day=31, hour=7, minute=5, second=9, microsecond=0)
    assert 'datetime="2026-01-31T07:05:09+00:00" title="2026-01-31 07:05 UTC"' in ago(moment)
    assert ago(None) == ""
