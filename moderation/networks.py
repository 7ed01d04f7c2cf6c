"""Networks: how people type them, how the database keeps them, and which of them nobody may ban."""

from ipaddress import IPv6Address, ip_address, ip_interface, ip_network

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from console.clientip import is_trusted_proxy, parse, proxy_networks

V6_HOME = 64  # what one subscriber has at least: security.md 8
MAPPED = 96  # ::ffff:0:0/96 holds IPv4 inside IPv6
# addresses no player comes from, or everybody may: RFC 1918, 4193, 6598, 1122, 3927, 4291
OUT_OF_BOUNDS = [
    *map(ip_network, ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12")),
    *map(ip_network, ("192.168.0.0/16", "224.0.0.0/3", "::/127", "fc00::/7", "fe80::/10", "ff00::/8")),
]


def read(text):
    """The network that an address or CIDR, as somebody typed it, stands for.

    Host bits are cleared, IPv4 inside IPv6 is unwrapped, a zone is dropped, and a single IPv6 address stands for its
    /64. Raises ValueError, in words for people, for anything else.
    """
    typed = text.strip()
    address, slash, length = typed.partition("/")
    address = address.partition("%")[0].strip("[]")
    try:
        if not slash and isinstance(ip_address(address), IPv6Address) and not ip_address(address).ipv4_mapped:
            return ip_network(f"{address}/{V6_HOME}", strict=False)
        network = ip_interface(f"{address}{slash}{length}").network
    except ValueError:
        raise ValueError(f"“{typed[:60]}” is no address or network. Write 203.0.113.7, or 203.0.113.0/24.") from None
    if network.version == 6 and network.prefixlen >= MAPPED and network.network_address.ipv4_mapped:
        return ip_network(f"{network.network_address.ipv4_mapped}/{network.prefixlen - MAPPED}", strict=False)
    return network


def taken_as(text, network):
    """What a person should know of how their words were read; "" when exactly so."""
    if text.strip() in (printed(network), str(network)):
        return ""
    if network.version == 6 and "/" not in text:
        return f"Taken as {network}: whoever has one IPv6 address has the whole /64."
    return f"Taken as {printed(network)}."


def printed(network):
    """As people write it: a single address without its length."""
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def widest(user, version):
    """The shortest prefix this person may ban, of IPv4 or IPv6."""
    narrow, wide = settings.NETWORK_BAN_WIDEST[version]
    return wide if user is None or user.has_perm("moderation.ban_network_wide") else narrow


def against(network, user, client):
    """Why this person, who comes from the address `client`, may not ban the network, in words; "" if they may."""
    limit = widest(user, network.version)
    if network.prefixlen < limit:
        return f"A /{network.prefixlen} is too wide: the widest IPv{network.version} network you may ban is a /{limit}."
    if any(network.version == other.version and network.overlaps(other) for other in OUT_OF_BOUNDS):
        return "This is a private, loopback or reserved network; players do not come from there."
    own = parse(client or "")
    if own and own.version == network.version and own in network:
        return "Your own address is in this network. Banning it would lock you out."
    if _holds_a_proxy(network):
        return "A proxy of ours is in this network. Banning it would lock everybody out."
    return ""


def _holds_a_proxy(network):
    if is_trusted_proxy(network.network_address):
        return True
    return any(proxy.version == network.version and proxy.overlaps(network) for proxy in proxy_networks())


class NetworkField(models.Field):
    """An `inet` with its length, as an `ipaddress` network."""

    description = "A network"

    def db_type(self, connection):
        return "inet"

    def from_db_value(self, value, expression, connection):
        return self.to_python(value)

    def to_python(self, value):
        try:
            return None if value in (None, "") else ip_network(str(value), strict=False)
        except ValueError:
            raise ValidationError(f"{value} is no network.") from None

    def get_prep_value(self, value):
        return None if value in (None, "") else str(value)


class AddressField(models.GenericIPAddressField):
    """An `inet` with an address as text, or with what is left of an old one: its network (moderation.retention)."""

    def to_python(self, value):
        return str(ip_network(value, strict=False)) if "/" in str(value) else super().to_python(value)

    def get_prep_value(self, value):
        return models.Field.get_prep_value(self, value) or None

    def get_db_prep_value(self, value, connection, prepared=False):
        return str(value) if value else None


class _Contained(models.Lookup):
    """`field__within=network`: the address or network lies in it, or is it. The planner finds a range for it in an
    ordinary index when the network is a constant.
    """

    lookup_name, operator, prepare_rhs = "within", "<<=", False

    def as_sql(self, compiler, connection):
        left, params = self.process_lhs(compiler, connection)
        return f"{left} {self.operator} %s::inet", [*params, str(self.rhs)]


class _Length(models.Transform):
    """`field__masklen`: 32 or 128 for a whole address, less for one that was shortened (moderation.retention)."""

    lookup_name, function, output_field = "masklen", "masklen", models.IntegerField()


class _Covering(_Contained):
    lookup_name, operator = "covers", ">>="


class _Meeting(_Contained):
    lookup_name, operator = "meets", "&&"


for field in (NetworkField, models.GenericIPAddressField):
    for lookup in (_Contained, _Covering, _Meeting, _Length):
        field.register_lookup(lookup)
