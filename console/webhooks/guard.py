"""Where messages may go: out to the internet, and nowhere inside. An address is looked at when it is saved and again,
as it was resolved, whenever a connection is opened; what is wrong is said without telling what lies where.
"""

import re
import socket
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings

PORTS = {443, 8443}
RESOLVE_S = 5
NOWHERE = "Nothing can be sent to this address: there is no such name, or it does not lead to the public internet."
HTTPS = "Write an address that begins with https://."
ODD_PORT = "Only the ports 443 and 8443 can be used."
# what `is_global` of ipaddress lets through, or did in some release
_INSIDE = [
    ip_network(each)
    for each in (
        *("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2002::/16"),
        *("5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
    )
]
_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?", re.ASCII)
_NUMBER = re.compile(r"([0-9]+|0x[0-9a-f]*)\.?", re.ASCII)  # of a last label: then all of it is an address
_names = ThreadPoolExecutor(16, "names")  # looking a name up cannot be ended from outside, only be left alone


class Refused(Exception):
    """Nothing may be sent there; the message says it in words that tell nothing of what is inside."""


@dataclass(frozen=True)
class Target:
    """An address, taken apart once: nobody reads the text again."""

    scheme: str
    host: str
    port: int
    path: str


def parse(url):
    """The Target of an endpoint's address. Raises Refused."""
    if not re.fullmatch(r"[!-~]+", url) or set(url) & set('\\<>"{}|^`'):
        raise Refused("Write the address without spaces and with ASCII characters only; a name in its xn-- form.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused("This is no address.") from None
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    if scheme not in ("http", "https"):
        raise Refused(HTTPS)
    if "@" in parts.netloc:
        raise Refused("Leave out the name and password in the address: messages are signed instead.")
    if parts.fragment or "#" in url:
        raise Refused("Leave out the part behind #: it is never sent.")
    _check_host(host, in_brackets="[" in parts.netloc)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(scheme, host, port or (443 if scheme == "https" else 80), path)


def _check_host(host, in_brackets):
    if in_brackets:
        try:
            good = isinstance(ip_address(host), IPv6Address) and "%" not in host
        except ValueError:
            good = False
    elif _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        # libraries disagree on what 127.1 and 0x7f000001 are; only the one way of writing it is taken
        good = bool(re.fullmatch(r"(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){3}", host))
    else:
        good = len(host) <= 253 and _NAME.fullmatch(host)
    if not good:
        raise Refused(NOWHERE)


def resolve(host, port):
    """The addresses of a name, as texts. Raises OSError. Tests put another in its place."""
    found = _names.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        return [each[4][0] for each in found.result(RESOLVE_S)]
    except TookTooLong:
        raise OSError("the name was not found in time") from None


def checked(target):
    """The addresses to connect to, each of which may be. Raises Refused, also when only one of several may not."""
    try:
        found = [ip_address(text.partition("%")[0]) for text in dict.fromkeys(resolve(target.host, target.port))]
    except (OSError, UnicodeError, ValueError):
        found = []
    if not found:
        raise Refused(NOWHERE)
    ours = [is_ours(address) for address in found]
    if not all(own or is_outside(address) for own, address in zip(ours, found, strict=True)):
        raise Refused(NOWHERE)
    if not all(ours):
        if target.scheme != "https":
            raise Refused(HTTPS)
        if target.port not in PORTS:
            raise Refused(ODD_PORT)
    return [str(address) for address in found]


def is_ours(address):
    """Whether the deployment allows it by name (WEBHOOK_ALLOW): then by http and on any port, too."""
    address = _unwrapped(address)
    return any(address in ip_network(each) for each in settings.WEBHOOK_ALLOW)


def is_outside(address):
    """Whether it is of the public internet: by Python's own list and by ours, since the two know different ones."""
    address = _unwrapped(address)
    return address.is_global and not address.is_multicast and not any(address in network for network in _INSIDE)


def _unwrapped(address):
    return getattr(address, "ipv4_mapped", None) or address


def check_settings():
    """Raises ValueError when WEBHOOK_ALLOW holds something else than networks."""
    for each in settings.WEBHOOK_ALLOW:
        ip_network(each)
