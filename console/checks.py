"""What doctor looks at of the shell: settings, database, Redis, mail, clocks, workers, proxies, the ledger's anchor."""

import smtplib
import time
from datetime import timedelta
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.core import checks as django_checks
from django.core.mail import get_connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from console import anchor, clientip, dbroles, workers
from console.doctor import Check, bad, database, ok, register, warn
from console.models import Seal, Worker

OLDEST_POSTGRES, OLDEST_REDIS, OLDEST_VALKEY = 15, 7, 8
SLOW_MS = 50
OFF_S, OFF_BADLY_S = 2, 30  # a code of six digits is good for half a minute
BEHIND = timedelta(minutes=5)
MAKING_ONE = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"


# --- settings ------------------------------------------------------------------------------------------------


def modes():
    if settings.DEBUG:
        return bad("DEBUG is on: whoever causes an error sees the inside of the console.", "Set DEBUG=0.")
    if settings.DEMO:
        return warn("DEMO is on: a password alone signs in, and cookies travel over http.", "Unset DEMO for real use.")
    return ok("DEBUG and DEMO are off.")


def secret_key():
    key = settings.SECRET_KEY
    if len(key) < 40 or len(set(key)) < 10:
        later = "Changed later, it signs everybody out and the ledger's pointers to personal values lead nowhere."
        return bad(
            f"SECRET_KEY can be guessed: it has {len(key)} characters, {len(set(key))} different ones.",
            f"Make one with {MAKING_ONE} before the console is used. {later}",
        )
    return ok("SECRET_KEY is long enough.")


def hosts():
    if "*" in settings.ALLOWED_HOSTS:
        return bad("ALLOWED_HOSTS holds *: links in mails may lead to any name a request bears.", "Name the hosts.")
    return ok(f"The console answers to {', '.join(settings.ALLOWED_HOSTS)}.")


def console_url():
    url = urlsplit(settings.CONSOLE_URL)
    todo = "Set CONSOLE_URL to where people reach the console, as https://console.example.org."
    if not url.hostname:
        return warn("CONSOLE_URL is not known: mails cannot link back here.", todo)
    if url.scheme != "https" and not settings.DEMO:
        return bad(f"CONSOLE_URL is {settings.CONSOLE_URL}: links lead to http, where nothing is private.", todo)
    if not any(_matches(url.hostname, pattern) for pattern in settings.ALLOWED_HOSTS):
        return warn(f"CONSOLE_URL names {url.hostname}, which is not among ALLOWED_HOSTS.", todo)
    return ok(f"Mails link to {settings.CONSOLE_URL}.")


def _matches(host, pattern):
    return pattern == "*" or host == pattern or (pattern.startswith(".") and f".{host}".endswith(pattern))


def django():
    found = django_checks.run_checks(include_deployment_checks=True)
    found = [each for each in found if each.level >= django_checks.WARNING and not each.is_silenced()]
    if not found:
        return ok("Django's own checks for deployments find nothing.")
    said = f"Django's own checks find {len(found)}, the first: {found[0].id}, {_first_sentence(found[0].msg)}"
    if settings.DEMO:
        return warn(f"{said} In the demo that is expected.", "Unset DEMO for real use.")
    return bad(said, "Run manage.py check --deploy; it says what to do about each.")


def _first_sentence(text):
    return " ".join(text.split()).partition(". ")[0].rstrip(".") + "."


def proxies():
    if settings.TRUSTED_PROXIES:
        clientip.proxy_networks()
        return ok(f"Believed about whom they speak for: {', '.join(settings.TRUSTED_PROXIES)}.")
    if settings.DEMO:
        return ok("TRUSTED_PROXIES is empty: every client speaks for itself.")
    return warn(
        "TRUSTED_PROXIES is empty: right only if no proxy stands before the console. Behind one, everybody would come "
        "from its address, and https would pass for http.",
        "Set TRUSTED_PROXIES to the proxy's address, or to unix when it comes by a socket.",
    )


# --- services ------------------------------------------------------------------------------------------------


def postgres():
    with database() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0].split()[0]
        took = min(_timed(cursor.execute, "SELECT 1") for _ in range(3))
        cursor.execute("SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'")
        (can_search,) = cursor.fetchone()
    if int(version.partition(".")[0]) < OLDEST_POSTGRES:
        return bad(f"PostgreSQL is {version}.", f"The console needs {OLDEST_POSTGRES} or newer; upgrade the server.")
    if not can_search:
        return bad("The extension pg_trgm is not installed.", "As a superuser: CREATE EXTENSION pg_trgm;")
    said = f"PostgreSQL {version} answers in {took:.1f} ms."
    return warn(said, "Put the database nearer, or look at what keeps it busy.") if took > SLOW_MS else ok(said)


def roles():
    with database():
        found = dbroles.deviations()
    if found:
        return bad(
            f"{len(found)} deviation{'' if len(found) == 1 else 's'} from what the database roles may do, the first: "
            f"{found[0][0]}",
            "Run manage.py database_roles; it prints the SQL that mends each.",
        )
    return ok("The application's role may do what it needs, and cannot alter what is on record.")


def migrations():
    with database() as connection:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        first = plan[0][0]
        missing = f"{len(plan)} migration{' is' if len(plan) == 1 else 's are'} missing"
        return bad(f"{missing}, the first: {first.app_label} {first.name}.", "Run manage.py migrate.")
    return ok("The database has every migration.")


def redis_server():
    key = f"{settings.REDIS_PREFIX}:doctor"
    options = {"socket_timeout": 1, "socket_connect_timeout": 1, "retry": None}
    with redis.Redis.from_url(settings.REDIS_URL, **options) as client:
        info = client.info("server")
        is_valkey = "valkey_version" in info
        name, version = ("Valkey", info["valkey_version"]) if is_valkey else ("Redis", info["redis_version"])
        took = min(_timed(client.ping) for _ in range(3))
        client.set(key, "1", ex=5)
        kept = client.get(key)
    oldest = OLDEST_VALKEY if is_valkey else OLDEST_REDIS
    if int(version.partition(".")[0]) < oldest:
        return bad(f"{name} is {version}.", f"The console needs {oldest} or newer; upgrade the server.")
    if kept != b"1":
        return bad(f"{name} {version} does not keep what it is given.", "Look at its maxmemory and its log.")
    said = f"{name} {version} takes what it is given and answers in {took:.1f} ms."
    return warn(said, "Put it nearer, or look at what keeps it busy.") if took > SLOW_MS else ok(said)


def _timed(call, *args):
    began = time.perf_counter()
    call(*args)
    return 1000 * (time.perf_counter() - began)


def mail():
    if "smtp" not in settings.EMAIL_BACKEND:
        kind = settings.EMAIL_BACKEND.rsplit(".", 2)[-2]
        said = f"Mails go nowhere but to “{kind}”."
        return ok(said) if settings.DEMO else warn(said, "Set EMAIL_URL to a mail server.")
    where = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    try:
        connection = get_connection(timeout=2)
        connection.open()
        connection.close()
    except (OSError, smtplib.SMTPException) as error:
        return bad(
            f"The mail server {where} does not let us in: {' '.join(str(error).split())[:200]}.",
            "Check EMAIL_URL; mails wait meanwhile, and are tried again for a day.",
        )
    if settings.DEFAULT_FROM_EMAIL.endswith("@localhost"):
        return warn(f"Mails come from {settings.DEFAULT_FROM_EMAIL}.", "Set MAIL_FROM to an address of yours.")
    return ok(f"The mail server {where} lets us in; nothing was sent.")


def clock():
    with database() as connection, connection.cursor() as cursor:
        before = timezone.now()
        cursor.execute("SELECT clock_timestamp()")
        there, after = cursor.fetchone()[0], timezone.now()
    off = (there - (before + (after - before) / 2)).total_seconds()
    if abs(off) <= OFF_S:
        return ok("This machine and the database agree what time it is.")
    said = f"This machine's clock is {abs(off):,.0f} seconds {'behind' if off > 0 else 'ahead of'} the database's."
    todo = "Let both take the time from the network: timedatectl set-ntp true."
    return bad(said, todo) if abs(off) > OFF_BADLY_S else warn(said, todo)


# --- what works in the background ----------------------------------------------------------------------------


def beat():
    with database():
        beats = list(Worker.objects.filter(kind=Worker.BEAT).order_by("-seen_at"))
    alive = [each for each in beats if each.state == "alive"]
    if not alive:
        last = f"was last seen at {beats[0].seen_at:%Y-%m-%d %H:%M:%S} UTC" if beats else "was never seen"
        return bad(
            f"Beat {last}: nobody looks after jobs, nothing is sealed, and portals are told nothing.",
            "Start it: systemctl start attendant-beat, or celery --app project.celery beat.",
        )
    if len(alive) > 1:
        return warn(f"{len(alive)} beats run: what is due is asked for as often.", "Stop all but one.")
    return ok("Beat runs.")


def queues():
    with database():
        seen = [each for each in workers.seen() if each.kind == Worker.WORKER]
        unserved = workers.queues_without(seen)
    if unserved:
        return bad(
            f"Nobody works for {_listed(unserved)}: what is asked for there waits.",
            f"Start a worker: systemctl start attendant-worker@{unserved[0]}, or celery --app project.celery worker "
            f"--queues {unserved[0]}.",
        )
    missing = [each.name for each in seen if each.state == "missing"]
    if missing:
        return warn(f"Not heard of any more: {_listed(missing)}.", "Start again what should run; others do its work.")
    alive = sum(each.state == "alive" for each in seen)
    return ok(f"{alive} worker{' serves' if alive == 1 else 's serve'} every queue.")


def _listed(names):
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


# --- what is on record ---------------------------------------------------------------------------------------


def ledger_anchor():
    where = settings.LEDGER_ANCHOR
    if not where:
        return warn(
            "The head of the ledger is kept in no second place: if its end were cut off, nobody could tell.",
            "Set LEDGER_ANCHOR to a file or bucket that nobody who can reach the database can change.",
        )
    last = anchor.place(where).last()
    with database():
        newest = Seal.objects.order_by("-number").first()
        same = last is None or Seal.objects.filter(number=last["number"], digest=last["digest"]).exists()
    if not same:
        return bad(
            f"The anchor at {where} tells of another ledger than this one.",
            "Run manage.py verify_ledger; it names the first difference. Change nothing before you know why.",
        )
    number = last["number"] if last else 0
    if newest and newest.number > number and newest.at < timezone.now() - BEHIND:
        return bad(
            f"The anchor at {where} ends at seal {number}, the ledger at {newest.number}.",
            "Let the worker for the queue “default” write there; its log says what hinders it.",
        )
    return ok(f"The anchor agrees with the ledger, up to seal {number}.")


def ready():
    """Registers them all."""
    database_todo = "Start PostgreSQL, and check DATABASE_URL: docs/database.md says what it has to be."
    for position, (name, look, todo) in enumerate(
        [
            ("Settings", modes, ""),
            ("Secret key", secret_key, ""),
            ("Hosts", hosts, ""),
            ("Console address", console_url, ""),
            ("Django", django, "Run manage.py check --deploy."),
            ("Proxies", proxies, "Mend TRUSTED_PROXIES."),
            ("Database", postgres, database_todo),
            ("Database roles", roles, "Check DATABASE_OWNER_URL, then run manage.py database_roles."),
            ("Migrations", migrations, database_todo),
            ("Redis", redis_server, "Start Redis or Valkey, and check REDIS_URL. Badges and uploads wait meanwhile."),
            ("Mail", mail, "Check EMAIL_URL."),
            ("Clock", clock, database_todo),
            ("Beat", beat, database_todo),
            ("Workers", queues, database_todo),
            ("Ledger anchor", ledger_anchor, "Check LEDGER_ANCHOR, and that this process may read it."),
        ]
    ):
        register(Check(name, look, todo, position))
