"""What other parts of the console put on the overview of operations, which knows no domain noun."""

from collections.abc import Callable
from dataclasses import dataclass

_panels = []


@dataclass(frozen=True)
class Panel:
    """A partial and what it shows: `function(request)` returns its context, or None when there is nothing to show to
    this person. By a statement or two, whatever the size of tables.
    """

    position: int
    template: str
    function: Callable


def register(panel):
    _panels.append(panel)
    _panels.sort(key=lambda each: each.position)


def shown(request):
    """`[(template, context)]`, in order."""
    drawn = [(panel.template, panel.function(request)) for panel in _panels]
    return [(template, context) for template, context in drawn if context is not None]
