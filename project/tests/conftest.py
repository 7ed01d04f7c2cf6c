"""Fixtures of the tests that break consoles."""

from project.tests.rig import rig, shared_rig  # noqa: F401
