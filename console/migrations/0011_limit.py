"""What console.limits counts. Unlogged: after a crash of the server everybody begins at nought."""

from django.db import migrations

FORWARD = """
CREATE UNLOGGED TABLE console_limit (
    key text PRIMARY KEY,
    used integer NOT NULL,
    until timestamptz NOT NULL
) WITH (fillfactor = 50);
"""


class Migration(migrations.Migration):
    dependencies = [("console", "0010_retention")]

    operations = [migrations.RunSQL(FORWARD, "DROP TABLE console_limit")]
