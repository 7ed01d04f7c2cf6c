"""Verbs of the shell itself."""

from django.utils import timezone

from console import staffactions, tokenactions  # noqa: F401  (they declare their verbs)
from console.verbs import verb


@verb(
    "export.hand_out",
    label="Export",
    past="exported",
    model="console.Export",
    permission="console.enter_console",  # each export's page names its own
    legal=lambda export: export.handed_out_at is None or export.file != "",
    while_frozen=True,
    icon="download",
    by_hand=False,
    repeats=True,
    final="What has left the console cannot be called back.",
)
def hand_out(exports, act, what="a list", format="csv", number=None):
    """Says who took what with them: the list's noun, the format, the number of rows; the filter is the note. A file
    that a job wrote may be taken more than once.
    """
    act.change(exports, what=what, format=format, number=number, handed_out_at=timezone.now())


@verb(
    "retention.let_go",
    label="Let go",
    past="let go of old personal data in",
    model="console.Retention",
    permission="console.change_retention",
    legal=lambda run: run.ended_at is None,
    icon="eye-off",
    by_hand=False,
    final="What was let go is gone for good.",
)
def let_go(runs, act, counts=None):
    """Says how much of what a daily run let go (console.retention): `{what: number}`."""
    act.change(runs, counts=counts or {}, ended_at=timezone.now())
