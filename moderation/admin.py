"""Emergency access: plain lists, searchable by id."""

from django.contrib import admin

from moderation.models import Ban, Comment, Note, Player, Reason, Report


class Lean(admin.ModelAdmin):
    show_full_result_count = False


@admin.register(Comment)
class CommentAdmin(Lean):
    list_display = ["id", "status", "created_at", "report_count"]
    raw_id_fields = ["player", "game"]


@admin.register(Player)
class PlayerAdmin(Lean):
    list_display = ["id", "username", "is_active", "joined_at"]
    raw_id_fields = ["recent_game"]


for model in (Ban, Note, Report):
    admin.site.register(model, type(f"{model.__name__}Admin", (Lean,), {"raw_id_fields": ["player"]}))
admin.site.register(Reason)
