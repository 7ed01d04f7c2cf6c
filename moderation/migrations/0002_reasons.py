"""The canned reasons every installation starts with."""

from django.db import migrations

REASONS = [
    ("spam", "Spam or advertising", "This was removed as advertising."),
    ("scam", "Scam or phishing", "This was removed because it tries to trick people."),
    ("abuse", "Abuse or bullying", "This was removed because it attacks somebody."),
    ("hate", "Hate speech", "This was removed because it attacks people for what they are."),
    ("sexual", "Sexual content", "This was removed as sexual content."),
    ("personal", "Personal information", "This was removed because it shows somebody's personal information."),
    ("other", "Something else", "This was removed because it breaks the rules of this site."),
]


def install(apps, schema_editor):
    reasons = apps.get_model("moderation", "Reason").objects.using(schema_editor.connection.alias)
    for position, (code, label, text) in enumerate(REASONS, start=1):
        reasons.get_or_create(code=code, defaults={"label": label, "text": text, "position": position * 10})


class Migration(migrations.Migration):
    dependencies = [("moderation", "0001_initial")]

    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
