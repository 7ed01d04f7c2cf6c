"""Values of fields as the ledger keeps them: JSON, and for personal fields a pointer instead of the value.

`encode` gives the same for a value as it was set and as the database returns it: moments in UTC, addresses in one
spelling, rows by their key. Otherwise undo would take a difference in spelling for a change by somebody else.
"""

from datetime import UTC, datetime

from console import personal

POINTER = "$ref"


def encode(row, name, value, keeper):
    """The value of `row`'s field `name` for the ledger; what is personal is handed to `keeper` (personal.Keeper)."""
    field = row._meta.get_field(name)
    plain = getattr(value, "pk", value) if field.is_relation else field.to_python(value)
    if isinstance(plain, datetime):
        plain = plain.astimezone(UTC).isoformat()
    elif not isinstance(plain, bool | int | float | str | list | dict | None):
        plain = str(plain)
    if plain and name in getattr(row, "PERSONAL_FIELDS", ()):
        return {POINTER: keeper.add(personal.subject(row), name, str(plain))}
    return plain


def decode(model, name, value):
    """`(attribute, value)` to set on a row; an erased personal value comes back empty."""
    field = model._meta.get_field(name)
    if ref := pointer(value):
        value = personal.reveal([ref]).get(ref, None if field.null else "")
    if not field.is_relation:
        value = field.to_python(value)
    return field.attname, value


def pointer(value):
    """The reference that stands for a personal value, or "" for a plain one."""
    return value[POINTER] if isinstance(value, dict) and set(value) == {POINTER} else ""


def erased_among(values):
    """References of those whose personal value is not kept any more."""
    refs = {ref for value in values if (ref := pointer(value))}
    return refs - set(personal.reveal(refs)) if refs else set()
