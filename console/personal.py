"""Personal values the ledger points at: kept once per person they are about, so that they can be erased per person.

A subject is "app.model:id" of whom a value is about; for a note, the gesture it was written for.
"""

from django.utils.crypto import salted_hmac

from console import prepared
from console.models import Personal


def subject(row):
    return f"{row._meta.label_lower}:{row.pk}"


_COLUMNS = ("ref", "subject", "kind", "value")
_STORE = f"""
    INSERT INTO console_personal ({", ".join(_COLUMNS)})
    SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[]) ON CONFLICT DO NOTHING
"""


class Keeper:
    """Collects values and stores them by one INSERT, in a fixed order: gestures that bring the same ones queue up
    behind each other instead of locking each other out.
    """

    def __init__(self):
        self.rows = {}

    def add(self, about, kind, value):
        """The reference under which the value will be found; "" for an empty one."""
        if not value:
            return ""
        ref = salted_hmac("console.personal", f"{about}:{kind}:{value}", algorithm="sha256").hexdigest()
        self.rows[ref] = Personal(ref=ref, subject=about, kind=kind, value=value)
        return ref

    def store(self):
        rows = [self.rows[ref] for ref in sorted(self.rows)]
        if rows:
            with prepared.cursor() as cursor:
                cursor.execute(_STORE, [[getattr(row, name) for row in rows] for name in _COLUMNS])
        self.rows = {}


def reveal(refs):
    """`{ref: value}` for those that have not been erased."""
    return dict(Personal.objects.filter(ref__in=[ref for ref in refs if ref]).values_list("ref", "value"))
