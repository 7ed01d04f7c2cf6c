"""What verbs of this app ask for."""

from django import forms

from console.forms import OnByDefault, VerbForm
from moderation import lengths
from moderation.models import Reason


def note_field(required=False, **kwargs):
    return forms.CharField(
        required=required,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        **{
            "label": "Note" if required else "Note (optional)",
            "help_text": "For colleagues; the player does not see it.",
            "error_messages": {"required": "Write what colleagues should know."},
            **kwargs,
        },
    )


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
    note = note_field()

    def clean_reason(self):
        return self.cleaned_data["reason"].code


class BanForm(ReasonForm):
    """Also for how long, of what the person's role may give, and what becomes of what waits."""

    expires = forms.CharField(
        label="For how long", error_messages={"required": "Choose for how long.", "invalid": "Choose for how long."}
    )
    reject_pending = forms.BooleanField(
        label="Also reject the player's pending comments", required=False, widget=OnByDefault, initial=True
    )
    games_down = forms.BooleanField(
        label="Also take the player's games down",
        required=False,
        help_text="Players cannot play them until somebody publishes them again, or the ban is undone.",
    )
    field_order = ["version", "idempotency_key", "next", "reason", "expires", "reject_pending", "games_down", "note"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.may_be_long = self.by is None or self.by.has_perm("moderation.ban_player_long")
        offered = [
            (code, label) for code, label in lengths.LABELS.items() if self.may_be_long or not lengths.is_long(code)
        ]
        self.fields["expires"].widget = forms.RadioSelect(choices=offered)
        self.fields["expires"].initial = "1d"
        if not self.may_be_long:
            del self.fields["games_down"]

    def clean_expires(self):
        length = self.cleaned_data["expires"]
        try:
            is_long = lengths.is_long(length)
        except ValueError:
            raise forms.ValidationError("Choose one of these, or give a moment to come as 2027-01-31T12:00Z.") from None
        if is_long and not self.may_be_long:
            raise forms.ValidationError(lengths.TOO_LONG)
        return length


class WhyForm(VerbForm):
    """A note for colleagues, if there is something to say."""

    note = note_field(label="Why (optional)")


class NoteForm(VerbForm):
    note = note_field(required=True, label="What colleagues should know")
