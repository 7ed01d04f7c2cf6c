"""The shell, and Django's admin with its own door."""

from django.apps import AppConfig
from django.contrib.admin import apps as django_admin
from django.db.models.signals import m2m_changed, post_migrate


class ConsoleConfig(AppConfig):
    name = "console"
    default = True

    def ready(self):
        from console import actions, flags, roles  # noqa: F401  (actions declare their verbs)
        from console.models import Flag

        post_migrate.connect(roles.apply, sender=self)
        post_migrate.connect(flags.apply, sender=self)
        for relation in (Flag.users, Flag.groups):
            m2m_changed.connect(flags.forget, sender=relation.through)


class AdminConfig(django_admin.AdminConfig):
    default = False
    default_site = "console.emergency.EmergencySite"
