"""Networks as people type them: read strictly, kept as they are meant, and some of them nobody bans."""

from ipaddress import ip_network

import pytest

from moderation import networks
from moderation.models import Ban
from moderation.testing import make_network_ban

READ = [
    ("203.0.113.7", "203.0.113.7/32"),
    (" 203.0.113.7 ", "203.0.113.7/32"),
    ("203.0.113.77/24", "203.0.113.0/24"),
    ("2001:db8::1", "2001:db8::/64"),
    ("2001:DB8:0:0:1::9", "2001:db8::/64"),
    ("2001:db8::1/128", "2001:db8::1/128"),
    ("2001:db8:1::/48", "2001:db8:1::/48"),
    ("[2001:db8::1]", "2001:db8::/64"),
    ("2001:db8::1%eth0", "2001:db8::/64"),
    ("::ffff:203.0.113.7", "203.0.113.7/32"),
    ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
    ("::ffff:cb00:7107", "203.0.113.7/32"),
]
REFUSED = [
    "",
    "10",
    "010.0.0.1",
    "127.1",
    "0x7f000001",
    "2130706433",
    "①.2.3.4",
    "1.2.3.4.5",
    "1.2.3.4/33",
    "ada",
    "::g",
]


@pytest.mark.parametrize(("typed", "meant"), READ)
def test_an_address_is_read_as_it_is_meant(typed, meant):
    assert networks.read(typed) == ip_network(meant)


@pytest.mark.parametrize("typed", REFUSED)
def test_what_is_no_network_is_refused_in_words(typed):
    with pytest.raises(ValueError, match="is no address or network"):
        networks.read(typed)


def test_a_person_is_told_what_was_made_of_it():
    assert networks.taken_as("203.0.113.7", networks.read("203.0.113.7")) == ""
    assert "Taken as 203.0.113.0/24" in networks.taken_as("203.0.113.9/24", networks.read("203.0.113.9/24"))
    assert "whole /64" in networks.taken_as("2001:db8::1", networks.read("2001:db8::1"))


AGAINST = [
    ("10.1.2.3", "private"),
    ("127.0.0.1", "loopback"),
    ("192.168.0.0/24", "private"),
    ("::1/128", "loopback"),
    ("fe80::/64", "private"),
    ("fd00::/64", "private"),
    ("224.0.0.1", "reserved"),
    ("198.51.100.0/24", "Your own address"),
    ("192.0.2.0/24", "A proxy of ours"),
    ("0.0.0.0/0", "too wide"),
    ("198.0.0.0/15", "too wide"),
    ("2001:db8::/31", "too wide"),
]


@pytest.mark.parametrize(("typed", "why"), AGAINST)
def test_some_networks_nobody_bans(lea, settings, typed, why):
    settings.TRUSTED_PROXIES = ["192.0.2.8"]
    assert why in networks.against(networks.read(typed), lea.user, "198.51.100.9")


def test_who_may_ban_wide_networks_is_a_permission(lea, moses):
    for typed in ("203.0.0.0/16", "2001:db8::/32"):
        assert networks.against(networks.read(typed), lea.user, "") == ""
        assert "too wide" in networks.against(networks.read(typed), moses.user, "")
    assert networks.against(networks.read("203.0.113.0/24"), moses.user, "") == ""


def test_the_database_compares_networks(db):
    wide, narrow = make_network_ban("203.0.113.0/24"), make_network_ban("203.0.113.7/32")
    six = make_network_ban("2001:db8::/48")
    assert set(Ban.objects.filter(network__covers=ip_network("203.0.113.7/32"))) == {wide, narrow}
    assert set(Ban.objects.filter(network__within=ip_network("203.0.113.0/24"))) == {wide, narrow}
    assert set(Ban.objects.filter(network__meets=ip_network("203.0.113.128/25"))) == {wide}
    assert Ban.objects.get(pk=six.pk).network == ip_network("2001:db8::/48")
