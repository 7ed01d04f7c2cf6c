#!/usr/bin/env python
"""Django's command line, with our settings.

In a checkout whose demo was started once, commands work on the demo's data: with `up` running on its services,
else on services started for the length of the command.
"""

import os
import sys
from contextlib import nullcontext
from pathlib import Path

import environ

from project import embedded

HERE = Path(__file__).resolve().parent
STATE = embedded.state_dir(HERE)
NEEDS_NO_SERVICE = {"up", "help", "check", "collectstatic", "makemigrations"}


def services(command):
    """A context in which the demo's services run, if this is the demo and the command needs them."""
    if os.environ.get("DATABASE_URL") or not (command == "up" or (STATE / "demo.txt").exists()):
        return nullcontext()
    os.environ.setdefault("DEMO", "1")
    if command in NEEDS_NO_SERVICE or "--help" in sys.argv:
        return nullcontext()
    return nullcontext() if embedded.is_running(STATE) else embedded.Services(STATE)


if __name__ == "__main__":
    environ.Env.read_env(HERE / ".env")  # before it is decided whether this is the demo
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    from django.core.management import execute_from_command_line

    with services(sys.argv[1] if len(sys.argv) > 1 else "help"):
        execute_from_command_line(sys.argv)
