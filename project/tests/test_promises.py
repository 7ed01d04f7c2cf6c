"""docs/security.md names a test for each promise; a promise whose test is gone is none."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINES = (ROOT / "docs/security.md").read_text().splitlines()
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", "\n".join(LINES))))


@cache
def source(path):
    return (ROOT / path).read_text()


@pytest.mark.parametrize(("path", "test"), NAMED)
def test_every_promise_has_its_test(path, test):
    assert re.search(rf"^(async )?def {test}\(", source(path), flags=re.MULTILINE)


def test_every_line_of_a_table_names_one():
    rows = [line for line in LINES if line.startswith("| ") and not line.startswith(("| expectation", "| ---"))]
    assert [row for row in rows if not re.search(r"`[\w/]+\.py::\w+`", row)] == []
