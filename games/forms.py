"""What verbs on games and builds ask for."""

from django import forms

from console.forms import VerbForm
from games.models import Build
from moderation.forms import note_field

STAGE_LABELS = {
    Build.INSPECTED: "Inspect the zip",
    Build.UNPACKED: "Unpack it",
    Build.PICTURED: "Make the picture",
    Build.STORED: "Store the files",
    Build.READY: "Make it ready",
}


class ChangesForm(VerbForm):
    note = note_field(
        required=True,
        label="What should change",
        help_text="The uploader reads it on the build's page.",
        error_messages={"required": "Write what should change."},
    )


class RetryForm(VerbForm):
    """From where to start again; by default at the stage that failed."""

    stage = forms.ChoiceField(
        label="Start with",
        required=False,
        choices=[("", "The stage that failed"), *STAGE_LABELS.items()],
        widget=forms.RadioSelect,
        initial="",
        error_messages={"invalid_choice": "There is no such stage."},
    )
