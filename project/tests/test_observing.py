"""What developers add for themselves is no part of a console; and what is told of requests is documented."""

import os
import re
import subprocess
import sys

import pytest

from project.tests.test_settings import PRODUCTION, ROOT

ASK = "from project import settings as s; print([each for each in s.INSTALLED_APPS if each in s.DEVELOPMENT_APPS])"
PAGE = (ROOT / "docs/observing.md").read_text()


def apps(folder, **more):
    environ = {**os.environ, **PRODUCTION, "DEMO": "0", "PYTHONPATH": str(folder), **more}
    done = subprocess.run([sys.executable, "-c", ASK], cwd=ROOT, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(("debug", "there"), [("0", "[]"), ("1", "['debug_toolbar', 'silk']")])
def test_development_extras_need_debug_and_are_not_even_loaded_without(tmp_path, debug, there):
    for name in ("silk", "debug_toolbar"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('loaded')")
    assert apps(tmp_path, DEBUG=debug) == there


def test_where_they_are_not_installed_debug_does_without(tmp_path):
    assert apps(tmp_path, DEBUG="1") == "[]"


def test_every_metric_is_documented():
    source = (ROOT / "console/metrics.py").read_text()
    names = set(re.findall(r'_(?:gauge|counter)\("(\w+)"', source)) | set(re.findall(r'"attendant_(\w+)"', source))
    names |= set(re.findall(r'^        \("(\w+)", "', source, flags=re.MULTILINE))
    assert len(names) >= 15
    assert {name for name in names if f"`attendant_{name}" not in PAGE} == set()


def test_every_setting_of_it_is_in_the_example():
    asked = set(re.findall(r'env\.\w+\("([A-Z_]+)"', (ROOT / "project/observing.py").read_text()))
    assert {name for name in asked if f"# {name}=" not in (ROOT / ".env.example").read_text()} == set()
