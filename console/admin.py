"""What emergency access shows of the shell."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from console.emergency import ReadOnly
from console.models import Entry, Flag, Gesture, User


@admin.register(Entry)
class EntryAdmin(ReadOnly):
    list_display = ["at", "actor", "verb", "target_type", "target_id", "reason"]
    list_select_related = ["actor"]
    show_full_result_count = False


admin.site.register(Gesture)
admin.site.register(Flag)
admin.site.register(User, UserAdmin)
