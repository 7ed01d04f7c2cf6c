"""What verbs of this app ask for."""

from django import forms

from console.forms import VerbForm
from moderation.models import Reason


class ReasonForm(VerbForm):
    """A canned reason, and a note for colleagues."""

    reason = forms.ModelChoiceField(
        Reason.objects.filter(is_active=True),
        to_field_name="code",
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose the reason that fits best.",
            "invalid_choice": "This reason is not on the list any more. Choose another.",
        },
    )
    note = forms.CharField(
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="Note (optional)",
        help_text="For colleagues; the player does not see it.",
    )

    def clean_reason(self):
        return self.cleaned_data["reason"].code
