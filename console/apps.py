"""The shell, and Django's admin with its own door."""

from django.apps import AppConfig
from django.contrib.admin import apps as django_admin
from django.db.models.signals import post_migrate


class ConsoleConfig(AppConfig):
    name = "console"
    default = True

    def ready(self):
        from console import flags, roles

        post_migrate.connect(roles.apply, sender=self)
        post_migrate.connect(flags.apply, sender=self)


class AdminConfig(django_admin.AdminConfig):
    default = False
    default_site = "console.emergency.EmergencySite"
