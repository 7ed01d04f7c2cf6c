"""Fixtures of several files, most of tests that break consoles."""

from console.tests.seals import twelve  # noqa: F401
from project.tests.rig import rig, shared_rig  # noqa: F401
