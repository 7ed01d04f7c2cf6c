"""Fixtures of several files."""

from console.tests.seals import twelve  # noqa: F401
