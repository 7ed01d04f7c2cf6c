"""Groups are presets of permissions. Each app grants its own after migrate; a group's other rights stay."""

from django.apps import apps
from django.contrib.auth.management import create_permissions

MODERATOR, SENIOR, PUBLISHER, AUDITOR, BETA = "Moderator", "Senior", "Publisher", "Auditor", "Beta"

ENTER = ["console.enter_console"]
READ_OWN = ["console.view_entry", "console.view_staff"]
READ_LEDGER = [*READ_OWN, "console.view_all_entries", "console.export_entry"]
JOIN = ["console.join_flag"]
READ_LABS = ["console.view_flag"]
READ_PORTAL = ["console.view_token", "console.view_webhook"]
TRAFFIC = ["console.view_traffic"]
PRESETS = {
    MODERATOR: [*ENTER, *READ_OWN, *JOIN],
    SENIOR: [*ENTER, *READ_LEDGER, *JOIN, *TRAFFIC, "console.undo_gesture"],
    PUBLISHER: [*ENTER, *READ_OWN, *JOIN],
    AUDITOR: [*ENTER, *READ_LEDGER, *READ_PORTAL, *READ_LABS, *TRAFFIC, "console.view_ops"],
    BETA: [],
}


def grant(app_config, presets, using):
    """Gives each group its permissions ("app.codename"); groups are made when missing. Idempotent."""
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    create_permissions(app_config, using=using, verbosity=0)  # post_migrate order between apps is not ours
    for name, wanted in presets.items():
        group, _ = Group.objects.using(using).get_or_create(name=name)
        for permission in wanted:
            app_label, codename = permission.split(".")
            group.permissions.add(
                Permission.objects.using(using).get(content_type__app_label=app_label, codename=codename)
            )


def apply(sender, using, **kwargs):
    grant(sender, PRESETS, using)
