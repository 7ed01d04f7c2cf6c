"""Verbs of the shell itself."""

from django.utils import timezone

from console.verbs import verb


@verb(
    "export.hand_out",
    label="Export",
    past="exported",
    model="console.Export",
    permission="console.enter_console",  # each export's page names its own
    legal=lambda export: export.handed_out_at is None,
    icon="download",
    by_hand=False,
    final="What has left the console cannot be called back.",
)
def hand_out(exports, act, what="a list", format="csv", number=None):
    """Says who took what with them: the list's noun, the format, the number of rows; the filter is the note."""
    act.change(exports, what=what, format=format, number=number, handed_out_at=timezone.now())
