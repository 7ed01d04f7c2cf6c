"""What a password must withstand: a guesser who knows leaked lists, keyboard patterns and names, not rules of spelling.

Checked offline by zxcvbn, whose lists are those of leaked passwords, names and words (Wheeler, USENIX Security 2016).
"""

from django.core.exceptions import ValidationError
from zxcvbn import zxcvbn

LOOKED_AT = 72  # characters; what follows can only make it stronger, and costs time


class GuessableValidator:
    """Refuses what takes fewer than `guesses` tries."""

    def __init__(self, guesses=10**10):
        self.guesses = guesses

    def validate(self, password, user=None):
        """Raises ValidationError with a sentence that says what is wrong."""
        known = [user.username, user.first_name, user.last_name, user.email.partition("@")[0]] if user else []
        found = zxcvbn(password[:LOOKED_AT], user_inputs=["attendant", *filter(None, known)])
        if found["guesses"] < self.guesses:
            why = found["feedback"]["warning"].rstrip(".") or "It is guessed too easily"
            raise ValidationError(f"{why}. Several words that have nothing to do with each other make a good password.")

    def get_help_text(self):
        return "Several words that have nothing to do with each other make a good one."
