"""Signatures by Standard Webhooks 1.0.0, also as its reference library sees them."""

import base64
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from console.webhooks import signing

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, SENT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'


def made(secrets=(SECRET,), body=BODY, now=SENT):
    return signing.headers(secrets, ID, body, now=now)


def test_the_vector_of_the_specification():
    assert signing.sign(SECRET, ID, SENT, BODY) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert made() == {
        "webhook-id": ID,
        "webhook-timestamp": str(SENT),
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_reference_library_verifies_what_we_sign():
    secret, body = signing.new_secret(), '{"type": "comment.approved", "data": "ä"}'.encode()
    headers = made([secret], body, now=None)
    assert Webhook(secret).verify(body, headers)["data"] == "ä"
    with pytest.raises(WebhookVerificationError):
        Webhook(signing.new_secret()).verify(body, headers)


def test_during_an_overlap_either_secret_is_good():
    old, new = signing.new_secret(), signing.new_secret()
    headers = made([new, old], now=None)
    assert headers["webhook-signature"].count("v1,") == 2
    for secret in (old, new):
        Webhook(secret).verify(BODY, headers)
        assert signing.verify([secret], headers, BODY) == ID


@pytest.mark.parametrize(("seconds", "good"), [(-301, False), (-299, True), (0, True), (299, True), (301, False)])
def test_a_message_is_of_now_or_refused(seconds, good):
    if good:
        assert signing.verify([SECRET], made(), BODY, now=SENT + seconds) == ID
    else:
        with pytest.raises(signing.Refused, match="of now"):
            signing.verify([SECRET], made(), BODY, now=SENT + seconds)


BROKEN = {
    "no id": {"webhook-id": ""},
    "another id": {"webhook-id": "msg_2"},
    "no timestamp": {"webhook-timestamp": None},
    "a later timestamp": {"webhook-timestamp": str(SENT + 1)},
    "words for a timestamp": {"webhook-timestamp": "now"},
    "digits that are none": {"webhook-timestamp": "²"},
    "a number beyond all": {"webhook-timestamp": "9" * 5000},
    "no signature": {"webhook-signature": ""},
    "another version": {"webhook-signature": "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
    "part of it": {"webhook-signature": "v1,g0hM9SsE"},
    "letters of anywhere": {"webhook-signature": "v1,ä"},
}


@pytest.mark.parametrize("name", BROKEN)
def test_whatever_differs_is_refused(name):
    with pytest.raises(signing.Refused):
        signing.verify([SECRET], made() | BROKEN[name], BODY, now=SENT)


def test_another_body_or_secret_is_refused():
    for secrets, body in (([SECRET], BODY + b" "), ([signing.new_secret()], BODY), ([], BODY)):
        with pytest.raises(signing.Refused):
            signing.verify(secrets, made(), body, now=SENT)


def test_one_good_signature_among_others_is_enough():
    headers = made() | {"webhook-signature": f"v1a,x v1,xx {made()['webhook-signature']}"}
    assert signing.verify([signing.new_secret(), SECRET], headers, BODY, now=SENT) == ID


def test_every_comparison_takes_constant_time(monkeypatch):
    seen = []
    monkeypatch.setattr(signing.hmac, "compare_digest", lambda a, b: seen.append((a, b)) or a == b)
    signing.verify([SECRET, signing.new_secret()], made([SECRET, SECRET]), BODY, now=SENT)
    assert len(seen) == 4, "no comparison is left out once one was right"


@pytest.mark.parametrize(("number", "good"), [(23, False), (24, True), (64, True), (65, False)])
def test_secrets_have_24_to_64_bytes(number, good):
    secret = signing.PREFIX + base64.b64encode(b"x" * number).decode()
    if good:
        assert len(signing.key_of(secret)) == number
    else:
        with pytest.raises(ValueError, match="bytes"):
            signing.key_of(secret)


def test_new_secrets_are_long_and_different():
    made = {signing.new_secret() for _ in range(20)}
    assert len(made) == 20
    assert {len(signing.key_of(secret)) for secret in made} == {32}
    with pytest.raises(ValueError, match="base64"):
        signing.key_of("whsec_%%%")


def test_its_time_is_that_of_the_try():
    assert abs(int(made(now=None)["webhook-timestamp"]) - time.time()) < 5
