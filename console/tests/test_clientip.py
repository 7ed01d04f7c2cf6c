"""Whose address it is, with and without proxies of ours, and with liars."""

import re
import subprocess
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory, override_settings
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from console import clientip
from console.clientip import client_ip

ROOT = Path(__file__).resolve().parents[2]
OURS = ["10.0.0.0/8"]
CASES = [
    ([], "203.0.113.7", "", "203.0.113.7"),
    ([], "203.0.113.7", "1.2.3.4", "203.0.113.7"),
    (OURS, "10.0.0.1", "203.0.113.7", "203.0.113.7"),
    (OURS, "10.0.0.1", "6.6.6.6, 203.0.113.7", "203.0.113.7"),
    (OURS, "10.0.0.1", "6.6.6.6, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
    (OURS, "10.0.0.1", "", "10.0.0.1"),
    (OURS, "10.0.0.1", "nonsense", "10.0.0.1"),
    (OURS, "10.0.0.1", "203.0.113.7, nonsense", "10.0.0.1"),
    (OURS, "10.0.0.1", "203.0.113.7, unknown", "10.0.0.1"),
    (OURS, "10.0.0.1", "203.0.113.7,", "10.0.0.1"),
    (OURS, "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
    (OURS, "203.0.113.9", "6.6.6.6", "203.0.113.9"),
    (OURS, "::ffff:10.0.0.1", "::ffff:203.0.113.7", "203.0.113.7"),
    # what some proxies write
    (OURS, "10.0.0.1", "203.0.113.7:5678", "203.0.113.7"),
    (OURS, "10.0.0.1", "[2001:db8::7]:443", "2001:db8::7"),
    (OURS, "10.0.0.1", "[2001:db8::7]", "2001:db8::7"),
    (OURS, "10.0.0.1", "fe80::7%eth0", "fe80::7"),
    (OURS, "10.0.0.1", "203.0.113.7:", "10.0.0.1"),
    (OURS, "10.0.0.1", "[203.0.113.7", "203.0.113.7"),
    ([], "::ffff:203.0.113.7", "", "203.0.113.7"),
    ([], "fe80::1%eth0", "", "fe80::1"),
    (["::1"], "::1", "2001:db8::7", "2001:db8::7"),
    # over a Unix socket there is no peer to look at
    ([], "", "1.2.3.4", ""),
    (OURS, "", "1.2.3.4", ""),
    (["unix"], "", "6.6.6.6, 203.0.113.7", "203.0.113.7"),
    (["unix", "10.0.0.2"], "", "6.6.6.6, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
    (["unix"], "203.0.113.9", "6.6.6.6", "203.0.113.9"),
    (["unix"], "", "", ""),
]


def request(peer, **headers):
    headers = {f"HTTP_{name.upper()}": value for name, value in headers.items() if value}
    return RequestFactory().get("/", REMOTE_ADDR=peer, **headers)


@pytest.mark.parametrize(("proxies", "peer", "forwarded", "expected"), CASES)
def test_client_ip(settings, proxies, peer, forwarded, expected):
    settings.TRUSTED_PROXIES = proxies
    assert client_ip(request(peer, x_forwarded_for=forwarded)) == expected


@pytest.mark.parametrize("name", ["forwarded", "x_real_ip", "x_client_ip", "true_client_ip", "x_forwarded_host"])
def test_other_headers_say_nothing(settings, name):
    settings.TRUSTED_PROXIES = OURS
    assert client_ip(request("10.0.0.1", **{name: "for=6.6.6.6"})) == "10.0.0.1"
    assert client_ip(request("10.0.0.1", **{name: "6.6.6.6"}, x_forwarded_for="203.0.113.7")) == "203.0.113.7"


def test_ten_thousand_hops_cost_no_more_than_twenty(settings, monkeypatch):
    settings.TRUSTED_PROXIES = OURS
    read, parse = [], clientip.parse
    monkeypatch.setattr(clientip, "parse", lambda text: read.append(text) or parse(text))
    hops = ", ".join(["6.6.6.6", *["10.0.0.2"] * 10_000])
    assert client_ip(request("10.0.0.1", x_forwarded_for=hops)) == "10.0.0.2"
    assert len(read) <= 2 + clientip.MOST_HOPS


ADDRESS = st.ip_addresses().map(str)
HOP = st.one_of(
    ADDRESS,
    st.ip_addresses(v=4).map(lambda address: f"{address}:443"),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]:443"),
    st.sampled_from(["10.0.0.2", "::ffff:10.0.0.3", "unknown", "", "_hidden", "1.2.3.4.5", "①.2.3.4", "fe80::1%x"]),
    st.text(max_size=20),
)


@examples(deadline=None)  # a busy machine is no mistake
@given(peer=st.one_of(ADDRESS, st.just(""), st.just("10.0.0.1"), st.text(max_size=12)), hops=st.lists(HOP, max_size=8))
def test_it_is_an_address_that_a_trusted_peer_wrote_or_the_peers_own(peer, hops):
    with override_settings(TRUSTED_PROXIES=OURS):
        asking = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=",".join(hops))
        found, own = client_ip(asking), clientip.parse(peer)
        assert found == "" or str(ip_address(found)) == found
        if own is None or own not in ip_network("10.0.0.0/8"):
            assert found == str(own or "")


@examples(deadline=None)
@given(liar=st.lists(HOP, max_size=30), honest=st.ip_addresses(v=4, network="203.0.113.0/24").map(str))
def test_whatever_a_client_writes_before_it_the_address_our_proxy_saw_counts(liar, honest):
    with override_settings(TRUSTED_PROXIES=OURS):
        header = ",".join([*liar, honest, "10.0.0.2"])
        asking = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=header)
        assert client_ip(asking) == honest


@pytest.mark.parametrize("wrong", ["10.0.0.0/33", "proxy.example", "*", "010.0.0.1"])
def test_a_mistake_in_the_setting_is_told_at_the_start(settings, wrong):
    settings.TRUSTED_PROXIES = [wrong]
    with pytest.raises(ImproperlyConfigured, match="TRUSTED_PROXIES"):
        clientip.proxy_networks()


TLS = [
    ("203.0.113.9", "https", False),
    ("10.0.0.1", "https", True),
    ("10.0.0.1", "http", False),
    ("10.0.0.1", "https, http", False),  # the first was written by whoever asks
    ("10.0.0.1", "http, https", True),
    ("", "https", False),
]


@pytest.mark.parametrize(("peer", "told", "secure"), TLS)
def test_only_a_proxy_of_ours_says_that_a_request_came_by_tls(client, db, settings, peer, told, secure):
    settings.TRUSTED_PROXIES = OURS
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_SSL_REDIRECT = True
    response = client.get("/accounts/login/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_PROTO=told)
    assert response.status_code == (200 if secure else 301)


def test_no_header_says_under_which_name_the_console_is(client, db, settings):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    response = client.get("/manage/", headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-Port": "81"})
    assert "evil" not in response["Location"]
    assert not settings.USE_X_FORWARDED_HOST


def test_nobody_else_looks_for_an_address():
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.split():
        if "/tests/" in name or name.startswith(("e2e/", "bench/")) or name == "console/clientip.py":
            continue
        text = (ROOT / name).read_text()
        found = re.findall(r"REMOTE_ADDR|REMOTE_HOST|FORWARDED_FOR|X-Forwarded-For|X_REAL_IP|ipware", text)
        assert not found, name
