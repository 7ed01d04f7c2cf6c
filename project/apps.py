"""Wiring with a face: the commands that need every app at once."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "project"

    def ready(self):
        from project import celery  # noqa: F401  (web processes and commands send to its broker)
