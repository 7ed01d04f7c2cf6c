"""What the console's navigation holds: each app registers its sections from AppConfig.ready()."""

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse

_sections = []


@dataclass(frozen=True)
class Shortcut:
    """What people come for often enough to have it on the dashboard; `url` is a URL name."""

    label: str
    url: str
    permission: str
    icon: str

    @property
    def href(self):
        return reverse(self.url)


@dataclass(frozen=True)
class Section:
    """One line of the navigation, its tile on the dashboard and its badge.

    `url` is a URL name; `permission` decides who sees it; `waiting` counts what waits (an int, capped by itself)
    and is asked only when the cached number is gone; `oldest` tells since when (a datetime or None).
    `shortcuts` are Shortcuts for the dashboard; `pages` lists what lies in it at addresses of its own (with `href`).
    """

    name: str
    label: str
    url: str
    permission: str
    icon: str
    waiting: Callable[[], int] | None = None
    oldest: Callable | None = None
    shortcuts: tuple = ()
    pages: Callable = tuple
    position: int = 100

    @property
    def has_badge(self):
        """For templates, which would call `waiting`."""
        return self.waiting is not None

    @property
    def href(self):
        return reverse(self.url)

    def holds(self, path):
        return any(path.startswith(page.href) for page in (self, *self.pages()))


def register(section):
    _sections.append(section)
    _sections.sort(key=lambda s: s.position)


def every():
    return list(_sections)


def label_of(name):
    """What the section of this name is called; "" for none."""
    return next((section.label for section in _sections if section.name == name), "")


def shortcuts_of(user):
    """The shortcuts this person may take, in order."""
    return [each for section in _sections for each in section.shortcuts if user.has_perm(each.permission)]


def visible_to(user):
    """The sections this person may open, in order."""
    return [section for section in _sections if user.has_perm(section.permission)]
