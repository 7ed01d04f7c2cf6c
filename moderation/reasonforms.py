"""What a canned reason is made of, as seniors write it."""

from django import forms
from django.core.validators import RegexValidator

from console.forms import VerbForm
from moderation import reasons


class ReasonEditForm(VerbForm):
    """Everything but the code, which entries and scripts hold."""

    label = forms.CharField(max_length=80, error_messages={"required": "Give the reason a name."})
    text = forms.CharField(
        label="What the player may be told (optional)",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="{player} and {game} become the name of the player and the title of the game.",
    )
    verbs = forms.MultipleChoiceField(
        label="For which decisions",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: for all of them.",
        error_messages={"invalid_choice": "There is no decision %(value)s that asks for a reason."},
    )
    position = forms.IntegerField(
        label="Place on the list",
        min_value=0,
        max_value=30_000,
        initial=100,
        help_text="Lower numbers come first; above them all stands what is given most.",
        error_messages={"required": "Give a number; 100 is a good one.", "invalid": "Give a whole number."},
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["verbs"].choices = reasons.verbs_that_ask()
        if self.row:
            self.initial |= {name: getattr(self.row, name) for name in ("label", "text", "verbs", "position")}

    def clean_label(self):
        label = " ".join(self.cleaned_data["label"].split())
        if not any(char.isprintable() and not char.isspace() for char in label):
            raise forms.ValidationError("This name shows nothing. Write one that can be read.")
        return label

    def clean_text(self):
        text = self.cleaned_data["text"]
        if strange := reasons.unknown(text):
            raise forms.ValidationError(
                f"“{strange}” stands for nothing. In braces there can be {{player}} or {{game}}, spelled so."
            )
        return text

    def clean_verbs(self):
        return sorted(self.cleaned_data["verbs"])


class NewReasonForm(ReasonEditForm):
    code = forms.CharField(
        max_length=32,
        validators=[RegexValidator(r"^[a-z0-9_-]+\Z", "Use small letters, digits, - and _ only.")],
        help_text="Short, for scripts and exports, as “spam”. It cannot be changed later.",
        error_messages={"required": "Give the reason a code."},
    )
    field_order = ["version", "idempotency_key", "next", "code", "label", "text", "verbs", "position"]
