"""The services that tests run on, for real: started before Django's settings load, gone when pytest ends.

One database is migrated and serves as template; each pytest process gets a copy, and so does each test that must
commit, since the ledger refuses TRUNCATE. With DATABASE_URL and REDIS_URL set, those servers are used instead.
"""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from project import embedded

ROOT = Path(__file__).resolve().parent.parent
URLS = ("DATABASE_URL", "DATABASE_OWNER_URL")
_services = None


def _named(url, name):
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def environment(name):
    """Environment variables under which a console works on the test database `name`; limits are not in the way."""
    urls = {url: _named(os.environ[f"ATTENDANT_TEST_{url}"], name) for url in URLS}
    return {"RATE_LIMITS": "x1000", **urls}


def _admin():
    """A connection of the owner's that may create and drop databases."""
    return psycopg.connect(os.environ["ATTENDANT_TEST_DATABASE_OWNER_URL"], autocommit=True)


def create_database(name, template=None):
    """A new database as migrations make it, or a copy of `template`, to which nobody may be connected."""
    drop_database(name)
    template = template or os.environ["ATTENDANT_TEST_TEMPLATE"]
    with _admin() as connection:  # copied as files it takes a fifth of what writing it to the log takes
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')


def drop_database(name):
    """Ends its connections and drops it; waits for autovacuum, which only a superuser may end."""
    for attempt in range(50):
        try:
            with _admin() as connection:
                connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            return
        except psycopg.errors.InsufficientPrivilege:
            if attempt == 49:
                raise
            time.sleep(0.1)


def _manage(*command):
    environ = {**os.environ, **environment(os.environ["ATTENDANT_TEST_TEMPLATE"])}
    done = subprocess.run([sys.executable, ROOT / "manage.py", *command], env=environ, capture_output=True, text=True)
    if done.returncode:
        raise pytest.UsageError(f"manage.py {command[0]} failed:\n{done.stdout}{done.stderr}")


def _start():
    """In the process that leads: services, template database, collected static files."""
    global _services
    state = Path(tempfile.mkdtemp(prefix="attendant-test-"))
    os.environ["ATTENDANT_STATE"] = str(state)
    os.environ["DEMO"] = "1"
    if not os.environ.get("DATABASE_URL"):
        _services = embedded.Services(state / "services", throwaway=True)
        _services.start()
        os.environ.update(embedded.addresses(_services.state))
    for url in URLS:
        os.environ[f"ATTENDANT_TEST_{url}"] = os.environ.get(url) or os.environ["DATABASE_URL"]
    os.environ["ATTENDANT_TEST_TEMPLATE"] = f"attendant_test_{secrets.token_hex(4)}"
    with _admin() as connection:
        connection.execute(f'CREATE DATABASE "{os.environ["ATTENDANT_TEST_TEMPLATE"]}"')
    _manage("migrate", "--verbosity", "0")
    _manage("collectstatic", "--no-input", "--verbosity", "0")


def is_leader():
    return "PYTEST_XDIST_WORKER" not in os.environ


def own_database():
    """The name of this pytest process's database."""
    return f"{os.environ['ATTENDANT_TEST_TEMPLATE']}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config, parser, args):
    if is_leader():
        try:
            _start()
        except BaseException:
            _stop()
            raise
    os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
    os.environ.update(environment(own_database()))
    return (yield)


def pytest_unconfigure(config):
    if is_leader():
        _stop()


def _stop():
    """Drops what was made and stops what was started; safe to call when the start failed half way."""
    global _services
    template = os.environ.get("ATTENDANT_TEST_TEMPLATE")
    if template and _services is None:
        with _admin() as connection:
            names = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [template])
        for (name,) in names.fetchall():
            drop_database(name)
    if _services:
        _services.stop()
        _services = None
    shutil.rmtree(os.environ.get("ATTENDANT_STATE", ""), ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker):
    create_database(own_database())
    yield
    with django_db_blocker.unblock():
        _close_connections()
    drop_database(own_database())


def _close_connections():
    """Of every alias, and its pool: those opened before a browser ran are not listed while one does."""
    from django.db import connections

    for alias in connections:
        connections[alias].close()
        connections[alias].close_pool()


@contextmanager
def working_on(name, **server):
    """Points Django at another database for a while (`server`: settings that lead to it where it is another server);
    threads started inside see it too.
    """
    from django.db import connections

    before = {alias: dict(connections.settings[alias]) for alias in connections.settings}
    _close_connections()
    for alias in before:
        connections[alias].settings_dict.update(server, NAME=name)
    try:
        yield
    finally:
        _close_connections()
        for alias, old in before.items():
            connections[alias].settings_dict.update(old)


@pytest.fixture
def committed_db(django_db_setup, django_db_blocker):
    """A database of its own for a test that must commit: threads, owner's rights, servers. Yields its name."""
    name = f"{own_database()}_own"
    create_database(name)
    with django_db_blocker.unblock(), working_on(name):
        yield name
    drop_database(name)
