"""What of addresses and e-mails a person is shown: whole where their role needs them, else only the part that says
whether two belong together. The one place that masks; which permission shows them whole, apps say (`guard`).
"""

import re
from ipaddress import ip_network
from urllib.parse import unquote

from console import personal
from console.models import Personal

DOTS = "•••"
KEPT = {4: 24, 6: 48}  # so much of an address is shown to everybody, and kept when it is old (console.retention)
_guards = []

_COLON = r"(?::|%3A)"
_EMAIL = re.compile(r"[\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+")
_ADDRESS = re.compile(
    rf"(?<!\d)(?<!\d\.)\d{{1,3}}(?:\.\d{{1,3}}){{3}}(?:(?:/|%2F)\d{{1,2}})?(?![\d]|\.\d)"
    rf"|(?:(?<!\w)|(?<=%3A))(?<!\w\.)(?:[0-9a-f]{{0,4}}{_COLON}){{2,7}}(?:[0-9a-f]{{1,4}}|(?<=::)|(?<=%3A%3A))"
    rf"(?:(?:/|%2F)\d{{1,3}})?(?![^\W_]|[:.]\w)",
    re.IGNORECASE,
)


def guard(permission):
    """Registers a permission ("app.codename") without which addresses and e-mails are masked."""
    _guards.append(permission)


def guards():
    """Those permissions."""
    return tuple(_guards)


def sees_whole(user):
    """Whether the role of this person needs them; nobody's does not."""
    return user is not None and all(user.has_perm(permission) for permission in _guards)


def address(value, whole=False):
    """An address or network for people: "203.0.113.•••" unless `whole`. As wide as what is shown, or wider, it is
    shown as it is; "" for none. Raises ValueError for what is no address.
    """
    if whole or not value:
        return str(value or "")
    network = ip_network(str(value), strict=False)
    if network.prefixlen <= KEPT[network.version]:
        return str(network)
    if network.version == 4:
        return f"{str(network.network_address).rpartition('.')[0]}.{DOTS}"
    groups = network.network_address.exploded.split(":")[: KEPT[6] // 16]
    return f"{':'.join(f'{int(group, 16):x}' for group in groups)}::{DOTS}"


def email(value, whole=False):
    """An e-mail address for people: "j•••@example.org" unless `whole`."""
    if whole or not value:
        return value or ""
    name, _, host = value.rpartition("@")
    return f"{(name or host)[:1]}{DOTS}{f'@{host}' if name else ''}"


def words(said, whole=False):
    """What a colleague wrote, or a filter as it is kept, with each address and e-mail in it masked unless `whole`."""
    return said if whole or not said else _ADDRESS.sub(_address_in, _EMAIL.sub(_email_in, said))


def value(kind, said, whole=False):
    """A personal value of the ledger (console.personal) of this kind."""
    if whole or not said:
        return said
    if kind == "note":
        return words(said)
    if _EMAIL.fullmatch(said):
        return email(said)
    try:
        return address(said)
    except ValueError:
        return said


def reveal(refs, user):
    """As personal.reveal, for this person's eyes."""
    if sees_whole(user):
        return personal.reveal(refs)
    found = Personal.objects.filter(ref__in=[ref for ref in refs if ref]).values_list("ref", "kind", "value")
    return {ref: value(kind, said) for ref, kind, said in found}


def widened(network, whole=False):
    """The narrowest network this person may search that holds this one: one address at a time, a search would tell
    bit by bit what is masked.
    """
    kept = KEPT[network.version]
    return network if whole or network.prefixlen <= kept else network.supernet(new_prefix=kept)


def said_of(network, whole=False):
    """What a person should know of how their search was widened; "" when it was not."""
    wider = widened(network, whole) if network else network
    return "" if wider == network else f"Your role sees no whole addresses, so all of {wider} is searched."


def _email_in(match):
    return email(unquote(match[0]))


def _address_in(match):
    said = unquote(match[0])
    for part in (said, said.partition("/")[0]):  # with a prefix that there is not, it is an address all the same
        try:
            return address(part)
        except ValueError:
            continue
    return match[0]
