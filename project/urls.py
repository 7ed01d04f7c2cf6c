"""Every address of the console, in one place."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView

from console.invites import JoinPage
from moderation.mails.views import StopPage

lazy_static = lazy(static, str)  # the manifest of hashed names is read when asked, not at import

urlpatterns = [
    path("api/v1/", include("project.api")),  # first: asked more often than all else (console.api.middleware)
    path("", login_not_required(RedirectView.as_view(url="/manage/")), name="root"),
    path("manage/", include("console.urls")),
    path("manage/", include("moderation.urls")),
    path("manage/games/", include("games.urls")),
    path("accounts/invite/<int:pk>/<str:code>/", JoinPage.as_view(), name="join"),
    path("accounts/", include("console.accounts")),
    path("mail/stop/<str:signed>/", StopPage.as_view(), name="mail_stop"),
    path("favicon.ico", login_not_required(RedirectView.as_view(url=lazy_static("brand.svg"))), name="favicon"),
    path("admin/", admin.site.urls),
]
if "debug_toolbar" in settings.INSTALLED_APPS:  # of a developer
    urlpatterns.append(path("__debug__/", include("debug_toolbar.urls")))
if "silk" in settings.INSTALLED_APPS:
    urlpatterns.append(path("silk/", include("silk.urls", namespace="silk")))

handler400 = "console.errors.bad_request"
handler403 = "console.errors.permission_denied"
handler404 = "console.errors.page_not_found"
handler429 = "console.errors.refused_by_allauth"  # the name by which allauth finds it
handler500 = "console.errors.server_error"
