"""What operators are asked when they change staff accounts."""

from django import forms
from django.contrib.auth.models import Group
from django.contrib.auth.validators import UnicodeUsernameValidator

from console.forms import VerbForm
from console.models import User


class WhyForm(VerbForm):
    """A note for colleagues, if there is something to say."""

    note = forms.CharField(
        label="Why (optional)",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For colleagues who read the ledger.",
    )


class AskResetForm(WhyForm):
    """The other operator has nothing but these words to go by."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        note = self.fields["note"]
        note.required, note.label = True, "How you know that it is them who ask"
        note.help_text = "Another operator reads this before approving. Until then nothing changes."
        note.error_messages["required"] = "Write how you made sure, for the operator who approves."


class GroupsField(forms.MultipleChoiceField):
    """Names of groups, in the order in which accounts keep them."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **kwargs):
        words = {"invalid_choice": "There is no group %(value)s."}
        super().__init__(**{"label": "Groups", "required": False, "error_messages": words, **kwargs})

    def clean(self, value):
        return sorted(set(super().clean(value)))


class GroupsForm(WhyForm):
    roles = GroupsField(help_text="What a group may do is the same for everybody in it. It holds from the next click.")
    field_order = ["version", "idempotency_key", "next", "roles", "note"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["roles"].choices = [(name, name) for name in group_names()]
        if self.row:
            self.initial["roles"] = self.row.roles


class InviteForm(VerbForm):
    """Whom to invite, and as what."""

    login = forms.CharField(
        max_length=150,
        validators=[UnicodeUsernameValidator(message="Use only letters, digits and @ . + - _ for a login.")],
        help_text="What they sign in with. It cannot be changed later.",
        error_messages={"required": "Give them a login."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    name = forms.CharField(
        label="Name (optional)",
        required=False,
        max_length=150,
        help_text="As colleagues see it; left empty, the login is shown.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    email = forms.EmailField(
        label="E-mail",
        help_text="The link goes there, and is shown to you once.",
        error_messages={
            "required": "Give an address for the link.",
            "invalid": "Write an address as kit@mail.example.",
        },
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    roles = GroupsField()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["roles"].choices = [(name, name) for name in group_names()]

    def clean_login(self):
        return User.normalize_username(self.cleaned_data["login"])


def group_names():
    return list(Group.objects.order_by("pk").values_list("name", flat=True))
