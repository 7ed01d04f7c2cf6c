"""Finding players by what somebody has of them: a name, an e-mail address, an address or network, a number.

Each way is a query of its own, so that each can use its index; together they are a keyset.Matches.
"""

import re
from ipaddress import ip_address, ip_network

from console import masking

_V4_START = re.compile(r"\d{1,3}(?:\.\d{1,3}){0,2}\.|\d{1,3}(?:\.\d{1,3}){1,2}")
_V6_START = re.compile(r"[0-9a-f]{1,4}(?:(?::[0-9a-f]{1,4}){1,6}(?:::?)?|::?)", re.IGNORECASE)
_NUMBER = re.compile(r"#?(\d{1,18})", re.ASCII)


def search_players(queryset, words, whole=True):
    """Querysets that together hold the players these words find; the same player may be in several. For somebody who
    does not see addresses `whole`, no e-mail is looked through, and no network narrower than what they are shown.
    """
    words = words.strip()
    number = _NUMBER.fullmatch(words)
    parts = [queryset.filter(pk=number[1])] if number else []
    if words.startswith("#"):
        return parts or [queryset.none()]
    network = network_of(words)
    if network:
        network = masking.widened(network, whole)
        # from the network itself on: an old address is kept as its network, which sorts before any address in it
        parts.append(queryset.filter(last_ip__range=(str(network), str(network[-1]))))
    if words:
        parts.append(queryset.filter(external_id=words))
    if len(words) > 1:
        lookup = "icontains" if len(words) > 2 else "istartswith"
        parts += [queryset.filter(**{f"{field}__{lookup}": words}) for field in ("username", *["email"][: int(whole)])]
    return parts or [queryset.none()]


def network_of(words):
    """The network these words mean ("203.0.113.7", "203.0.113.", "203.0.113.0/24", "2001:db8:"), or None."""
    try:
        if "/" in words:
            return ip_network(words, strict=False)
        if _V4_START.fullmatch(words):
            given = words.strip(".").split(".")
            return ip_network(".".join(given + ["0"] * (4 - len(given))) + f"/{8 * len(given)}")
        if _V6_START.fullmatch(words):
            given = words.rstrip(":").split(":")
            return ip_network(f"{':'.join(given)}{'::' if len(given) < 8 else ''}/{16 * len(given)}")
        address = ip_address(words.partition("%")[0])
        return ip_network(getattr(address, "ipv4_mapped", None) or address)
    except ValueError:
        return None
