"""Entries are sealed once they are final, each once, and what was sealed cannot be changed unnoticed."""

from django.db import transaction

from console import chain, ledger, seal_export, sealing
from console.models import Seal
from console.testing import make_user


def write(number=1, by=None):
    """So many entries by one gesture, as verbs write them."""
    with transaction.atomic():
        gesture, _ = ledger.open_gesture("test", by, None, [])
        row = make_user(f"u{gesture.pk}"[:30])
        ledger.Act(gesture, by).record([row] * number, [{"theme": ""}] * number, [{"theme": "dark"}] * number)


def sealed():
    return [seal.entries for seal in Seal.objects.order_by("number")]


def test_entries_are_sealed_once_and_in_order(committed_db):
    assert sealing.run() == 0
    write(5)
    assert sealing.run(batch=2) == 5
    assert sealing.run() == 0
    write(1)
    assert sealing.run() == 1
    assert sealed() == ["1-2", "3-4", "5", "6"]
    check, waiting = chain.check_lines(seal_export.lines())
    assert (check.verdict, check.entries, check.seals, waiting) == ("", 6, 4, 0)
