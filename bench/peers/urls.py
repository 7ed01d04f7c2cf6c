"""The admin, and the poll that everybody writes first: session, user, COUNT."""

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import path

from bench.peers import admin
from moderation.models import Comment

if settings.IS_UNFOLD:
    from unfold.sites import UnfoldAdminSite as Site
else:
    Site = AdminSite

site = Site(name="admin")
admin.register(site)


@login_required
def count(request):
    return HttpResponse(str(Comment.objects.filter(status="pending").count()))


urlpatterns = [path("count/", count), path("admin/", site.urls)]
