"""The console refuses to start where it would be unsafe, and says what to set."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "DATABASE_URL": "postgresql://a:b@localhost/c?sslmode=require",
    "REDIS_URL": "redis://localhost/0",
    "SECRET_KEY": "".join(map(chr, range(48, 122))),
    "ALLOWED_HOSTS": "console.example.org",
}


def settings(**environment):
    environ = {
        k: v
        for k, v in os.environ.items()
        if k not in PRODUCTION and not k.startswith(("ATTENDANT", "DEMO", "DATABASE_OWNER"))
    }
    code = "from project import settings as s; print(s.SESSION_COOKIE_SECURE, s.DATABASES['default']['OPTIONS'])"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env={**environ, **environment}, capture_output=True, text=True)


def test_production_is_strict_and_passes_database_options_on():
    done = settings(**PRODUCTION)
    assert done.returncode == 0, done.stderr
    assert "True" in done.stdout
    assert "'sslmode': 'require'" in done.stdout
    assert "-c role=attendant_app" in done.stdout


@pytest.mark.parametrize("missing", ["REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS"])
def test_a_missing_setting_stops_it(missing):
    done = settings(**{name: value for name, value in PRODUCTION.items() if name != missing})
    assert done.returncode
    assert f"{missing} is empty" in done.stderr


def test_embedded_services_are_for_the_demo_only():
    done = settings()
    assert "embedded services are for the demo only" in done.stderr


def test_check_deploy_is_silent():
    environ = {**os.environ, **PRODUCTION, "DEMO": "0"}
    environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # the browser tests' own
    command = [sys.executable, ROOT / "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("process", "limit"), [("web", "5000"), ("worker", "60000"), ("", "0")])
def test_each_kind_of_process_has_its_own_patience(process, limit):
    done = settings(**PRODUCTION, ATTENDANT_PROCESS=process)
    assert f"-c statement_timeout={limit} -c lock_timeout=2000 " in done.stdout
    idle = 10_000 if process == "web" else 60_000
    assert f"-c idle_in_transaction_session_timeout={idle}'" in done.stdout


def test_a_production_env_file_never_becomes_a_demo(tmp_path):
    """Not even where a demo was started before: the file is read before that is decided."""
    for folder in ("project", "console", "moderation", "games"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "manage.py", tmp_path)
    (tmp_path / ".attendant").mkdir()
    (tmp_path / ".attendant" / "demo.txt").write_text("moderator\tx\n")
    (tmp_path / ".env").write_text("".join(f"{name}={value!r}\n" for name, value in PRODUCTION.items()))
    hidden = (*PRODUCTION, "DATABASE_OWNER_URL", "DEMO", "ATTENDANT_STATE")
    environ = {name: value for name, value in os.environ.items() if name not in hidden}
    command = [sys.executable, tmp_path / "manage.py", "diffsettings"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert "\nDEMO = False" in done.stdout, done.stderr
    assert "\nSESSION_COOKIE_SECURE = True" in done.stdout
