"""Secrets at rest: what has to be read again (a seed, a signing secret) is worth nothing to whoever has only the
database. The keys come from SECRET_KEY, one for each purpose; former ones (SECRET_KEY_FALLBACKS) still open.
"""

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class Unreadable(Exception):
    """It was locked by a key that nobody has any more."""


def _keys(purpose):
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        yield Fernet(urlsafe_b64encode(HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(secret.encode())))


def lock(purpose, text):
    return MultiFernet(_keys(purpose)).encrypt(text.encode()).decode()


def unlock(purpose, locked):
    """What was locked for this purpose. Raises Unreadable."""
    try:
        return MultiFernet(_keys(purpose)).decrypt(locked.encode()).decode()
    except InvalidToken as error:
        raise Unreadable(purpose) from error
