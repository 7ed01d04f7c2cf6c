"""The form every change comes through. Apps extend it with what their verbs ask for."""

import uuid

from django import forms


class VerbForm(forms.Form):
    """What was seen, and a key that makes the same click twice one effect. `next` is the page to return to."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)
    idempotency_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    next = forms.CharField(widget=forms.HiddenInput, required=False)
