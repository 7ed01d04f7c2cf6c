"""A second factor is needed everywhere but in the demo, and opens nothing twice."""

import json
import time

import pytest
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from fido2.cose import ES256
from fido2.utils import sha256, websafe_decode, websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

from console import roles
from console.models import SignIn
from console.secondfactor import SecondFactorAdapter
from console.testing import PASSWORD, Person, make_user

LOGIN, CODE, ACCOUNT = "/accounts/login/", "/accounts/2fa/authenticate/", "/accounts/2fa/"


@pytest.fixture(autouse=True)
def required(settings):
    settings.SECOND_FACTOR_REQUIRED = True


def code_of(secret):
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


@pytest.fixture
def enrolled(db):
    """Lea, who has an app; her secret is on her."""
    user = make_user("lea", roles.SENIOR, email="lea@portal.example")
    user.secret = generate_totp_secret()
    TOTP.activate(user, user.secret)
    return user


def give_password(browser, login="lea"):
    return browser.post(LOGIN, {"login": login, "password": PASSWORD})


@pytest.mark.parametrize("path", ["/manage/", "/manage/comments/", "/admin/", "/accounts/password/change/"])
def test_without_one_there_is_nothing_but_getting_one(olga, path):
    assert olga.get(path)["Location"] == ACCOUNT
    assert olga.post(path)["Location"] == ACCOUNT
    told = olga.get(path, htmx=True)
    assert told.status_code == 403
    assert ACCOUNT in told.text
    assert "needs a second factor" in olga.get(ACCOUNT).text


def test_the_poll_of_such_a_page_is_told_too(moses):
    assert moses.get("/manage/live/?v=x", htmx=True).status_code == 403


def test_an_app_is_set_up_and_the_console_opens(moses):
    page = moses.get("/accounts/2fa/totp/activate/")
    assert '<svg class="qr"' in page.text
    secret = moses.session["mfa.totp.secret"]
    done = moses.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)}, follow=True)
    assert "Recovery codes" in done.text
    assert done.text.count("<li><code>") == 10
    assert moses.get("/manage/").status_code == 200


def test_recovery_codes_are_shown_once(moses):
    moses.get("/accounts/2fa/totp/activate/")
    moses.post("/accounts/2fa/totp/activate/", {"code": code_of(moses.session["mfa.totp.secret"])}, follow=True)
    assert "<li><code>" not in moses.get("/accounts/2fa/recovery-codes/").text
    assert moses.get("/accounts/2fa/recovery-codes/download/").status_code in (403, 404)


def test_a_password_alone_opens_nothing(nobody, enrolled):
    assert give_password(nobody)["Location"] == CODE
    assert nobody.get("/manage/").status_code == 302
    assert nobody.get("/admin/").status_code == 302
    done = nobody.post(CODE, {"code": code_of(enrolled.secret)})
    assert done["Location"] == "/manage/"
    assert nobody.get("/manage/").status_code == 200


def test_a_code_counts_once(nobody, enrolled):
    code = code_of(enrolled.secret)
    give_password(nobody)
    assert nobody.post(CODE, {"code": code}).status_code == 302
    other = Person(None)
    give_password(other)
    assert "was used already" in other.post(CODE, {"code": code}).text
    assert other.get("/manage/").status_code == 302


def test_a_recovery_code_counts_once(nobody, enrolled):
    RecoveryCodes.activate(enrolled)
    code = Authenticator.objects.get(type="recovery_codes").wrap().generate_codes()[0]
    give_password(nobody)
    assert nobody.post(CODE, {"code": code})["Location"] == "/manage/"
    other = Person(None)
    give_password(other)
    assert other.post(CODE, {"code": code}).status_code == 200


def test_guessing_at_codes_ends_and_is_on_record(nobody, enrolled):
    give_password(nobody)
    for _ in range(11):
        answer = nobody.post(CODE, {"code": "000000"})
    assert "Too many failed" in answer.text
    assert "Too many failed" in nobody.post(CODE, {"code": code_of(enrolled.secret)}).text
    assert SignIn.objects.filter(user=enrolled, outcome=SignIn.CODE).count() == 10


def test_a_new_password_by_mail_does_not_do_without_it(nobody, enrolled, mailoutbox):
    from allauth.account.forms import default_token_generator
    from allauth.account.utils import user_pk_to_url_str

    key = f"{user_pk_to_url_str(enrolled)}-{default_token_generator.make_token(enrolled)}"
    form = nobody.get(f"/accounts/password/reset/key/{key}/", follow=True)
    new = "seven purple giraffes waltz"
    nobody.post(form.request["PATH_INFO"], {"password1": new, "password2": new})
    assert nobody.get("/manage/").status_code == 302
    assert nobody.post(LOGIN, {"login": "lea", "password": new})["Location"] == CODE


def test_seeds_are_not_readable_in_the_database(enrolled):
    row = Authenticator.objects.get()
    assert enrolled.secret not in str(row.data)
    assert SecondFactorAdapter().decrypt(row.data["secret"]) == enrolled.secret


def test_another_secret_key_makes_no_code_right(enrolled, settings, nobody):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    give_password(nobody)
    assert nobody.post(CODE, {"code": code_of(enrolled.secret)})["Location"] == "/manage/"
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(ValidationError, match="Ask an operator"):
        SecondFactorAdapter().decrypt(Authenticator.objects.get().data["secret"])
    other = Person(None)
    give_password(other)
    assert "Ask an operator" in other.post(CODE, {"code": code_of(enrolled.secret)}).text


def test_the_last_one_cannot_be_taken_off(nobody, enrolled):
    give_password(nobody)
    nobody.post(CODE, {"code": code_of(enrolled.secret)})
    assert "only second factor" in nobody.post("/accounts/2fa/totp/deactivate/").text
    assert Authenticator.objects.count() == 1


def test_the_last_passkey_cannot_be_taken_off(lea):
    key = Authenticator.objects.create(user=lea.user, type="webauthn", data={"name": "Key", "credential": {}})
    assert lea.post(f"/accounts/2fa/webauthn/keys/{key.pk}/remove/").status_code == 403
    assert Authenticator.objects.count() == 1


@pytest.mark.usefixtures("noted_sessions")
def test_a_new_one_ends_what_was_signed_in_elsewhere(moses, django_capture_on_commit_callbacks):
    phone = Person(moses.user)
    moses.get("/accounts/2fa/totp/activate/")
    with django_capture_on_commit_callbacks(execute=True):
        moses.post("/accounts/2fa/totp/activate/", {"code": code_of(moses.session["mfa.totp.secret"])})
    assert phone.get("/manage/").headers["Location"].startswith(LOGIN)
    assert moses.get("/manage/").status_code == 200


def test_the_demo_asks_for_none(moses, settings):
    settings.SECOND_FACTOR_REQUIRED = False
    assert moses.get("/manage/").status_code == 200


def test_somebody_elses_passkeys_are_nowhere(lea, moses):
    TOTP.activate(lea.user, generate_totp_secret())
    key = Authenticator.objects.create(user=moses.user, type="webauthn", data={"name": "Key", "credential": {}})
    for verb in ("edit", "remove"):
        assert lea.get(f"/accounts/2fa/webauthn/keys/{key.pk}/{verb}/").status_code == 404


@pytest.mark.parametrize("credential", ["", "{}", "[]", "null", '{"id": 1}', "x", '{"rawId": "AA", "response": {}}'])
def test_a_broken_passkey_is_refused_in_words(nobody, credential):
    answer = nobody.post("/accounts/2fa/webauthn/login/", {"credential": credential})
    assert answer.status_code in (200, 302)


@pytest.mark.parametrize("what", ["password", "is_active"])
def test_a_sign_in_that_was_begun_ends_with_the_password_and_the_account(nobody, enrolled, what):
    give_password(nobody)
    setattr(enrolled, what, {"password": make_password("seven purple giraffes waltz"), "is_active": False}[what])
    enrolled.save()
    assert nobody.post(CODE, {"code": code_of(enrolled.secret)})["Location"] == LOGIN
    assert nobody.get("/manage/").status_code == 302
    assert not SignIn.objects.filter(outcome=SignIn.IN).exists()


def passkey(user):
    """A key without a PIN: a second factor of this user's, and what it answers to a challenge."""
    key, host = ec.generate_private_key(ec.SECP256R1()), sha256(b"testserver")
    data = AttestedCredentialData.create(
        b"\0" * 16, user.username.encode(), ES256.from_cryptography_key(key.public_key())
    )
    made = AttestationObject.create("none", AuthenticatorData.create(host, 0x41, 0, data), {})
    ids = {"id": websafe_encode(data.credential_id), "rawId": websafe_encode(data.credential_id), "type": "public-key"}
    told = websafe_encode(CollectedClientData.create("webauthn.create", b"0" * 32, "https://testserver"))
    stored = ids | {"response": {"clientDataJSON": told, "attestationObject": websafe_encode(made)}}
    Authenticator.objects.create(user=user, type="webauthn", data={"name": "Key", "credential": stored})

    def answer(challenge, flags=0x01):
        told = CollectedClientData.create("webauthn.get", challenge, "https://testserver")
        shown = AuthenticatorData.create(host, flags, 1)
        said = {"clientDataJSON": told, "authenticatorData": shown, "userHandle": user_pk_to_url_str(user).encode()}
        said["signature"] = key.sign(shown + sha256(told), ec.ECDSA(hashes.SHA256()))
        return json.dumps(ids | {"response": {name: websafe_encode(value) for name, value in said.items()}})

    return answer


@pytest.mark.parametrize("asked", ["preferred", "required"])
def test_a_key_that_was_found_opens_nothing_by_a_challenge_for_second_factors(nobody, enrolled, asked):
    key = passkey(enrolled)
    nobody.session_says({"mfa.webauthn.state": {"challenge": websafe_encode(b"1" * 32), "user_verification": asked}})
    nobody.post("/accounts/2fa/webauthn/login/", {"credential": key(b"1" * 32)})
    assert nobody.get("/manage/").status_code == 302


def test_a_passkey_whose_owner_is_known_opens_the_console(nobody, enrolled):
    key = passkey(enrolled)
    nobody.get("/accounts/2fa/webauthn/login/", headers={"X-Requested-With": "XMLHttpRequest"})
    asked = websafe_decode(nobody.session["mfa.webauthn.state"]["challenge"])
    nobody.post("/accounts/2fa/webauthn/login/", {"credential": key(asked, 0x05)})
    assert nobody.get("/manage/").status_code == 200
