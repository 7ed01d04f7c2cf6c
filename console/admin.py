"""What emergency access shows of the shell. The ledger is read-only."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from console.models import Entry, Flag, Gesture, User


class ReadOnly(admin.ModelAdmin):
    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(Entry)
class EntryAdmin(ReadOnly):
    list_display = ["at", "actor", "verb", "target_type", "target_id", "reason"]
    list_select_related = ["actor"]
    show_full_result_count = False


admin.site.register(Gesture, ReadOnly)
admin.site.register(Flag)
admin.site.register(User, UserAdmin)
