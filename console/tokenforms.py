"""What operators are asked about a token."""

from django import forms

from console.api import scopes
from console.forms import VerbForm
from console.text import spelled

DAYS = [(30, "30 days"), (90, "90 days"), (365, "one year"), (730, "two years")]
A_YEAR, MOST_DAYS = 365, 730


class NewTokenForm(VerbForm):
    """What the token is called, may do, and for how long."""

    name = forms.CharField(
        max_length=80,
        help_text="Where it will be used, as “Portal, production”. With one for each place, each can be revoked alone.",
        error_messages={"required": "Give the token a name."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        widget=forms.CheckboxSelectMultiple(attrs={"class": "choices--long"}),
        error_messages={"required": "Tick at least one.", "invalid_choice": "There is no scope %(value)s."},
    )
    days = forms.TypedChoiceField(
        label="Ends after",
        choices=DAYS,
        coerce=int,
        initial=A_YEAR,
        error_messages={"invalid_choice": "Choose one of these."},
    )
    field_order = ["version", "idempotency_key", "next", "name", "scopes", "days"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["scopes"].choices = [(each.name, f"{each.sentence} ({each.name})") for each in scopes.every()]

    def clean_name(self):
        name = " ".join(self.cleaned_data["name"].split())
        if spelled(name) != name:
            raise forms.ValidationError("This name holds characters that nobody sees. Write one that can be read.")
        return name
