"""What a token may be allowed to do. Apps register the scopes of their part when they are ready."""

from dataclasses import dataclass

_scopes = {}


@dataclass(frozen=True)
class Scope:
    """`name` as in tokens and the schema ("bans:read"), `sentence` for whoever ticks it."""

    name: str
    sentence: str
    position: int = 100


def register(scope):
    _scopes[scope.name] = scope


def every():
    """All there are, in the order of the form."""
    return sorted(_scopes.values(), key=lambda scope: (scope.position, scope.name))


def get(name):
    """The scope, or None."""
    return _scopes.get(name)
