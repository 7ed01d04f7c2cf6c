"""The site behind /admin/: superusers only, signed in the console's way."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.core.exceptions import PermissionDenied


class EmergencySite(admin.AdminSite):
    site_header = site_title = "Attendant, emergency access"

    def has_permission(self, request):
        return request.user.is_active and request.user.is_superuser

    def login(self, request, extra_context=None):
        if request.user.is_authenticated:
            raise PermissionDenied("Emergency access is for operators.")
        return secure_admin_login(super().login)(request, extra_context)
