"""What operators are asked about endpoints."""

from django import forms

from console.forms import VerbForm
from console.staffforms import WhyForm  # noqa: F401
from console.webhooks import guard
from console.webhooks.models import EVENTS


class EditForm(VerbForm):
    """An address is looked up here, and again whenever something is sent."""

    name = forms.CharField(
        max_length=80,
        help_text="For you and your colleagues.",
        error_messages={"required": "Give the endpoint a name."},
    )
    url = forms.CharField(
        label="Address",
        max_length=2000,
        help_text="Where messages are posted to: https://portal.example.org/attendant",
        error_messages={"required": "Give the address that messages go to."},
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    events = forms.MultipleChoiceField(
        label="What it is told",
        required=False,
        choices=[(name, f"{name}: {says}") for name, says in EVENTS.items()],
        widget=forms.CheckboxSelectMultiple(attrs={"class": "choices--long"}),
        help_text="None ticked: all of it, and what may be added later.",
        error_messages={"invalid_choice": "There is no event %(value)s."},
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.row:
            self.initial |= {name: getattr(self.row, name) for name in ("name", "url", "events")}

    def clean_name(self):
        name = " ".join(self.cleaned_data["name"].split())
        if not any(char.isprintable() and not char.isspace() for char in name):
            raise forms.ValidationError("This name shows nothing. Write one that can be read.")
        return name

    def clean_url(self):
        try:
            guard.checked(guard.parse(self.cleaned_data["url"]))
        except guard.Refused as refused:
            raise forms.ValidationError(str(refused)) from None
        return self.cleaned_data["url"]

    def clean_events(self):
        """In the order of the list; all of them ticked one by one stay just these."""
        return [name for name in EVENTS if name in self.cleaned_data["events"]]


class NewForm(EditForm):
    pass


class ReplayFailedForm(VerbForm):
    since = forms.DateTimeField(
        label="Since (optional)",
        required=False,
        help_text="In UTC; what became due earlier is left. Empty: all of the last 30 days.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        error_messages={"invalid": "Write a time as 2026-01-31 14:05."},
    )

    def clean_since(self):
        since = self.cleaned_data["since"]
        return since and since.isoformat()
