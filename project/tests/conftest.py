"""Fixtures of several files, most of tests that break consoles."""

from console.tests.seals import twelve  # noqa: F401
from project.tests.front import front  # noqa: F401
from project.tests.outage import outage, shared_outage  # noqa: F401
from project.tests.rig import rig, shared_rig  # noqa: F401
