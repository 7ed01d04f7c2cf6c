"""Wiring with a face: the commands that need every app at once."""

from django.apps import AppConfig
from django.conf import settings


class ProjectConfig(AppConfig):
    name = "project"

    def ready(self):
        from project import celery, checks  # noqa: F401  (web processes and commands send to celery's broker)

        checks.ready()
        if settings.SENTRY_DSN:
            from project import sentry

            sentry.begin(settings.SENTRY_DSN, settings.SENTRY_ENVIRONMENT)
