"""What verbs of this app ask for."""

from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from console.forms import Advice, OnByDefault, VerbForm
from moderation import lengths, reasons, steps
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


def length_field(**kwargs):
    """For how long; `choices` as in lengths.LABELS, and any moment besides."""
    choices = kwargs.pop("choices", lengths.LABELS)
    words = "Choose for how long."
    return forms.CharField(
        **{
            "label": "For how long",
            "widget": forms.RadioSelect(choices=list(choices.items())),
            "error_messages": {"required": words, "invalid": words},
            **kwargs,
        }
    )


def start_field():
    return forms.CharField(
        label="Begins (optional)",
        required=False,
        help_text="Left empty, it begins now. In UTC. A ban that begins later rejects nothing and takes nothing down.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )


class LastingForm(forms.Form):
    """What bans have in common: `starts` and `expires` together make sense."""

    def clean(self):
        data = super().clean()
        begin, length = timezone.now(), data.get("expires")
        try:
            begin = lengths.beginning(data.get("starts", ""))
        except ValueError:
            self.add_error("starts", "Give a moment within a year from now, as 2027-01-31T12:00, or leave it empty.")
            return data
        try:
            if length:
                lengths.until(length, begin)
        except ValueError:
            self.add_error("expires", "Choose one of these, or give a moment to come as 2027-01-31T12:00Z.")
        return data


class ReasonChoices(forms.RadioSelect):
    """Beneath the reason that is chosen stands what the player may be told."""

    about = None  # the row that the verb is done to, if it is one

    def create_option(self, name, value, *args, **kwargs):
        option = super().create_option(name, value, *args, **kwargs)
        option["told"] = reasons.filled(value.instance.text, self.about)
        if option["told"] and "id" in option["attrs"]:
            option["attrs"]["aria-describedby"] = f"{option['attrs']['id']}_told"
        return option


class ReasonForm(VerbForm):
    """A canned reason of those meant for the verb, the most used first, and a note for colleagues."""

    PREFILLED = ("reason",)

    reason = forms.ModelChoiceField(
        Reason.objects.none(),
        to_field_name="code",
        empty_label=None,
        widget=ReasonChoices,
        error_messages={
            "required": "Choose the reason that fits best.",
            "invalid_choice": "This reason is not on the list any more. Choose another.",
        },
    )
    note = note_field()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["reason"]
        field.queryset = reasons.offered(self.verb.name if self.verb else "")
        field.widget.about = self.row
        if self.by and self.by.has_perm("moderation.change_reason"):
            field.help_text = format_html('<a href="{}">Change this list</a>', reverse("moderation:reasons"))

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


class BanForm(LastingForm, ReasonForm):
    """Also for how long, of what the person's role may give, and what becomes of what waits."""

    PREFILLED = ("reason", "expires")

    expires = length_field(initial="1d")
    reject_pending = forms.BooleanField(
        label="Also reject the player's pending comments", required=False, widget=OnByDefault, initial=True
    )
    games_down = forms.BooleanField(
        label="Also take the player's games down",
        required=False,
        help_text="Players cannot play them until somebody publishes them again, or the ban is undone.",
    )
    starts = start_field()
    field_order = [
        *("version", "idempotency_key", "next", "reason", "expires", "reject_pending", "games_down", "starts", "note"),
    ]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.may_be_long = self.by is None or self.by.has_perm("moderation.ban_player_long")
        offered = [
            (code, label) for code, label in lengths.LABELS.items() if self.may_be_long or not lengths.is_long(code)
        ]
        self.fields["expires"].widget.choices = offered
        words, length = steps.on_ban(self.row, offered) if self.row else ("", "")
        self.advice = Advice(words) if words else None
        if self.initial.get("expires") not in dict(offered):
            self.initial["expires"] = length or "1d"
        if not self.may_be_long:
            del self.fields["games_down"]

    def clean(self):
        data = super().clean()
        asked = data.get("expires") and not self.errors and not self.may_be_long
        if asked and lengths.is_long(data["expires"], lengths.beginning(data["starts"])):
            self.add_error("expires", lengths.TOO_LONG)
        return data


class WhyForm(VerbForm):
    """A note for colleagues, if there is something to say."""

    note = note_field(label="Why (optional)")


class RevealForm(VerbForm):
    note = note_field(
        required=True,
        label="Why you need to see them",
        help_text="It goes on record with your name. You see them for 15 minutes, on this player's pages.",
        error_messages={"required": "Write why you need to see them."},
    )


class NoteForm(VerbForm):
    note = note_field(required=True, label="What colleagues should know")
