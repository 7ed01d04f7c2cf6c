from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("console", "0014_webhooks")]

    operations = [
        migrations.AddField(
            model_name="token",
            name="first_taken_at",
            field=models.DateTimeField(
                blank=True, help_text="When a row that it sent was first taken.", null=True
            ),
        ),
    ]
