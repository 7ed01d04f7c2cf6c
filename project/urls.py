"""Every address of the console, in one place."""

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView

lazy_static = lazy(static, str)  # the manifest of hashed names is read when asked, not at import

urlpatterns = [
    path("", login_not_required(RedirectView.as_view(url="/manage/")), name="root"),
    path("manage/", include("console.urls")),
    path("manage/", include("moderation.urls")),
    path("manage/games/", include("games.urls")),
    path("accounts/", include("console.accounts")),
    path("favicon.ico", login_not_required(RedirectView.as_view(url=lazy_static("brand.svg"))), name="favicon"),
    path("admin/", admin.site.urls),
]

handler400 = "console.errors.bad_request"
handler403 = "console.errors.permission_denied"
handler404 = "console.errors.page_not_found"
handler500 = "console.errors.server_error"
