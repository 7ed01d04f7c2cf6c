"""Settings about what can be seen from outside: log lines, slow statements, counts; a part of project/settings.py."""

import os
from importlib.util import find_spec

import environ

env = environ.Env()

DEBUG = env.bool("DEBUG", False)


def _installed(*names):
    """Those of these apps that a developer's console takes up: with DEBUG, from requirements-dev.lock."""
    return [name for name in names if DEBUG and find_spec(name)]


DEVELOPMENT_APPS = _installed("debug_toolbar", "silk")
_middleware = {
    "debug_toolbar": "debug_toolbar.middleware.DebugToolbarMiddleware",
    "silk": "silk.middleware.SilkyMiddleware",
}
DEVELOPMENT_MIDDLEWARE = [_middleware[name] for name in DEVELOPMENT_APPS]
INTERNAL_IPS = ["127.0.0.1", "::1"]
# so often a process writes what it counted (console.meter); commands and tests do when they are asked
METER_WRITES_S = 5 if os.environ.get("ATTENDANT_PROCESS") in ("web", "worker") else 0
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
SLOW_QUERY_MS = env.int("SLOW_QUERY_MS", 200)
SENTRY_DSN = env.str("SENTRY_DSN", "")
SENTRY_ENVIRONMENT = env.str("SENTRY_ENVIRONMENT", "production")
LOG_FORMAT = env.str("LOG_FORMAT", "text")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request": {"()": "console.logs.RequestFilter"}},
    "formatters": {"text": {"()": "console.logs.TextFormatter"}, "json": {"()": "console.logs.JsonFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["request"]}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.server": {"handlers": ["console"], "propagate": False},
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "axes": {"level": "WARNING"},
        "gunicorn.error": {
            "handlers": ["console"],
            "propagate": False,
        },  # of its workers
    },
}
