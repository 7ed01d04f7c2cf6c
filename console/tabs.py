"""Pages of a section that lie side by side: tabs, which register themselves."""

from dataclasses import dataclass

from django.urls import reverse

from console import sections

_tabs = []


@dataclass(frozen=True)
class Tab:
    """A page of a section; `section` is its name, `url` a URL name, `permission` decides who sees it."""

    section: str
    label: str
    url: str
    permission: str
    position: int = 100

    @property
    def href(self):
        return reverse(self.url)


def register_tab(tab):
    _tabs.append(tab)
    _tabs.sort(key=lambda each: each.position)


def every_tab(section):
    return tuple(tab for tab in _tabs if tab.section == section)


def tabs_of(section, user):
    """The tabs this person may open, in order."""
    return [tab for tab in every_tab(section) if user.has_perm(tab.permission)]


class TabsMixin:
    """For pages of a section: `_tabs.html` finds its tabs, and which of them the page belongs to."""

    section = ""

    def get_context_data(self, **kwargs):
        tabs = tabs_of(self.section, self.request.user)
        holding = [tab for tab in tabs if self.request.path.startswith(tab.href)]
        # one may lie below another: the overview's address begins all the others'
        here = max(holding, key=lambda tab: len(tab.href), default=None)
        return super().get_context_data(tabs=tabs, tab=here, tabs_label=sections.label_of(self.section), **kwargs)
