"""Rows of lists, drawn by Jinja2 from moulds: what rows of one shape have in common is drawn once per process,
autoescaped; for each row its values are filled in, escaped and laid open unless they are safe HTML. Measured in
bench/README.md.

A partial `app/_rows.jinja` holds macros `(shape, v)`: the shape decides what is there, `v.name` stands for a value.
Lists, single answers and the pages about one row all draw by this, so that they cannot differ.
"""

import re
from functools import cached_property, lru_cache
from urllib.parse import quote

from django.middleware.csrf import get_token
from django.template import engines
from django.utils.safestring import SafeString
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from console import masking
from console.templatetags.console import icon, new_key, number
from console.text import lay_open_plain

_SAFE = (SafeString, int)
_SLOT = re.compile("\0(\\w+)\0")


def environment(**options):
    made = Environment(**options | {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True})  # noqa: S701
    made.globals["icon"] = icon
    made.filters["number"] = number
    return made


class _Slots(dict):
    """In place of a row's values: a mark for each, which no text holds, since NUL is refused everywhere."""

    def __missing__(self, name):
        return Markup(f"\0{name}\0")  # noqa: S704


class _Values(dict):
    """A row's values; idempotency keys are made as they are asked for, one for each form."""

    def __missing__(self, name):
        if not name.startswith("key_"):
            raise KeyError(name)
        return new_key()


@lru_cache(maxsize=2000)
def _mould(name, macro, shape):
    template = engines["jinja2"].env.get_template(name)
    html = str(getattr(template.module, macro)(shape, _Slots()))
    return _SLOT.sub(r"%(\1)s", html.replace("%", "%%"))


def draw(name, macro, shape, values):
    """The macro's HTML for a row of this shape (a NamedTuple of plain values) with these values."""
    filling = _Values()
    for key, value in values.items():
        filling[key] = value if type(value) in _SAFE else lay_open_plain(value)
    return SafeString(_mould(name, macro, shape) % filling)


def drawn(name, macro, *values):
    """The macro's HTML of these values, escaped: for what is small, many, and of no shape to keep a mould for."""
    return SafeString(getattr(engines["jinja2"].env.get_template(name).module, macro)(*values))


class Page:
    """What rows need to know of the page they are on: its address, and the token of its forms."""

    def __init__(self, request, here):
        self.request, self.here = request, here

    @cached_property
    def sees_whole(self):
        """Whether rows show addresses and e-mails whole."""
        return masking.sees_whole(self.request.user)

    @cached_property
    def values(self):
        """For the macros: the token, the address, and the address as a parameter of another."""
        values = {"csrf": get_token(self.request), "here": self.here, "next": quote(self.here, safe="")}
        return {name: SafeString(escape(value)) for name, value in values.items()}


def together(drawn):
    """Rows one after the other."""
    return SafeString("".join(drawn))


def legal(verbs, row):
    """Of these verbs, those that the row's state allows, as part of a shape."""
    return tuple(verb for verb in verbs if verb.legal(row))


def buttons(row, offered, page, place=""):
    """The row's verbs by themselves; `place` is where the answer goes when that is not the row's card."""
    place = place or f"#{row._meta.model_name}-{row.pk}"
    values = {"pk": row.pk, "url": row.get_absolute_url(), "version": row.version, "place": place, **page.values}
    return draw("console/_rows.jinja", "buttons", legal(offered, row), values)
