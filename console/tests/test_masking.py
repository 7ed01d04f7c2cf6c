"""Addresses and e-mails as those see them who do not need them whole."""

import pytest

from console import masking


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("192.0.2.77", "192.0.2.•••"),
        ("192.0.2.0/25", "192.0.2.•••"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("192.0.0.0/16", "192.0.0.0/16"),
        ("2001:db8:12:3::7", "2001:db8:12::•••"),
        ("2001:db8::7", "2001:db8:0::•••"),
        ("2001:db8:12:3::/64", "2001:db8:12::•••"),
        ("2001:db8:12::/48", "2001:db8:12::/48"),
        ("", ""),
        (None, ""),
    ],
)
def test_an_address_is_masked_to_its_network(given, shown):
    assert masking.address(given) == shown
    assert masking.address(given, whole=True) == (given or "")


@pytest.mark.parametrize(
    ("given", "shown"),
    [("jane@example.org", "j•••@example.org"), ("j@example.org", "j•••@example.org"), ("jane", "j•••"), ("", "")],
)
def test_an_email_is_masked_to_its_first_letter(given, shown):
    assert masking.email(given) == shown
    assert masking.email(given, whole=True) == given


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("from 192.0.2.77, twice", "from 192.0.2.•••, twice"),
        ("192.0.2.77.", "192.0.2.•••."),
        ("(192.0.2.64/26)", "(192.0.2.•••)"),
        ("192.0.2.0/24 again", "192.0.2.0/24 again"),
        ("::ffff:192.0.2.77", "::ffff:192.0.2.•••"),
        ("see 2001:DB8:12:3::7!", "see 2001:db8:12::•••!"),
        ("jane.doe+x@mail.example.org wrote", "j•••@mail.example.org wrote"),
        ("q=jane%40example.org&order=seen", "q=j•••@example.org&order=seen"),
        ("q=2001%3Adb8%3A12%3A3%3A%3A7", "q=2001:db8:12::•••"),
        ("q=192.0.2.64%2F26", "q=192.0.2.•••"),
        ("He wrote from 2001:db8:12:3::7.", "He wrote from 2001:db8:12::•••."),
        ("2001:db8:12:3::7: spam", "2001:db8:12::•••: spam"),
        ("ip:2001:db8:12:3::7, 2001:db8:12:3::", "ip:2001:db8:12::•••, 2001:db8:12::•••"),
        ("q=ip%3A2001%3Adb8%3A12%3A3%3A%3A7", "q=ip%3A2001:db8:12::•••"),
        ("the one ...192.0.2.77, 192.0.2.77/33", "the one ...192.0.2.•••, 192.0.2.•••"),
        ("at 12:30:45, version 1.2.3.4.5, 999.1.1.1", "at 12:30:45, version 1.2.3.4.5, 999.1.1.1"),
    ],
)
def test_what_colleagues_wrote_is_masked_inside(given, shown):
    assert masking.words(given) == shown
    assert masking.words(given, whole=True) == given
