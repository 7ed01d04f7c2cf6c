"""What verbs of this app ask for."""

from django import forms

from console.forms import Advice, OnByDefault, VerbForm
from moderation import lengths, steps
from moderation.models import Reason, Strike


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

    PREFILLED = ("reason",)

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


class WarnForm(ReasonForm):
    @property
    def advice(self):
        return steps.on_strikes(self.row, self.by) if self.row else None


class StrikeForm(WarnForm):
    """Also how much it weighs."""

    weight = forms.TypedChoiceField(
        label="How much it weighs",
        help_text="A strike weighs for 90 days.",
        required=False,
        coerce=int,
        empty_value=1,
        choices=Strike.WEIGHTS,
        initial=1,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": "A strike weighs 1, 2 or 3."},
    )
    field_order = ["version", "idempotency_key", "next", "reason", "weight", "note"]


class BanForm(ReasonForm):
    """Also for how long, of what the person's role may give, and what becomes of what waits."""

    PREFILLED = ("reason", "expires")

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
        words, length = steps.on_ban(self.row, offered) if self.row else ("", "")
        self.advice = Advice(words) if words else None
        if self.initial.get("expires") not in dict(offered):
            self.initial["expires"] = length or "1d"
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
