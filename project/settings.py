"""Every setting, read top to bottom: Paths, Core, Apps, Database, Cache, Celery, Auth, Uploads, Static, Ledger,
Security, Privacy, Webhooks and Logging.

What a deployment may change comes from the environment; `.env.example` explains each variable.
"""

import os
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from console import patience
from project import embedded

env = environ.Env()

# --- Paths ---------------------------------------------------------------------------------------------------
BASE_DIR = Path(__file__).resolve().parent.parent
env.read_env(BASE_DIR / ".env")
STATE_DIR = embedded.state_dir(BASE_DIR)  # embedded services, collected static files, demo passwords
QUARANTINE_DIR = STATE_DIR / "quarantine"  # uploaded zips that nobody has looked into; web and workers share it
WORK_DIR = STATE_DIR / "work"  # where workers take them apart; may be a disk of its own

# --- Core ----------------------------------------------------------------------------------------------------
DEMO = env.bool("DEMO", False)
DEBUG = env.bool("DEBUG", False)
EMBEDDED = not env.str("DATABASE_URL", "")
if EMBEDDED and not DEMO:
    raise ImproperlyConfigured(
        "DATABASE_URL is not set, and embedded services are for the demo only. Set DATABASE_URL and REDIS_URL, "
        "or start the demo with bin/up (it sets DEMO=1)."
    )
if EMBEDDED:
    os.environ.update(embedded.addresses(STATE_DIR))
SECRET_KEY = env.str("SECRET_KEY", "") or (embedded.demo_secret(STATE_DIR) if DEMO else "")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", ".localhost", "[::1]"] if DEMO else [])
for name, value in (
    ("SECRET_KEY", SECRET_KEY),
    ("ALLOWED_HOSTS", ALLOWED_HOSTS),
    ("REDIS_URL", env.str("REDIS_URL", "")),
):
    if not value:
        raise ImproperlyConfigured(f"{name} is empty. Set it in the environment; .env.example says how.")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])
# another site than the console, one name per build; without it games cannot be tried
PREVIEW_ORIGIN = env.str("PREVIEW_ORIGIN", "") or ("http://{build}.play.localhost:8000" if DEMO else "")
# the widest networks that may be banned: IP version → prefix lengths without and with moderation.ban_network_wide
NETWORK_BAN_WIDEST = {
    4: (24, env.int("NETWORK_BAN_WIDEST_V4", 16)),
    6: (48, env.int("NETWORK_BAN_WIDEST_V6", 32)),
}
BAN_SECOND_PERSON_ABOVE = env.int("BAN_SECOND_PERSON_ABOVE", 25)
RATE_LIMITS = env.str("RATE_LIMITS", "")  # console.limits says what there is
UNDO_WINDOW_S = env.int("UNDO_WINDOW_S", 30)
ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
FILE_UPLOAD_HANDLERS = ["console.uploads.NoFiles"]  # the upload page has its own
DATA_UPLOAD_MAX_NUMBER_FIELDS = 4_000  # a bulk of 1,000 targets and what comes with it
# what strikes must weigh for which ban to be proposed (moderation.steps); Discourse's penalties grow from 1 to 30 days
STRIKE_STEPS = env.list("STRIKE_STEPS", default=["3:1d", "5:7d", "8:30d"])

# --- Apps ----------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "project",
    "games",
    "moderation",
    "console",
    "console.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "crispy_forms",
    "csp",
    "django_filters",
    "django_htmx",
    "django_select2",
    "taggit",
    "waffle",
]
MIDDLEWARE = [
    "console.middleware.ProxyMiddleware",
    "console.middleware.RequestIdMiddleware",
    "games.preview.PreviewMiddleware",  # the sandbox's hosts end here; whatever follows is the console's alone
    "console.api.middleware.ApiMiddleware",  # and the API here: no cookie is read from here up
    "django.middleware.gzip.GZipMiddleware",  # static files come compressed; pads its answers against BREACH
    "csp.middleware.CSPMiddleware",
    "console.middleware.HeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "console.live.UnchangedMiddleware",  # before all that an unchanged poll does not need
    "console.health.HealthMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "console.middleware.SessionMiddleware",
    "console.sessions.ActivityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "console.middleware.AccountLimitMiddleware",
    "console.middleware.WordsMiddleware",
    "console.middleware.ConsoleLoginMiddleware",
    "console.secondfactor.SecondFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
]
# the underscore in a partial's name says in which of the two folders it lives
TEMPLATE_DIRS = [BASE_DIR / "templates", BASE_DIR / "partials"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": TEMPLATE_DIRS,
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "console.context_processors.shell",
            ],
            "builtins": [
                "console.templatetags.console",
                "console.templatetags.rows",
                "moderation.templatetags.moderation",
                "games.templatetags.games",
            ],
        },
    },
    {  # rows of lists, called by name only (console.rows)
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "partials"],
        "OPTIONS": {"environment": "console.rows.environment", "autoescape": True},
    },
]
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "attendant"
WAFFLE_FLAG_MODEL, WAFFLE_SWITCH_MODEL = "console.Flag", "console.Switch"  # asked by console.flags
WAFFLE_CACHE_NAME = "hot"
SELECT2_CACHE_BACKEND = "select2"
TAGGIT_CASE_INSENSITIVE = True
FILTERS_EMPTY_CHOICE_LABEL = "Any"

# --- Database ------------------------------------------------------------------------------------------------
# "default" is what the console works with: it may not alter the ledger. "owner" migrates and loads demo data.
DATABASE_ROLE = "attendant_app"
# what kind of process this is, says its entry point: project/wsgi.py, project/celery.py, else a command
_process = os.environ.get("ATTENDANT_PROCESS")
STATEMENT_TIMEOUT_MS = {"web": env.int("STATEMENT_TIMEOUT_MS", 5_000), "worker": 60_000}.get(_process, 0)
# a page has no reason to think in the middle of a transaction; workers put files away meanwhile
_timeouts = (
    f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout=2000 "
    f"-c idle_in_transaction_session_timeout={10_000 if _process == 'web' else 60_000}"
)


def _database(url, **options):
    parts = env.db_url_config(url)
    query = parts.pop("OPTIONS", {})
    return {
        **parts,
        "ENGINE": "django.db.backends.postgresql",
        "HOST": query.pop("host", parts["HOST"]),  # where a socket's folder travels
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**query, **options},
    }


DATABASES = {
    "default": _database(
        env.str("DATABASE_URL"),
        options=f"-c role={DATABASE_ROLE} {_timeouts}",
        connect_timeout=3,
        # kept and checked connections, fewer than a web process has threads (see `up`): when all of them are taken,
        # the rest can still say so. It soon gives up on a server that is away: the next request tries afresh instead
        # of waiting out a backoff
        pool={
            "min_size": 1,
            "max_size": 6,
            "timeout": env.float("DATABASE_WAIT_S", 2),
            "reconnect_timeout": 1,
            "connection_class": patience.connection_class(STATEMENT_TIMEOUT_MS and STATEMENT_TIMEOUT_MS / 1000 + 1),
        },
    ),
    "owner": _database(env.str("DATABASE_OWNER_URL", "") or env.str("DATABASE_URL")),
}

# --- Cache ---------------------------------------------------------------------------------------------------
# "default" (throttles) must outlive Redis; "hot" and "select2" may vanish at any time.
REDIS_URL = env.str("REDIS_URL")
REDIS_PREFIX = DATABASES["default"]["NAME"]  # consoles that share a Redis keep apart


def _redis(prefix, timeout):
    return {
        "BACKEND": "console.hot.HotCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": f"{REDIS_PREFIX}:{prefix}",
        "TIMEOUT": timeout,
        "OPTIONS": {
            "SOCKET_CONNECT_TIMEOUT": 0.3,
            "SOCKET_TIMEOUT": 0.3,
            "CONNECTION_POOL_KWARGS": {"retry": None},
        },
    }


CACHES = {
    "default": {
        "BACKEND": "console.keeping.KeepingCache",
        "LOCATION": "console_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},  # from here on what has expired is removed
    },
    "hot": _redis("hot", 60),
    "select2": _redis("select2", 9 * 60 * 60),  # longer than a session lasts
}

# --- Celery --------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": f"{REDIS_PREFIX}:celery:",
    "socket_connect_timeout": 0.5,
    "socket_timeout": 0.5 if os.environ.get("ATTENDANT_PROCESS") == "web" else 2,
    "visibility_timeout": 3600,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # Redis may be away for as long as it likes
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
# a message only wakes a worker: jobs (console.jobs) count attempts and come again, not Celery
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_TASK_ACKS_ON_FAILURE_OR_TIMEOUT = True
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False  # a job is its claim's, whatever Redis does
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_SOFT_TIME_LIMIT = 60
CELERY_TASK_TIME_LIMIT = 90
CELERY_BEAT_SCHEDULE = {
    "reap-jobs": {"task": "console.tasks.reap_jobs", "schedule": 3, "options": {"expires": 10}},
    "seal-ledger": {"task": "console.tasks.seal_ledger", "schedule": 10, "options": {"expires": 10}},
    "count-traffic": {"task": "console.tasks.count_traffic", "schedule": 15, "options": {"expires": 15}},
    "sweep-sessions": {"task": "console.tasks.sweep_sessions", "schedule": 3600},
    "tell-portals": {
        "task": "console.tasks.tell_portals",
        "schedule": 1,
        "options": {"queue": "webhooks", "expires": 3},
    },
    "retain": {"task": "console.tasks.retain", "schedule": 3600},
    "sweep-events": {"task": "console.tasks.sweep_events", "schedule": 3600},
    "sweep-limits": {"task": "console.tasks.sweep_limits", "schedule": 3600},
    "count-reasons": {"task": "moderation.tasks.count_reasons", "schedule": 300, "options": {"expires": 300}},
    "sweep-mails": {"task": "moderation.tasks.sweep_mails", "schedule": 86_400},
    "sweep-exports": {"task": "console.tasks.sweep_exports", "schedule": 600},
    "sweep-builds": {"task": "games.tasks.sweep_builds", "schedule": 3600},
}

# --- Auth, API, mail: project/signin.py, apisettings.py, mailing.py -------------------------------------------------
from project.apisettings import *  # noqa: E402, F403
from project.mailing import *  # noqa: E402, F403
from project.signin import *  # noqa: E402, F403

CSRF_FAILURE_VIEW = "console.errors.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- Uploads ------------------------------------------------------------------------------------------------
# what builds may be is games.archive.Limits
STORAGE = env.str("STORAGE", "") or str(STATE_DIR / "games")  # a folder, or s3://bucket/prefix


def _storage(where):
    if not where.startswith("s3://"):
        options = {"location": where, "allow_overwrite": True, "base_url": None}
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    from botocore.config import Config  # slow to import, and a folder needs none of it

    bucket, _, prefix = where.removeprefix("s3://").partition("/")
    # keys, region and AWS_ENDPOINT_URL are read from the environment by the library
    options = {
        "bucket_name": bucket,
        "location": prefix.strip("/"),
        "default_acl": None,
        "file_overwrite": True,
        "max_memory_size": 4 * 1024 * 1024,  # larger files are read by way of the disk
        # whoever waits for it puts off its work and comes again
        "client_config": Config(
            connect_timeout=3,
            read_timeout=5,
            retries={"total_max_attempts": 2, "mode": "standard"},
            # what is not Amazon's often cannot do newer checksums
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    }
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


# a Chromium that takes a screenshot of games without a cover; it runs their code on the worker
PICTURE_BROWSER = env.str("PICTURE_BROWSER", "")


# --- Static --------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = STATE_DIR / "static"
WHITENOISE_ALLOW_ALL_ORIGINS = False  # no other site has a use for them
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": _storage(STORAGE),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Ledger --------------------------------------------------------------------------------------------------
LEDGER_ANCHOR = env.str("LEDGER_ANCHOR", "")  # where the head of the ledger goes, too: a file, or s3://bucket/prefix
if LEDGER_ANCHOR.startswith("s3://"):
    STORAGES["anchor"] = _storage(LEDGER_ANCHOR)

# --- Security ------------------------------------------------------------------------------------------------
SECURE_HSTS_SECONDS = 0 if DEMO else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_SSL_REDIRECT = not DEMO
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # asked by address, inside
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- Privacy -------------------------------------------------------------------------------------------------
# how long is kept what says where people came from (console.retention); 0: for good
COMMENT_ADDRESS_DAYS = env.int("COMMENT_ADDRESS_DAYS", 90)
EARLIER_TEXT_DAYS = env.int("EARLIER_TEXT_DAYS", 365)
DELETED_TEXT_DAYS = env.int("DELETED_TEXT_DAYS", 90)
JOB_DAYS = env.int("JOB_DAYS", 90)
TRAFFIC_ADDRESS_DAYS = env.int("TRAFFIC_ADDRESS_DAYS", 30)
RECEIVED_DAYS = env.int("RECEIVED_DAYS", 7)
BAN_ADDRESS_DAYS = env.int("BAN_ADDRESS_DAYS", 90)
LEDGER_ADDRESS_DAYS = env.int("LEDGER_ADDRESS_DAYS", 365)
SIGN_IN_LOG_MONTHS = env.int("SIGN_IN_LOG_MONTHS", 13)
EXPORT_STREAM_ROWS = env.int("EXPORT_STREAM_ROWS", 10_000)  # a list of more is written by a job (console.exporting)
EXPORT_HOURS = env.int("EXPORT_HOURS", 24)

# --- Webhooks ------------------------------------------------------------------------------------------------
# networks of ours that endpoints may be in, by http and on any port, too; everything else has to be public https
WEBHOOK_ALLOW = env.list("WEBHOOK_ALLOW", default=["127.0.0.0/8", "::1/128"] if DEMO else [])
# seconds before each try: how many there are, and how long after the one before
WEBHOOK_PLAN_S = env.list("WEBHOOK_PLAN_S", float, [0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400])

# --- Logging, counting, telling of errors ------------------------------------------------------------------------
from project.observing import *  # noqa: E402, F403

INSTALLED_APPS += DEVELOPMENT_APPS  # noqa: F405
MIDDLEWARE += DEVELOPMENT_MIDDLEWARE  # noqa: F405
