"""A password is long and not known; nothing is asked of its spelling."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from console.models import User

OWNER = User(username="moses", first_name="Moses", email="moses.miller@portal.example")


@pytest.mark.parametrize(
    "password",
    [
        "short1!A",
        "passwordpassword",
        "Passw0rd2024",
        "qwertyuiop123",
        "111111111111",
        "iloveyou1234",
        "moses1moses1",
        "attendant1234",
        "unbelievable",
        "abcdefghijkl",
    ],
)
def test_what_is_guessed_first_is_refused(password):
    with pytest.raises(ValidationError):
        validate_password(password, OWNER)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "seven purple giraffes waltz",
        "дождь над тихой рекой",
        "a tab in the rain, Berlin",
    ],
)
def test_length_is_enough_and_no_rule_of_spelling_is_asked(password):
    validate_password(password, OWNER)


def test_a_refusal_says_why_on_the_form(moses):
    from console.testing import PASSWORD

    form = {"oldpassword": PASSWORD, "password1": "passwordpassword", "password2": "passwordpassword"}
    page = moses.post("/accounts/password/change/", form)
    assert "Several words" in page.text
