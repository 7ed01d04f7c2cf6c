"""What doctor finds: nothing where all is well, and in words whatever is broken."""

import json
import time
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import override_settings
from django.utils import timezone

from console import doctor
from console.models import Worker
from project import checks, testing
from project.tests.servers import Valkey

DEMO_WARNS = {"Settings", "Django", "Ledger anchor"}  # what the demo does without on purpose


@pytest.fixture
def well(committed_db):
    """A database of its own, with beat and a worker for each queue."""
    now = timezone.now()
    Worker.objects.create(kind=Worker.BEAT, name="beat@here", started_at=now, seen_at=now)
    queues = ["default", "uploads", "webhooks"]
    Worker.objects.create(kind=Worker.WORKER, name="all@here", queues=queues, started_at=now, seen_at=now)


def found(*names):
    """The findings of these checks, or of all, by name."""
    kept = doctor._checks
    try:
        doctor._checks = [each for each in kept if not names or each.name in names]
        return {each.name: each for each in doctor.check_all(limit=20)}  # a busy machine is not what is looked for
    finally:
        doctor._checks = kept


def test_where_all_is_well_nothing_is_found(well):
    findings = found()
    assert {each.name for each in findings.values() if each.state == doctor.BAD} == set()
    assert {each.name for each in findings.values() if each.state == doctor.WARN} <= DEMO_WARNS
    for each in findings.values():
        assert each.sentence.endswith("."), each
        assert bool(each.todo) == (each.state != doctor.OK), each


BROKEN = {
    "Settings": ({"DEBUG": True}, "sees the inside"),
    "Secret key": ({"SECRET_KEY": "changeme" * 6}, "can be guessed: it has 48 characters, 7 different ones"),
    "Hosts": ({"ALLOWED_HOSTS": ["*"]}, "ALLOWED_HOSTS holds *"),
    "Console address": ({"CONSOLE_URL": "http://console.example.org", "DEMO": False}, "links lead to http"),
    "Django": ({"DEMO": False}, "Django's own checks find"),
    "Preview site": (
        {"PREVIEW_ORIGIN": "https://{build}.play.example.org", "CONSOLE_URL": "https://example.org"},
        "below the console's own name",
    ),
    "Proxies": ({"TRUSTED_PROXIES": ["nginx"]}, "does not appear to be an IPv4 or IPv6 network"),
    "Redis": ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "refused"),
    "Mail": (
        {
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": 1,
        },
        "The mail server 127.0.0.1:1 does not let us in",
    ),
    "Room": ({"QUARANTINE_DIR": "/proc/1/nowhere"}, "cannot be written to"),
    "Static files": ({"STATIC_ROOT": testing.ROOT / "docs"}, "There are no collected static files"),
    "Ledger anchor": ({"LEDGER_ANCHOR": "/"}, "Is a directory"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_set_wrong_is_bad_and_says_what_to_do(name, django_db_setup, django_db_blocker):
    settings, said = BROKEN[name]
    with override_settings(**settings), django_db_blocker.unblock():
        finding = found(name)[name]
    assert (finding.state, said in finding.sentence) == (doctor.BAD, True), finding
    assert finding.todo.endswith(".")


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("Proxies", {"TRUSTED_PROXIES": [], "DEMO": False}, "everybody would come from its address"),
        ("Preview site", {"PREVIEW_ORIGIN": ""}, "PREVIEW_ORIGIN is empty"),
        (
            "Preview site",
            {"PREVIEW_ORIGIN": "https://{build}.play.example.org", "CONSOLE_URL": "https://console.example.org"},
            "both live under example.org",
        ),
        ("Console address", {"CONSOLE_URL": ""}, "mails cannot link back here"),
        ("Mail", {"DEMO": False, "EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}, "go nowhere"),
    ],
)
def test_what_may_be_meant_so_is_asked_about(name, settings, said):
    with override_settings(**settings):
        finding = found(name)[name]
    assert (finding.state, said in finding.sentence) == (doctor.WARN, True), finding


def test_whoever_works_in_the_background_is_missed(well):
    Worker.objects.filter(kind=Worker.BEAT).update(seen_at=timezone.now() - timedelta(minutes=1))
    Worker.objects.filter(kind=Worker.WORKER).update(queues=["default"])
    findings = found("Beat", "Workers")
    assert findings["Beat"].state == findings["Workers"].state == doctor.BAD
    assert "was last seen at" in findings["Beat"].sentence
    assert "Nobody works for uploads" in findings["Workers"].sentence


def test_a_database_that_is_not_as_declared_is_found(well):
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "GRANT UPDATE ON console_entry TO attendant_app; "
            "DELETE FROM django_migrations WHERE id = (SELECT max(id) FROM django_migrations WHERE app = 'games')"
        )
    findings = found("Database roles", "Migrations")
    assert "attendant_app may UPDATE on console_entry." in findings["Database roles"].sentence
    assert "1 migration is missing" in findings["Migrations"].sentence


def test_names_nobody_reads_are_found_in_the_environment(tmp_path):
    (tmp_path / ".env.example").write_text("# SECRET_KEY=\n# ALLOWED_HOSTS=x\n")
    with override_settings(BASE_DIR=tmp_path):
        assert checks.environment().state == doctor.OK
        (tmp_path / ".env").write_text("SECRET_KEY=a\nALOWED_HOSTS=b\nAWS_REGION=c\n")
        assert "Nobody reads ALOWED_HOSTS" in checks.environment().sentence
        assert "Did you mean ALLOWED_HOSTS?" in checks.environment().todo
        (tmp_path / ".env").write_text("SECRET_KEY=a\n")
        (tmp_path / ".env").chmod(0o644)
        assert "can be read by everybody" in checks.environment().sentence
        (tmp_path / ".env").chmod(0o640)
        assert checks.environment().state == doctor.OK


def test_what_hangs_is_given_up_on_and_holds_up_nothing_else(db, tmp_path):
    with Valkey(tmp_path / "v", throwaway=True) as valkey, override_settings(REDIS_URL=valkey.url):
        valkey.freeze()
        began = time.monotonic()
        findings = {each.name: each for each in doctor.check_all(limit=0.9)}  # its own patience is a second
        took = time.monotonic() - began
        valkey.thaw()
    assert findings["Redis"].sentence == "There was no answer within 0.9 seconds."
    assert findings["Hosts"].state == doctor.OK
    assert took < 0.9 + 5, "which is for a machine that is busy"


def test_the_command_says_one_line_each_and_exits_by_it(well, capsys, monkeypatch):
    monkeypatch.setattr(doctor, "LIMIT_S", 20)
    call_command("doctor")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(doctor._checks)
    assert {line.split()[0] for line in lines} <= {"ok", "warn"}
    with override_settings(ALLOWED_HOSTS=["*"]), pytest.raises(CommandError, match="To be mended: Hosts") as error:
        call_command("doctor", "--json")
    assert error.value.returncode == 1
    told = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    assert set(told["Hosts"]) == {"name", "state", "sentence", "todo"}


def test_the_page_says_the_same_and_asks_nobody_twice_in_a_moment(olga, monkeypatch):
    asked = []
    check = doctor.Check("Hosts", lambda: asked.append(1) or doctor.bad("It is broken.", "Mend it."))
    monkeypatch.setattr(doctor, "_checks", [check])
    monkeypatch.setitem(doctor._latest, "until", 0.0)
    for _ in range(2):
        page = olga.get("/manage/ops/checks/").content.decode()
        assert "It is broken." in page
        assert "Mend it." in page
        assert "Something has to be mended." in page
    assert len(asked) == 1
    monkeypatch.setitem(doctor._latest, "until", 0.0)
