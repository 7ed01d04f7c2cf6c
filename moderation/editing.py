"""The form that edits a player: only what somebody touched is sent on, so that two who edit different things agree."""

from django import forms
from django.core.validators import validate_email

from console.forms import OnByDefault, VerbForm
from moderation import masking


class EditForm(VerbForm):
    """What the portal knows of a player. A field that is not sent, by a script, stays as it is."""

    OWN = ("username", "email", "is_active", "bio")

    username = forms.CharField(
        label="Username",
        max_length=200,
        show_hidden_initial=True,
        error_messages={
            "required": "Write a name; a player needs one.",
            "max_length": "A name has at most 200 characters.",
        },
    )
    email = forms.CharField(
        label="E-mail (optional)",
        required=False,
        max_length=254,
        show_hidden_initial=True,
        widget=forms.EmailInput,
        error_messages={"max_length": "An e-mail address has at most 254 characters."},
    )
    is_active = forms.BooleanField(
        label="Active",
        help_text="Without it the portal does not let them in.",
        required=False,
        show_hidden_initial=True,
        widget=OnByDefault,
    )
    bio = forms.CharField(
        label="Bio (optional)",
        required=False,
        max_length=20_000,
        strip=False,
        show_hidden_initial=True,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"max_length": "A bio has at most 20,000 characters."},
    )

    def __init__(self, data=None, *args, **kwargs):
        super().__init__(data, *args, **kwargs)
        if self.row and self.by and not masking.sees(self.by, self.row):
            del self.fields["email"]  # whoever may not see it does not write over it
        if self.row:
            self.initial |= {name: getattr(self.row, name) for name in self.OWN}
        for name in self.OWN if data is not None else ():
            if name not in data and name in self.fields:
                del self.fields[name]

    @property
    def touched(self):
        """The names of what differs from what the form was drawn with."""
        return [name for name in self.OWN if name in self.fields and _differs(self, name)]

    @property
    def extra(self):
        return {name: self.cleaned_data[name] for name in self.touched}

    def clean_email(self):
        email = self.cleaned_data["email"]
        if email and email != self.initial.get("email"):  # what the portal sent is not theirs to mend
            try:
                validate_email(email)
            except forms.ValidationError:
                raise forms.ValidationError("Write an e-mail address as name@example.com, or none.") from None
        return email

    def clean_bio(self):
        return _plain(self.cleaned_data["bio"])

    def refreshed(self, data):
        """What nobody touched is shown as the row has it by now."""
        for name in set(self.OWN) & set(self.fields) - set(self.touched):
            data[name] = str(self.initial[name])
        for name in self.OWN:
            data[f"initial-{name}"] = str(self.initial[name])
        return data


def _differs(form, name):
    """Compared as text: browsers send other line ends than were stored, and no blanks around a name."""
    drawn = form.data.get(f"initial-{name}", form.initial.get(name))
    sent = form.cleaned_data.get(name) if hasattr(form, "cleaned_data") else form[name].data
    return _plain(str(sent)).strip() != _plain(str(drawn)).strip()


def _plain(text):
    return text.replace("\r\n", "\n")
