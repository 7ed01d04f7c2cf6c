"""What is behind /admin/: for superusers only, signed in the console's way, and to look at.

What is changed there leaves no entry, so nothing is: the console's verbs do it (flags and switches: Labs), or a command
on the server (should Labs itself be what is broken: `manage.py waffle_flag`, `waffle_switch`).
"""

from functools import wraps

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.core.exceptions import PermissionDenied

from console import freshness

CHANGED_HERE = ()
SECRET = ("mfa.Authenticator",)


class ReadOnly(admin.ModelAdmin):
    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class EmergencySite(admin.AdminSite):
    site_header = site_title = "Attendant, emergency access"

    def register(self, model_or_iterable, admin_class=None, **options):
        """Whoever registers what: read-only unless it is named above."""
        models = model_or_iterable if isinstance(model_or_iterable, list | tuple) else [model_or_iterable]
        for model in models:
            bases = (admin_class or admin.ModelAdmin,)
            if model._meta.label not in CHANGED_HERE:
                bases = bases if issubclass(bases[0], ReadOnly) else (ReadOnly, *bases)
            if model._meta.label not in SECRET:
                super().register(model, type("Registered", bases, {}), **options)

    def has_permission(self, request):
        return request.user.is_active and request.user.is_superuser

    def admin_view(self, view, cacheable=False):
        """Whatever is changed here takes somebody who has just said who they are."""
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def fresh(request, *args, **kwargs):
            if request.method == "POST" and request.user.is_authenticated and not freshness.is_fresh(request):
                return freshness.ask(request)
            return guarded(request, *args, **kwargs)

        return fresh

    def login(self, request, extra_context=None):
        if request.user.is_authenticated:
            raise PermissionDenied("Emergency access is for operators.")
        return secure_admin_login(super().login)(request, extra_context)
