"""Every address of the console, in one place."""

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.generic import RedirectView

from console.views import healthz, readyz

urlpatterns = [
    path("", login_not_required(RedirectView.as_view(url="/manage/")), name="root"),
    path("manage/", include("console.urls")),
    path("manage/", include("moderation.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("admin/", admin.site.urls),
]

handler403 = "console.errors.permission_denied"
handler404 = "console.errors.page_not_found"
handler500 = "console.errors.server_error"
