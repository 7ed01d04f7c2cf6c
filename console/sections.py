"""What the console's navigation holds: each app registers its sections from AppConfig.ready()."""

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse

_sections = []


@dataclass(frozen=True)
class Section:
    """One line of the navigation, its tile on the dashboard and its badge.

    `url` is a URL name; `permission` decides who sees it; `waiting` counts what waits (an int, capped by itself)
    and is asked only when the cached number is gone; `oldest` tells since when (a datetime or None).
    """

    name: str
    label: str
    url: str
    permission: str
    icon: str
    waiting: Callable[[], int] | None = None
    oldest: Callable | None = None
    position: int = 100
    is_minor: bool = False  # on phones there is no room for it below: it is reached from where it is needed

    @property
    def has_badge(self):
        """For templates, which would call `waiting`."""
        return self.waiting is not None

    @property
    def href(self):
        return reverse(self.url)


def register(section):
    _sections.append(section)
    _sections.sort(key=lambda s: s.position)


def visible_to(user):
    """The sections this person may open, in order."""
    return [section for section in _sections if user.has_perm(section.permission)]
