"""What verbs of this app ask for."""

from django import forms
from django.urls import reverse
from django.utils.html import format_html

from console.forms import OnByDefault, VerbForm
from moderation import lengths, reasons
from moderation.models import Reason


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
        field.widget.about = self.about
        if self.by and self.by.has_perm("moderation.change_reason"):
            field.help_text = format_html('<a href="{}">Change this list</a>', reverse("moderation:reasons"))

    def clean_reason(self):
        return self.cleaned_data["reason"].code


class BanForm(ReasonForm):
    """Also for how long, of what the person's role may give, and what becomes of what waits."""

    expires = forms.CharField(
        label="For how long", error_messages={"required": "Choose for how long.", "invalid": "Choose for how long."}
    )
    reject_pending = forms.BooleanField(
        label="Also reject the player's pending comments", required=False, widget=OnByDefault, initial=True
    )
    games_down = forms.BooleanField(
        label="Also take the player's games down",
        required=False,
        help_text="Players cannot play them until somebody publishes them again, or the ban is undone.",
    )
    field_order = ["version", "idempotency_key", "next", "reason", "expires", "reject_pending", "games_down", "note"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.may_be_long = self.by is None or self.by.has_perm("moderation.ban_player_long")
        offered = [
            (code, label) for code, label in lengths.LABELS.items() if self.may_be_long or not lengths.is_long(code)
        ]
        self.fields["expires"].widget = forms.RadioSelect(choices=offered)
        self.fields["expires"].initial = "1d"
        if not self.may_be_long:
            del self.fields["games_down"]

    def clean_expires(self):
        length = self.cleaned_data["expires"]
        try:
            is_long = lengths.is_long(length)
        except ValueError:
            raise forms.ValidationError("Choose one of these, or give a moment to come as 2027-01-31T12:00Z.") from None
        if is_long and not self.may_be_long:
            raise forms.ValidationError(lengths.TOO_LONG)
        return length


class WhyForm(VerbForm):
    """A note for colleagues, if there is something to say."""

    note = note_field(label="Why (optional)")


class NoteForm(VerbForm):
    note = note_field(required=True, label="What colleagues should know")
