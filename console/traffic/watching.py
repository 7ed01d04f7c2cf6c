"""The triggers that note which hours of a table have to be counted again, for migrations.

A note is written with the rows it is about, in their transaction: it is seen when they are, however late that is, and
is gone when they are. Notes are only ever added: nobody waits for anybody. Rows that come and go are noted once a
statement and hour, COPY included; of rows that change, only those whose time or address does.
"""

FUNCTIONS = """
CREATE FUNCTION console_traffic_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO console_trafficnote (source, hour) '
        'SELECT DISTINCT %L, date_trunc(''hour'', %I, ''UTC'') FROM changed', TG_TABLE_NAME, TG_ARGV[0]);
    RETURN NULL;
END $$;
CREATE FUNCTION console_traffic_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO console_trafficnote (source, hour) '
        'SELECT DISTINCT %L, date_trunc(''hour'', moved, ''UTC'') FROM (VALUES (($1).%I), (($2).%I)) AS rows (moved)',
        TG_TABLE_NAME, TG_ARGV[0], TG_ARGV[0]) USING OLD, NEW;
    RETURN NULL;
END $$;
"""
NO_FUNCTIONS = "DROP FUNCTION console_traffic_note() CASCADE; DROP FUNCTION console_traffic_moved() CASCADE;"
_TRIGGERS = """
CREATE TRIGGER traffic_came AFTER INSERT ON {table} REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION console_traffic_note('{at}');
CREATE TRIGGER traffic_went AFTER DELETE ON {table} REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION console_traffic_note('{at}');
CREATE TRIGGER traffic_moved AFTER UPDATE OF {columns} ON {table} FOR EACH ROW
    WHEN (({old}) IS DISTINCT FROM ({new})) EXECUTE FUNCTION console_traffic_moved('{at}');
"""
_NOTE_ALL = """
INSERT INTO console_trafficnote (source, hour)
SELECT DISTINCT '{table}', date_trunc('hour', {at}, 'UTC') FROM {table} ORDER BY 2;
"""


def watch(table, at, *others):
    """SQL that begins to watch a table by its time column; when one of the `others` changes, the hour counts as
    touched, too. What is there already is noted as well.
    """
    columns = (at, *others)
    old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW"))
    triggers = _TRIGGERS.format(table=table, at=at, columns=", ".join(columns), old=f"ROW({old})", new=f"ROW({new})")
    return triggers + note_all(table, at)


def note_all(table, at):
    """SQL that has every hour of the table counted again."""
    return _NOTE_ALL.format(table=table, at=at)


def unwatch(table):
    """The way back."""
    return "".join(f"DROP TRIGGER traffic_{what} ON {table};" for what in ("came", "went", "moved"))
