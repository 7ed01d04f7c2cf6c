"""The two database roles: the owner migrates, the application role works and cannot alter the ledger.

Used by embedded services, tests and production alike; `migrate` calls both functions every time.
"""

from contextlib import suppress

from django.conf import settings
from django.db import IntegrityError, ProgrammingError, connections

# what the application may fill in; id, time and transaction are the database's, so that none can be forged
GESTURE_COLUMNS = "id, actor_id, verb, idempotency_key, fingerprint, undoes_id"
ENTRY_COLUMNS = (
    "actor_id, verb, target_type, target_id, target_label, reason, note, batch_id, before, after, undoes_id, "
    "request_id, ip"
)


class RoleError(RuntimeError):
    """The role is missing and this login may not make it; the message holds the SQL to run."""


def ensure_role(using="owner"):
    """Makes the application role if the server has none, and lets the console's login take it on."""
    role = settings.DATABASE_ROLE
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        exists = cursor.fetchone()
        login = settings.DATABASES["default"]["USER"] or connections[using].settings_dict["USER"]
        if not login:
            cursor.execute("SELECT session_user")
            login = cursor.fetchone()[0]
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
    """Gives the application role what it needs on every table, and INSERT and SELECT only on the ledger."""
    role = settings.DATABASE_ROLE
    with connections[using].cursor() as cursor:
        cursor.execute(f"""
            GRANT USAGE ON SCHEMA public TO {role};
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
            GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};
            REVOKE ALL ON django_migrations, console_entry, console_gesture, console_seal FROM {role};
            REVOKE ALL ON SEQUENCE console_entry_id_seq FROM {role};
            GRANT SELECT ON django_migrations, console_entry, console_gesture, console_seal TO {role};
            GRANT INSERT ON console_seal TO {role};
            GRANT INSERT ({GESTURE_COLUMNS}) ON console_gesture TO {role};
            GRANT INSERT ({ENTRY_COLUMNS}) ON console_entry TO {role};
        """)
