"""A real console for the browser: gunicorn on its own database, emptied before each test, and a guard that fails
a test on any console error. With --base-url the tests marked `deployed` run against that console instead.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest
from django.core.cache import caches
from playwright.sync_api import expect

from project.embedded import die_with_parent
from project.management.commands.up import answers, listen
from project.testing import ROOT, create_database, drop_database, environment, own_database, working_on

expect.set_options(timeout=15_000)  # a machine that does much else is slow, not wrong

# Playwright's loop runs in this thread; the ORM is used between its steps, never during one
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
FLAGS = "--no-sandbox --disable-background-networking --disable-quic --no-first-run --disable-component-update"
QUEUE = "/manage/comments/"


@pytest.fixture(scope="session")
def base_url(request):
    """The deployed console's address, or that of one started for this pytest process."""
    given = request.config.getoption("base_url")
    if given:
        yield given.rstrip("/")
        return
    name = f"{own_database()}_e2e"
    create_database(name)
    with serving(name) as url:
        yield url
    drop_database(name)


@contextmanager
def serving(name, **more):
    """A console on that database, as `up` starts one; `more` goes to its environment. Gives its address."""
    listener = listen("127.0.0.1", 8500)
    command = [sys.executable, "-m", "gunicorn", "project.wsgi", "--bind", f"fd://{listener.fileno()}"]
    command += ["--workers", "2", "--worker-class", "gthread", "--threads", "4"]
    command += ["--no-control-socket", "--log-level", "warning"]
    environ = {**os.environ, **environment(name), **more}
    del environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    environ["DATABASE_WAIT_S"] = "20"  # busy machines are slow to make connections; faults have tests of their own
    environ["PREVIEW_ORIGIN"] = f"http://{{build}}.play.localhost:{listener.getsockname()[1]}"
    fds = [listener.fileno()]
    server = subprocess.Popen(command, cwd=ROOT, env=environ, pass_fds=fds, preexec_fn=die_with_parent())
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    while not answers(f"{url}/"):
        assert server.poll() is None, "the web server ended"
    yield url
    server.send_signal(signal.SIGTERM)
    server.wait(30)
    listener.close()


@pytest.fixture(scope="session")
def worker(base_url):
    """Those who do background work, as `up` starts them, for tests that wait for some."""
    name = f"{own_database()}_e2e"
    environ = {**os.environ, **environment(name)}
    del environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    celery = [sys.executable, "-m", "celery", "--app", "project.celery", "--quiet"]
    schedule = f"{os.environ['ATTENDANT_STATE']}/beat-{name}"
    commands = [["worker", "--queues", "default,uploads,webhooks", "--concurrency", "2", "--hostname", f"{name}@%h"]]
    commands += [["beat", "--schedule", schedule, "--pidfile", ""]]
    running = [
        subprocess.Popen(
            [*celery, *command, "--loglevel", "ERROR"], cwd=ROOT, env=environ, preexec_fn=die_with_parent()
        )
        for command in commands
    ]
    yield
    for process in running:
        process.send_signal(signal.SIGTERM)
    for process in running:
        process.wait(30)


@pytest.fixture
def prepared():
    """The name of a database that tests of a file begin with a copy of; None: an empty portal."""


@pytest.fixture(autouse=True)
def world(request, base_url, prepared, django_db_setup, django_db_blocker):
    """A portal for each test, shared by the test and the server."""
    if request.config.getoption("base_url"):
        if not request.node.get_closest_marker("deployed"):
            pytest.skip("makes its own data; runs against a console of its own")
        yield
        return
    name = f"{own_database()}_e2e"
    create_database(name, prepared)
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        stack.enter_context(working_on(name))
        hot = caches["hot"]
        hot.key_prefix = f"{name}:hot"  # the server's, which named it after its database
        hot.delete_pattern("*")
        wait_until_ready(base_url)
        yield


def wait_until_ready(url):
    """Both workers lost their connections with the old database; each must have found the new one."""
    deadline, well = time.monotonic() + 30, 0
    with ThreadPoolExecutor(4) as pool:  # at the same time, so that one worker cannot answer for both
        while well < 2:
            well = well + 1 if all(pool.map(lambda _: answers(f"{url}/", "readyz"), range(4))) else 0
            assert time.monotonic() < deadline, "the web server does not find its database"


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args, request):
    """The system's browser, which finds nobody but the console and its sandboxes: nothing a page asks for leaves."""
    known = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    path = os.environ.get("ATTENDANT_CHROMIUM") or next(filter(None, known), None)
    hosts = ["127.0.0.1", "localhost", "*.localhost"]
    if deployed := request.config.getoption("base_url"):
        hosts.append(urlsplit(deployed).hostname)
    rules = ", ".join(["MAP * ~NOTFOUND", *(f"EXCLUDE {host}" for host in hosts)])
    args = [*FLAGS.split(), "--disable-sync", f"--host-resolver-rules={rules}"]
    return {**browser_type_launch_args, "args": args, "executable_path": path}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"}


@pytest.fixture
def allowed():
    """What a test expects in the console: statuses of "Failed to load resource", or how other lines begin."""
    return set()


@pytest.fixture
def guard(allowed):
    """Call with a page: the test fails on its errors, warnings and CSP violations."""
    problems = []

    def watch(page):
        page.on("console", lambda line: line.type in ("error", "warning") and problems.append(line.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        return page

    yield watch
    failed = "Failed to load resource: the server responded with a status of "
    expected = tuple(line if isinstance(line, str) else f"{failed}{line}" for line in allowed)
    assert [problem for problem in problems if not problem.startswith(expected or ("\0",))] == []


@pytest.fixture
def open_as(browser, browser_context_args, guard, base_url):
    """`open_as(user, **context)` gives a page of a browser in which that person has signed in, by cookie."""
    contexts = []

    def open_as(user, path=QUEUE, **options):
        context = browser.new_context(**{**browser_context_args, **options})
        context.set_default_timeout(10_000)
        contexts.append(context)
        if user:
            from console.testing import session_of

            context.add_cookies([{"name": "sessionid", "value": session_of(user), "url": base_url}])
        page = guard(context.new_page())
        page.goto(path)
        return page

    yield open_as
    for context in contexts:
        context.close()


@pytest.fixture
def tab_to():
    """Presses Tab until the target has the focus; fails when it never gets there."""

    def tab_to(page, target, most=90):
        for _ in range(most):
            page.keyboard.press("Tab")
            if target.count() and target.first.evaluate("element => element === document.activeElement"):
                return
        raise AssertionError("Tab never got there")

    return tab_to


@pytest.fixture
def moses(world):
    from console import roles
    from console.testing import make_user

    return make_user("moses", roles.MODERATOR)


@pytest.fixture
def lea(world):
    from console import roles
    from console.testing import make_user

    return make_user("lea", roles.SENIOR)


@pytest.fixture
def rita(world):
    from console import roles
    from console.testing import make_user

    return make_user("rita", roles.PUBLISHER)
