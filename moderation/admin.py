"""Emergency access: what verbs change can be looked at here, and is changed where it leaves an entry."""

from django.contrib import admin

from console.emergency import ReadOnly
from moderation.models import Ban, Comment, Note, Player, Reason, Report


@admin.register(Comment)
class CommentAdmin(ReadOnly):
    list_display = ["id", "status", "created_at", "report_count"]
    show_full_result_count = False


@admin.register(Player)
class PlayerAdmin(ReadOnly):
    list_display = ["id", "username", "is_active", "joined_at"]
    show_full_result_count = False


admin.site.register([Ban, Note, Reason, Report])
