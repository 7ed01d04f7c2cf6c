"""Who is asking: the one function that decides the client's address. Bans, throttles, ledger and logs use it.

Nothing else reads REMOTE_ADDR or X-Forwarded-For; Forwarded, X-Real-IP and X-Forwarded-Host are read by nobody.
"""

import re
from functools import lru_cache
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

UNIX = "unix"  # in TRUSTED_PROXIES: whoever connects over the Unix socket, which has no address
MOST_HOPS = 20  # of our own proxies in a row: what a client wrote before them is not even looked at
_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]*)\](:\d{1,5})?|(?P<v4>[\d.]+):\d{1,5}", re.ASCII)


@lru_cache(maxsize=8)
def _networks(proxies):
    try:
        return [ip_network(proxy.strip(), strict=False) for proxy in proxies if proxy.strip() != UNIX]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"TRUSTED_PROXIES: {error}. Write addresses and networks, or the word {UNIX}."
        ) from None


def proxy_networks():
    """The networks our proxies are in. Raises ImproperlyConfigured when TRUSTED_PROXIES holds something else."""
    return _networks(tuple(settings.TRUSTED_PROXIES))


def parse(text):
    """An address without zone, IPv4 inside IPv6 unwrapped; None when it is none."""
    try:
        address = ip_address(text.strip().strip("[]").partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _hop(text):
    """The address in a part of X-Forwarded-For, which some proxies write with a port."""
    found = _WITH_PORT.fullmatch(text.strip())
    return parse((found["v6"] or found["v4"] or "") if found else text)


def is_trusted_proxy(address):
    return any(address in network for network in proxy_networks())


def is_from_proxy(request):
    """Whether one of our proxies sent this request: only then its headers speak for somebody else."""
    return _is_proxy(request.META.get("REMOTE_ADDR", ""), tuple(settings.TRUSTED_PROXIES))


@lru_cache(maxsize=256)
def _is_proxy(peer, proxies):
    address = parse(peer)
    if address:
        return any(address in network for network in _networks(proxies))
    return not peer and UNIX in map(str.strip, proxies)


def client_ip(request):
    """The client's address as text, or "" when the server was reached over a Unix socket without a proxy.

    Walks X-Forwarded-For from the right, past proxies of ours: only what they wrote can be believed. A hop that
    is no address ends the walk at the last one that was.
    """
    address = parse(request.META.get("REMOTE_ADDR", ""))
    if not is_from_proxy(request):
        return str(address or "")
    for text in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").rsplit(",", MOST_HOPS)[-MOST_HOPS:]):
        hop = _hop(text)
        if hop is None:
            break
        address = hop
        if not is_trusted_proxy(hop):
            break
    return str(address or "")


def subscriber(request):
    """Stands for whoever one connection serves, who has all addresses of an IPv6 /64: its first. What counts tries
    counts by this.
    """
    address = client_ip(request)
    return str(ip_network(f"{address}/64", strict=False)[0]) if ":" in address else address


def is_local(request):
    """Whether somebody on this machine asks, and by no proxy: behind one everybody would be from here.

    A proxy that says nothing about whom it speaks for cannot be told from that.
    """
    address = parse(request.META.get("REMOTE_ADDR", ""))
    named = any(request.META.get(f"HTTP_{name}") for name in ("X_FORWARDED_FOR", "FORWARDED", "X_REAL_IP", "VIA"))
    return bool(address and address.is_loopback) and not named
