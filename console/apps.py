"""The shell, and Django's admin with its own door."""

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import apps as django_admin
from django.db.models.signals import m2m_changed, post_migrate


class ConsoleConfig(AppConfig):
    name = "console"
    default = True

    def ready(self):
        from console import (  # noqa: F401
            accounts,
            actions,
            checks,
            clientip,
            flags,
            limits,
            mail,
            outbox,
            respond,
            retention,
            roles,
            sections,
            signins,
            tokenactions,
            workers,
        )
        from console.api import scopes
        from console.exporting import setup as exporting
        from console.labs import setup as labs
        from console.models import User
        from console.ops import setup as ops
        from console.received import setup as received
        from console.sections import Section
        from console.staffmodel import follow_groups
        from console.staffviews import STAFF_CARD
        from console.tabs import Tab, every_tab, register_tab
        from console.tokenpages import TOKEN_CARD
        from console.traffic import setup as traffic
        from console.webhooks import setup as webhooks

        sections.register(
            Section("ledger", "Ledger", "console:ledger", "console.view_entry", "scroll-text", position=80)
        )
        sections.register(Section("staff", "Staff", "console:staff", "console.view_staff", "id-card", position=90))
        post_migrate.connect(roles.apply, sender=self)
        post_migrate.connect(flags.apply, sender=self)
        outbox.register()
        scopes.register(
            scopes.Scope("decisions:read", "Read what was decided: comments, bans, games and builds.", position=50)
        )
        mail.setup()
        mail.register(tokenactions.MAIL, tokenactions.about)
        accounts.setup()
        limits.table(settings.RATE_LIMITS)  # mistakes in settings end the start, not the first request
        clientip.proxy_networks()
        respond.register(STAFF_CARD)
        respond.register(TOKEN_CARD)
        sections.register(
            Section(
                "portal",
                "Portal",
                "console:tokens",
                "console.view_token",
                "globe",
                pages=lambda: every_tab("portal"),
                position=85,
            )
        )
        register_tab(Tab("portal", "Tokens", "console:tokens", "console.view_token", position=20))
        webhooks.ready()
        received.ready()
        workers.ready()
        ops.ready()
        exporting.ready()
        checks.ready()
        register_tab(Tab("ops", "Checks", "console:checks", "console.view_ops", position=90))
        m2m_changed.connect(follow_groups, sender=User.groups.through)
        retention.ready()
        labs.ready()
        traffic.ready()


class AdminConfig(django_admin.AdminConfig):
    default = False
    default_site = "console.emergency.EmergencySite"
