"""Wiring with a face: the commands that need every app at once."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "project"
