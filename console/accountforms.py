"""allauth's forms in the words of the house; what they do stays theirs."""

from allauth.account import forms

UNTYPED = "Type your password."


def _say(form, **fields):
    """Each field's label, and what is said when it is empty; an example in grey would only say the label again."""
    for name, (label, missing) in fields.items():
        field = form.fields[name]
        field.label, field.error_messages["required"] = label, missing
        field.widget.attrs.pop("placeholder", None)


class SignInForm(forms.LoginForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _say(self, login=("Login", "Type your login or e-mail address."), password=("Password", UNTYPED))
        self.fields["login"].widget.attrs["placeholder"] = "Login or e-mail address"


class ConfirmForm(forms.ReauthenticateForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _say(self, password=("Password", UNTYPED))


class _ChooseTwice:
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _say(self, password1=("New password", "Choose a password."), password2=("The same again", "Type it again."))


class ChangePasswordForm(_ChooseTwice, forms.ChangePasswordForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _say(self, oldpassword=("Present password", "Type the password that you have now."))


class NewPasswordForm(_ChooseTwice, forms.ResetPasswordKeyForm):
    pass


class ForgottenForm(forms.ResetPasswordForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _say(self, email=("E-mail", "Type the address that your account knows."))
        self.fields["email"].error_messages["invalid"] = "Write an address as kit@mail.example."
