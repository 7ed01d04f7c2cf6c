"""Signatures of messages between portals and the console, by Standard Webhooks 1.0.0: what leaves is signed, what
arrives is verified. `webhook-id` stays the same for every try, `webhook-timestamp` is that of the try.
"""

import base64
import binascii
import hashlib
import hmac
import secrets as randomness
import time

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64  # of a secret, in bytes
TOLERANCE_S = 5 * 60
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


class Refused(Exception):
    """The message is not from whom it should be, or not of now. Why is for logs; whoever sent it is told nothing."""


def new_secret():
    return PREFIX + base64.b64encode(randomness.token_bytes(32)).decode()


def key_of(secret):
    """The bytes that a secret stands for. Raises ValueError for what is none."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("The secret is no base64.") from error
    if not SHORTEST <= len(key) <= LONGEST:
        raise ValueError(f"A secret has {SHORTEST} to {LONGEST} bytes.")
    return key


def sign(secret, message_id, timestamp, body):
    """The signature of `body` (bytes), sent as `message_id` at `timestamp` (whole seconds)."""
    signed = b".".join([message_id.encode(), str(int(timestamp)).encode(), body])
    return "v1," + base64.b64encode(hmac.new(key_of(secret), signed, hashlib.sha256).digest()).decode()


def headers(secrets, message_id, body, now=None):
    """The headers of a message: a signature by each of these secrets, so that a receiver may know either."""
    timestamp = int(time.time() if now is None else now)
    signatures = " ".join(sign(secret, message_id, timestamp, body) for secret in secrets)
    return {ID: message_id, TIMESTAMP: str(timestamp), SIGNATURE: signatures}


def verify(secrets, given, body, now=None):
    """The id of a message whose headers (`given`, by lower-case name) are signed by one of these secrets.

    Raises Refused. Every signature is compared with every secret, each in constant time.
    """
    message_id, timestamp, signatures = (given.get(name) or "" for name in (ID, TIMESTAMP, SIGNATURE))
    if not (message_id and signatures):
        raise Refused("A header is missing.")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise Refused("The timestamp is no number.")
    if abs(int(timestamp) - (time.time() if now is None else now)) > TOLERANCE_S:
        raise Refused("The message is not of now.")
    right = [sign(secret, message_id, timestamp, body).encode() for secret in secrets]
    same = [hmac.compare_digest(each.encode(), one) for each in signatures.split()[:20] for one in right]
    if not any(same):
        raise Refused("No signature is right.")
    return message_id
