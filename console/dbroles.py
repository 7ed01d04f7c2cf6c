"""The two database roles: the owner migrates, the application role works and cannot alter what is on record.

Used by embedded services, tests and production alike; `migrate` makes both every time, `manage.py database_roles`
checks them. What the application may do is declared once, here.
"""

from collections import defaultdict
from contextlib import suppress

from django.conf import settings
from django.db import IntegrityError, ProgrammingError, connections

SELECT, INSERT, UPDATE, DELETE = "SELECT", "INSERT", "UPDATE", "DELETE"
WORK = {SELECT: True, INSERT: True, UPDATE: True, DELETE: True}  # what is declared nowhere else
READ = {SELECT: True}


class But(tuple):
    """Every column but these: ids and times, which are the database's, so that none can be forged."""


# True: every column; a set: these; But: all the others. Locking rows takes UPDATE on one column at least
RIGHTS = {
    "django_migrations": READ,  # /readyz compares
    "django_content_type": READ,
    "auth_permission": READ,
    "console_entry": {SELECT: True, INSERT: But(("id", "at", "xid"))},
    "console_gesture": {SELECT: True, INSERT: But(("at",))},
    "console_seal": {SELECT: True, INSERT: True},  # whose order and time a trigger checks
    "console_signin": {SELECT: True, INSERT: But(("id",)), DELETE: True},  # of now, and of old ones: triggers
    "console_event": {
        SELECT: True,
        INSERT: But(("at", "xid")),
        UPDATE: {"due_at", "withdrawn_at", "dispatched_at"},
        DELETE: True,
    },
    "console_attempt": {  # what was tried stays so
        SELECT: True,
        INSERT: But(("id",)),
        UPDATE: {"took_ms", "code", "answer", "error"},
        DELETE: True,
    },
    "console_delivery": {
        SELECT: True,
        INSERT: But(("id",)),
        UPDATE: But(("id", "webhook_id", "event_id", "message", "at")),
        DELETE: True,
    },
    "console_source": {SELECT: True, INSERT: But(("id",)), UPDATE: But(("id",))},
    "console_token": {  # what opens it stays as it was made
        SELECT: True,
        INSERT: But(("id",)),
        UPDATE: {"scopes", "expires_at", "last_used_at", "first_taken_at", "revoked_at", "version"},
    },
    "console_personal": {SELECT: True, INSERT: True, DELETE: True},  # erased, never changed
    "console_export": {SELECT: True, INSERT: True, UPDATE: True},
    "console_retention": {SELECT: True, INSERT: True, UPDATE: True},
    "console_trafficnote": {SELECT: True, INSERT: But(("id",)), DELETE: True},  # by triggers; gone once counted
}
# what stops the owner, too; without them a statement by hand could change what is on record
TRIGGERS = {
    "console_entry": ("console_entry_no_change", "console_entry_no_truncate"),
    "console_gesture": ("console_gesture_no_change", "console_gesture_no_truncate"),
    "console_seal": ("console_seal_no_change", "console_seal_no_truncate", "console_seal_in_order"),
    "console_signin": (
        *("console_signin_is_of_now", "console_signin_no_change", "console_signin_no_hiding"),
        "console_signin_no_truncate",
    ),
}
OF_TABLES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
OF_COLUMNS = ("SELECT", "INSERT", "UPDATE", "REFERENCES")

_TABLES = """
    SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') GROUP BY c.relname
    ORDER BY c.relname
"""
_HELD = """
    SELECT c.relname, a.attname, p.name FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    CROSS JOIN unnest(%(columns)s::text[]) AS p(name)
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND has_column_privilege(%(role)s, c.oid, a.attnum, p.name)
    UNION ALL
    SELECT c.relname, '', p.name FROM pg_class c CROSS JOIN unnest(%(tables)s::text[]) AS p(name)
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND has_table_privilege(%(role)s, c.oid, p.name)
"""
_TRIGGERS = "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
_SEQUENCES = """
    SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND CASE relkind
        WHEN 'S' THEN has_sequence_privilege(%(role)s, oid, 'USAGE, SELECT, UPDATE') END ORDER BY relname
"""
_OWNED = """
    SELECT c.relname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
    WHERE c.relnamespace = 'public'::regnamespace AND r.rolname = ANY(%(roles)s) ORDER BY c.relname
"""
_POWERS = ("rolsuper", "rolcreatedb", "rolcreaterole", "rolreplication", "rolbypassrls")


class RoleError(RuntimeError):
    """The role is missing and this login may not make it; the message holds the SQL to run."""


def login_of(using="owner"):
    """The login by which the console works; it takes on the application role."""
    login = settings.DATABASES["default"]["USER"] or connections[using].settings_dict["USER"]
    if login:
        return login
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT session_user")
        return cursor.fetchone()[0]


def ensure_role(using="owner"):
    """Makes the application role if the server has none, and lets the console's login take it on."""
    role, login = settings.DATABASE_ROLE, login_of(using)
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        exists = cursor.fetchone()
        member = False
        if exists:
            cursor.execute("SELECT pg_has_role(%s, %s, 'MEMBER')", [login, role])
            member = cursor.fetchone()[0]
        quoted = connections[using].ops.quote_name(login)
        try:
            if not exists:
                with suppress(IntegrityError):  # somebody else made it just now
                    cursor.execute(f"CREATE ROLE {role} NOLOGIN")
            if not member:
                cursor.execute(f"GRANT {role} TO {quoted}")
        except ProgrammingError as error:
            raise RoleError(
                f"The database has no role {role} that {login} may use, and this login cannot make one. As a "
                f"superuser of that server run:  CREATE ROLE {role} NOLOGIN; GRANT {role} TO {quoted};"
            ) from error


def grant(using="owner"):
    """Gives the application role exactly what is declared on every table, and no sequence: identity needs none."""
    role = settings.DATABASE_ROLE
    with connections[using].cursor() as cursor:
        cursor.execute(
            f"REVOKE CREATE ON SCHEMA public FROM PUBLIC, {role}; GRANT USAGE ON SCHEMA public TO {role};"
            f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role};"
            f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {role};"
            + "".join(
                _granting(table, privilege, columns, role)
                for table, there in tables(cursor).items()
                for privilege, columns in declared(table, there).items()
            )
        )


def tables(cursor):
    """`{table: [its columns]}` of the console's schema."""
    cursor.execute(_TABLES)
    return dict(cursor.fetchall())


def declared(table, there):
    """`{privilege: the columns it is for}` of the application role on this table, which has the columns `there`."""
    return {privilege: _columns(which, there) for privilege, which in RIGHTS.get(table, WORK).items()}


def _columns(which, there):
    if which is True:
        return there
    return [each for each in there if (each not in which) == isinstance(which, But)]


def _granting(table, privilege, columns, role):
    which = RIGHTS.get(table, WORK).get(privilege)
    narrow = "" if which in (True, None) else f" ({', '.join(columns)})"
    return f'GRANT {privilege}{narrow} ON "{table}" TO {role};'


def deviations(using="owner"):
    """`[(what is not as declared, in words, the SQL that mends it)]`, of a role that exists."""
    role = settings.DATABASE_ROLE
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        if not cursor.fetchone():
            return [(f"There is no role {role}.", f"CREATE ROLE {role} NOLOGIN;")]
        return [
            *_about_roles(cursor, role, login_of(using)),
            *_about_rights(cursor, role),
            *_about_triggers(cursor),
        ]


def _about_roles(cursor, role, login):
    quoted = connections["owner"].ops.quote_name(login)
    cursor.execute("SELECT pg_has_role(%s, %s, 'MEMBER')", [login, role])
    if not cursor.fetchone()[0]:
        yield f"The login {login} is no member of {role}.", f"GRANT {role} TO {quoted};"
    cursor.execute(f"SELECT rolname, {', '.join(_POWERS)} FROM pg_roles WHERE rolname IN (%s, %s)", [role, login])
    for name, *powers in cursor.fetchall():
        for power in (power for power, has in zip(_POWERS, powers, strict=True) if has):
            word = power.removeprefix("rol").upper().replace("SUPER", "SUPERUSER")
            yield f"{name} has {word}.", f'ALTER ROLE "{name}" NO{word};'
    cursor.execute(
        "SELECT m.rolname, g.rolname FROM pg_auth_members JOIN pg_roles g ON g.oid = roleid "
        "JOIN pg_roles m ON m.oid = member WHERE m.rolname IN (%s, %s) AND g.rolname <> %s",
        [role, login, role],
    )
    for member, group in cursor.fetchall():
        yield f"{member} is a member of {group}.", f'REVOKE "{group}" FROM "{member}";'
    cursor.execute(_OWNED, {"roles": [role, login]})
    owned = [name for (name,) in cursor.fetchall()]
    if owned:
        yield (
            f"{login} or {role} owns {len(owned)} tables and sequences ({', '.join(owned[:3])} …), and may switch off "
            "what protects them.",
            "-- set DATABASE_OWNER_URL to a login of its own, then as a superuser: "
            f"REASSIGN OWNED BY {quoted} TO that_login;",
        )
    cursor.execute("SELECT has_schema_privilege(%s, 'public', 'CREATE')", [role])
    if cursor.fetchone()[0]:
        yield f"{role} may create tables.", f"REVOKE CREATE ON SCHEMA public FROM PUBLIC, {role};"


def _about_rights(cursor, role):
    there = tables(cursor)
    cursor.execute(_HELD, {"role": role, "columns": list(OF_COLUMNS), "tables": list(OF_TABLES)})
    held = set(cursor.fetchall())
    wanted = set()
    for table, columns in there.items():
        for privilege, which in declared(table, columns).items():
            wanted |= {(table, column, privilege) for column in which if privilege in OF_COLUMNS}
            if RIGHTS.get(table, WORK)[privilege] is True:
                wanted.add((table, "", privilege))
    both = (held - wanted, "REVOKE", f"FROM PUBLIC, {role}", "may"), (wanted - held, "GRANT", f"TO {role}", "may not")
    for found, verb, whom, said in both:
        by_table = defaultdict(list)
        for table, column, privilege in sorted(found):
            by_table[table, privilege].append(column)
        for (table, privilege), columns in by_table.items():
            whole = "" in columns
            some = "" if whole else f" ({', '.join(columns)})"
            sql = f'{verb} {privilege}{some} ON "{table}" {whom};'
            if whole and verb == "REVOKE" and privilege in declared(table, there[table]):
                sql += f" {_granting(table, privilege, declared(table, there[table])[privilege], role)}"
            yield f"{role} {said} {privilege}{some} on {table}.", sql
    cursor.execute(_SEQUENCES, {"role": role})
    for (name,) in cursor.fetchall():
        yield f"{role} may use the sequence {name}.", f'REVOKE ALL ON SEQUENCE "{name}" FROM PUBLIC, {role};'


def _about_triggers(cursor):
    cursor.execute(_TRIGGERS)
    held = set(cursor.fetchall())
    for table, names in TRIGGERS.items():
        for name in names:
            if (table, name) not in held:
                yield f"The trigger {name} of {table} is off or gone.", f"ALTER TABLE {table} ENABLE TRIGGER {name};"
