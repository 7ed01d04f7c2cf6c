"""What operators are asked about a source of events."""

from django import forms

from console.forms import VerbForm
from console.text import spelled


class SourceForm(VerbForm):
    name = forms.CharField(
        max_length=80,
        help_text="Which portal or service it is, as “Portal, production”.",
        error_messages={"required": "Give the source a name."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean_name(self):
        name = " ".join(self.cleaned_data["name"].split())
        if spelled(name) != name:
            raise forms.ValidationError("This name holds characters that nobody sees. Write one that can be read.")
        return name
