"""What bans of networks ask for."""

from django import forms

from console.forms import OnByDefault, VerbForm
from moderation import lengths, networks
from moderation.forms import LastingForm, ReasonForm, length_field, note_field, start_field


class NetworkBanForm(LastingForm, ReasonForm):
    """`client` is the address of the person who fills it in. What is valid holds `network` as an ipaddress network."""

    network = forms.CharField(
        label="Address or network",
        max_length=80,
        help_text="203.0.113.7, 203.0.113.0/24 or 2001:db8::/48. A single IPv6 address stands for its /64.",
        error_messages={"required": "Write an address, or a network such as 203.0.113.0/24."},
        widget=forms.TextInput(attrs={"autocapitalize": "off", "autocomplete": "off", "spellcheck": "false"}),
    )
    allow = forms.BooleanField(label="This is an exception: let this network through a wider ban", required=False)
    expires = length_field(initial="7d", choices=lengths.LABELS)
    reject_pending = forms.BooleanField(
        label="Also reject pending comments from there", required=False, widget=OnByDefault, initial=True
    )
    games_down = forms.BooleanField(label="Also take down games of players seen there", required=False)
    starts = start_field()
    shown = forms.CharField(required=False, widget=forms.HiddenInput)
    COMMON = (*ReasonForm.COMMON, "network", "shown")
    field_order = [
        *("version", "idempotency_key", "next", "shown", "network", "reason", "expires", "reject_pending"),
        *("games_down", "allow", "starts", "note"),
    ]

    def __init__(self, *args, client="", **kwargs):
        super().__init__(*args, **kwargs)
        self.client = client

    def clean_network(self):
        try:
            return networks.read(self.cleaned_data["network"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def clean(self):
        data = super().clean()
        network = data.get("network")
        if network and not data.get("allow"):
            against = networks.against(network, self.by, self.client)
            if against:
                self.add_error("network", against)
        return data


class ChangeBanForm(LastingForm, VerbForm):
    """Another end, counted from now."""

    expires = length_field(label="It ends", choices=lengths.LABELS)
    note = note_field(label="Why (optional)")
