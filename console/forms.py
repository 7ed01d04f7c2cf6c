"""The form every change comes through. Apps extend it with what their verbs ask for."""

import uuid

from django import forms


class VerbForm(forms.Form):
    """What was seen, and a key that makes the same click twice one effect. `next` is the page to return to.

    `by` is the person who fills it in: what a form offers may depend on the role; `verb` is what it is for, `about` the
    one row it is done to, if it is one. Fields beyond these, `reason` and
    `note` go to the verb by name, as plain JSON values.
    """

    COMMON = ("version", "idempotency_key", "next", "reason", "note")

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)
    idempotency_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    next = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, by=None, verb=None, about=None, **kwargs):
        self.by, self.verb, self.about = by, verb, about
        super().__init__(*args, **kwargs)

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
        return given[-1] not in ("off", "false", "0", "") if given else True

    def value_omitted_from_data(self, data, files, name):
        return False
