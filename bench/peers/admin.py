"""How somebody who knows the admin well sets it up for half a million comments and more."""

import os

from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry

from bench.peers.models import CommentByName
from moderation.models import Comment

if settings.IS_UNFOLD:
    from unfold.admin import ModelAdmin
else:
    from django.contrib.admin import ModelAdmin

# with the console's indexes, the text is looked for where its trigrams are
SEARCHED = "text__folded__contains" if os.environ.get("BENCH_INDEXES") == "ours" else "body"


def approve(model_admin, request, queryset):
    """Set-based, with the admin's own log."""
    rows = list(queryset)
    queryset.model.objects.filter(pk__in=[row.pk for row in rows]).update(status=Comment.APPROVED)
    LogEntry.objects.log_actions(request.user.pk, rows, CHANGE, "Approved")


def approve_each(model_admin, request, queryset):
    """Row by row, as actions are mostly written."""
    for row in queryset:
        row.status = Comment.APPROVED
        row.save()
        LogEntry.objects.log_actions(request.user.pk, [row], CHANGE, "Approved", single_object=True)


class CommentAdmin(ModelAdmin):
    list_display = ("player", "game", "short", "status", "created_at", "report_count", "ip", "version")
    list_select_related = ("player", "game")
    list_filter = ("status",)
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    search_fields = (SEARCHED,)
    ordering = ("created_at", "id")
    raw_id_fields = ("player", "game", "blocked_by")
    actions = (approve, approve_each)

    def short(self, comment):
        return comment.body[:100]


class CommentByNameAdmin(CommentAdmin):
    search_fields = ("player__username",)


def register(site):
    site.register(Comment, CommentAdmin)
    site.register(CommentByName, CommentByNameAdmin)
