"""The console as deployed: what browsers get under the settings of production, asked for in a process of its own."""

import json
import os
import subprocess
import sys

import pytest

from project.tests.test_settings import PRODUCTION, ROOT

ASK = """
import json
import django

django.setup()
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.test import Client
from console.models import User

user = User(username="kit", is_staff=True, is_superuser=True)
user.set_password("a")
told = {}


def tell(name, response):
    cookies = {each.key: dict(each) for each in response.cookies.values()}
    told[name] = {"status": response.status_code, "headers": dict(response.headers), "cookies": cookies}


client = Client(headers={"host": "console.example.org"})
tell("http", client.get("/accounts/login/?next=/manage/"))
tell("health", client.get("/healthz"))
tell("page", client.get("/accounts/login/", secure=True))
tell("lost", client.get("/nope/", secure=True))
tell("host", Client().get("/", secure=True, headers={"host": "evil.example"}))
keep = transaction.atomic()
keep.__enter__()  # sign-ins cannot be removed, and this database is others' too
user.save()
Authenticator.objects.create(user=user, type="totp", data={})
client.force_login(user)
tell("dark", client.post("/manage/preferences/", {"theme": "dark"}, secure=True))
told["session"] = {each.key: dict(each) for each in client.cookies.values()}
transaction.set_rollback(True)
keep.__exit__(None, None, None)
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(django_db_setup):
    """What the console of production answered."""
    own = {name: os.environ[name] for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")}
    environ = {**os.environ, **PRODUCTION, **own, "DEMO": "0", "DEBUG": "0"}
    environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
    done = subprocess.run([sys.executable, "-c", ASK], cwd=ROOT, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_cookies_belong_to_this_host_by_https_alone(told):
    cookies = {**told["page"]["cookies"], **told["dark"]["cookies"], **told["session"]}
    assert {name for name in cookies if not name.startswith("__Host-")} == set()
    assert {"__Host-sessionid", "__Host-csrftoken", "__Host-attendant_theme"} <= set(cookies)
    for name, cookie in cookies.items():
        assert cookie["secure"], name
        assert cookie["httponly"], name
        assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Lax", "/", "")


def test_http_leads_to_https_and_stays_there(told):
    assert told["http"]["status"] == 301
    assert told["http"]["headers"]["Location"] == "https://console.example.org/accounts/login/?next=/manage/"
    assert told["health"]["status"] == 200
    for name in ("page", "lost", "dark"):
        policy = told[name]["headers"]["Strict-Transport-Security"]
        assert policy == "max-age=31536000; includeSubDomains; preload"


def test_errors_show_nothing_of_the_inside(told):
    assert (told["lost"]["status"], told["host"]["status"]) == (404, 400)
    for name in ("lost", "host"):
        assert "script-src 'self'" in told[name]["headers"]["Content-Security-Policy"]
