"""What operators are asked when they move a flag or flip a switch."""

from django import forms
from django.utils.html import format_html_join

from console import flags
from console.staffforms import GroupsField, WhyForm, group_names

STAGES = [
    (flags.OFF, "Off: nobody has it"),
    (flags.OPT_IN, "Opt-in: who switches it on for themselves"),
    (flags.GROUPS, "Groups: those, and everybody in the groups below"),
    (flags.SHARE, "Share: all those, and the share of staff below"),
    (flags.EVERYONE, "Everyone"),
]


class StageForm(WhyForm):
    stage = forms.ChoiceField(
        choices=STAGES,
        widget=forms.RadioSelect(attrs={"class": "choices--long"}),
        error_messages={"required": "Choose a stage.", "invalid_choice": "There is no stage %(value)s."},
    )
    groups = GroupsField(help_text="For the stages groups and share.")
    share = forms.IntegerField(
        label="Share of staff, in percent",
        required=False,
        min_value=0,
        max_value=100,
        help_text="For the stage share. Who has it keeps it when the share grows.",
        error_messages={"invalid": "Give a whole number from 0 to 100."},
    )
    field_order = ["version", "idempotency_key", "next", "stage", "groups", "share", "note"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["groups"].choices = [(name, name) for name in group_names()]
        if self.row:
            self.initial |= {"stage": self.row.stage, "groups": self.row.given_to, "share": self.row.share}

    def clean_share(self):
        share = self.cleaned_data["share"]
        return self.initial.get("share", 0) if share is None else share

    def clean(self):
        data = super().clean()
        if data.get("stage") == flags.GROUPS and "groups" not in self.errors and not data["groups"]:
            self.add_error("groups", "Tick at least one group, or choose another stage.")
        if data.get("stage") == flags.SHARE and "share" not in self.errors and not data["share"]:
            self.add_error("share", "Give a share of 1 to 100 percent, or choose another stage.")
        return data


class FlipForm(WhyForm):
    """The button is all there is to it; what it stops is said above."""

    @staticmethod
    def foretold(switches):
        """What flipping them would do, as HTML."""
        return format_html_join("", '<div class="note note--warn"><p>{}</p></div>', ((_said(s),) for s in switches))


def _said(switch):
    if switch.active:
        return "It is on. Flipping it switches it off: everything goes on as always."
    stops = switch.declared.stops if switch.declared else "It is used nowhere any more."
    return f"It is off. Flipping it switches it on, at once and for everybody. {stops}"
