"""The ledger is append-only in the database itself, for the owner of the tables too."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION console_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The ledger is append-only: % on % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
"""
TABLE = """
CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION console_refuse_change();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION console_refuse_change();
"""
BACKWARD = "DROP FUNCTION console_refuse_change() CASCADE;"


class Migration(migrations.Migration):
    dependencies = [("console", "0001_initial")]

    operations = [
        migrations.RunSQL(
            FORWARD + TABLE.format(table="console_entry") + TABLE.format(table="console_gesture"), BACKWARD
        )
    ]
