"""What is counted. Apps register their measures from AppConfig.ready(), and where an address can be looked up."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

_measures, _lookups = [], []


@dataclass(frozen=True)
class Listing:
    """The list that holds what was counted: a URL name, who may open it, what its filter is always given (`also`), and
    the names of its parameters for the first and last day, and for one hour.
    """

    url: str
    permission: str
    also: tuple = ()
    first: str = "from"
    last: str = "to"
    hour: str = "hour"

    def each(self, columns, is_hour):
        """The addresses of the list, narrowed to each of these: one hour, or the `(first, last)` days, in UTC."""
        start = f"{reverse(self.url)}?{''.join(f'{urlencode([pair])}&' for pair in self.also)}"
        if is_hour:
            return [f"{start}{self.hour}={at:%Y-%m-%dT%H%%3A%M}" for at, _ in columns]
        return [f"{start}{self.first}={at.date()}&{self.last}={last.date()}" for at, last in columns]


@dataclass(frozen=True)
class Kind:
    """One colour of a picture: what it is called, its tone (console.charts), and `{column: number}`."""

    label: str
    tone: str
    numbers: dict


@dataclass(frozen=True)
class Measure:
    """Rows of a table by a time column, of which an index serves a range; of those that fulfil `condition`.

    `one` and `many` are the nouns ("comment", "comments"). With an `address` column addresses are counted, too.
    `split` is what rows are told apart by, as SQL; `kinds` makes Kinds of `{part: {column: number}}`, and leaves out
    what is not to be shown. Both are written into SQL: never anything that came from outside.
    """

    name: str
    label: str
    one: str
    many: str
    table: str
    at: str
    address: str = ""
    condition: str = "true"
    split: str = "''"
    tone: str = "other-1"
    kinds: Callable | None = None
    listing: Listing | None = None
    position: int = 100

    def kinds_of(self, parts):
        if self.kinds:
            return self.kinds(parts)
        return [Kind(self.label, self.tone, parts.get("", {}))]


@dataclass(frozen=True)
class Lookup:
    """A list in which an address or network can be looked up, by its parameter `query`."""

    label: str
    url: str
    permission: str
    query: str = "q"
    also: tuple = ()

    def of(self, sought):
        return f"{reverse(self.url)}?{urlencode(dict(self.also) | {self.query: sought})}"


def register(*measures):
    _measures.extend(measures)
    _measures.sort(key=lambda each: each.position)


def register_lookup(lookup):
    _lookups.append(lookup)


def every():
    return tuple(_measures)


def of_addresses():
    return [each for each in _measures if each.address]


def lookups_of(user):
    return [each for each in _lookups if user.has_perm(each.permission)]
