"""Tests that break services or start whole consoles run one after the other: the scheduler keeps groups together."""

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="one process runs all of them anyway")
@pytest.mark.xdist_group("a group")
def test_the_scheduler_is_told_of_groups(request):
    assert request.node.nodeid.endswith("@a group"), "pytest and pytest-xdist do not go together: see pyproject.toml"
