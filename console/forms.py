"""The form every change comes through. Apps extend it with what their verbs ask for."""

import uuid
from typing import NamedTuple

from django import forms


class Advice(NamedTuple):
    """What a form says before it asks, and where that may lead instead."""

    words: str
    href: str = ""
    label: str = ""


class VerbForm(forms.Form):
    """What was seen, and a key that makes the same click twice one effect. `next` is the page to return to.

    `by` is the person who fills it in: what a form offers may depend on the role; `verb` is what it is for, `row` what
    it is about, None when that is several. Fields beyond these, `reason` and `note` go to the verb by name, as plain
    JSON values.
    """

    COMMON = ("version", "idempotency_key", "next", "reason", "note")
    PREFILLED = ()  # fields that a link to the form may fill in
    advice = None  # an Advice

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)
    idempotency_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    next = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, by=None, verb=None, row=None, **kwargs):
        self.by, self.verb, self.row = by, verb, row
        super().__init__(*args, **kwargs)

    def refreshed(self, data):
        """The form's data, to be shown again after the row moved on; for forms that show what the row holds."""
        return data

    @property
    def extra(self):
        """What this verb alone asks for, for a form that is valid."""
        return {name: value for name, value in self.cleaned_data.items() if name not in self.COMMON}


class OnByDefault(forms.CheckboxInput):
    """A box that is ticked unless somebody unticked it: a browser says nothing of an empty box, nor does a script
    that does not know it. The hidden field beside the box (attendant/field.html) tells the two apart.
    """

    says_off = True

    def value_from_datadict(self, data, files, name):
        given = data.getlist(name) if hasattr(data, "getlist") else [data[name]] if name in data else []
        return given[-1].lower() not in ("off", "false", "0", "") if given else True

    def value_omitted_from_data(self, data, files, name):
        return False
