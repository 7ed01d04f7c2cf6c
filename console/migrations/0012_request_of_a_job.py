from django.db import migrations, models


class Migration(migrations.Migration):
    """Whose request a job is part of: log lines of the worker can be found by the number on an error page."""

    dependencies = [("console", "0011_limit")]

    operations = [
        migrations.AddField(
            "job",
            "request_id",
            models.CharField(blank=True, db_default="", max_length=64, help_text="Of the request that asked for it."),
        ),
    ]
