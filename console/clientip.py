"""Who is asking: the one function that decides the client's address. Bans, throttles, ledger and logs use it."""

from functools import lru_cache
from ipaddress import ip_address, ip_network

from django.conf import settings


@lru_cache(maxsize=8)
def _networks(proxies):
    return [ip_network(proxy.strip(), strict=False) for proxy in proxies]


def parse(text):
    """An address without zone, IPv4 inside IPv6 unwrapped; None when it is none."""
    try:
        address = ip_address(text.strip().strip("[]").partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_trusted_proxy(address):
    return any(address in network for network in _networks(tuple(settings.TRUSTED_PROXIES)))


def client_ip(request):
    """The client's address as text, or "" when the server was reached over a Unix socket without a proxy.

    Walks X-Forwarded-For from the right, past proxies of ours: only what they wrote can be believed. A hop that
    is no address ends the walk at the last one that was.
    """
    peer = parse(request.META.get("REMOTE_ADDR", ""))
    if peer is None:
        return ""
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    while is_trusted_proxy(peer) and hops:
        hop = parse(hops.pop())
        if hop is None:
            break
        peer = hop
    return str(peer)
